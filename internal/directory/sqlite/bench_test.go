package sqlite_test

import (
	"fmt"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// BenchmarkFacts is what a question costs that no cache can answer.
func BenchmarkFacts(b *testing.B) {
	s := open(b, file(b), sqlite.Options{})
	const members = 10_000
	_, err := s.Update(b.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "import"})
		if err := put(b, tx); err != nil {
			return err
		}
		for i := range members {
			id := portal.UserID(fmt.Sprint(i))
			if err := tx.PutUser(b.Context(), portal.User{ID: id, Status: portal.UserActive}); err != nil {
				return err
			}
			m := portal.Membership{Account: "acme", User: id, State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"billing"}}}
			if err := tx.PutMembership(b.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	keys, i := make([]portal.FactKey, 1), 0
	for b.Loop() {
		i = (i + 7919) % members
		keys[0] = portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: fmt.Sprint(i)}}
		if _, _, err := s.Facts(b.Context(), keys); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate is one small change, on disk.
func BenchmarkUpdate(b *testing.B) {
	s := open(b, file(b), sqlite.Options{})
	for b.Loop() {
		if _, err := addUser(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStamp is in every cached question.
func BenchmarkStamp(b *testing.B) {
	s := open(b, file(b), sqlite.Options{})
	for b.Loop() {
		s.Stamp()
	}
}
