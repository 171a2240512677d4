package postgres_test

import (
	"fmt"
	"sync"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// durable is a server that writes to disk what it commits.
func durable(b *testing.B) *pgtest.Server {
	b.Helper()
	s, err := pgtest.New()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkFacts is what a question costs that no cache can answer.
func BenchmarkFacts(b *testing.B) {
	server := durable(b)
	database := server.Database(b)
	s := open(b, server.DSN(database), postgres.Options{})
	const members = 10_000
	_, err := s.Update(b.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "import"})
		if err := put(b, tx); err != nil {
			return err
		}
		for i := range members {
			if err := putMember(b, tx, portal.UserID(fmt.Sprint(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	server.Do(b, database, `VACUUM ANALYZE`)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			keys, i := make([]portal.FactKey, n), 0
			for b.Loop() {
				for k := range keys {
					i = (i + 7919) % members
					keys[k] = portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: fmt.Sprint(i)}}
				}
				if _, _, err := s.Facts(b.Context(), keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func putMember(b *testing.B, tx directory.Tx, id portal.UserID) error {
	if err := tx.PutUser(b.Context(), portal.User{ID: id, Status: portal.UserActive}); err != nil {
		return err
	}
	return tx.PutMembership(b.Context(), portal.Membership{
		Account: "acme", User: id, State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"billing"}},
	})
}

// BenchmarkUpdate is what so many writers get done in as many replicas, each a new
// member at a time, on disk.
func BenchmarkUpdate(b *testing.B) {
	server := durable(b)
	for _, c := range []struct{ replicas, writers int }{{1, 1}, {1, 16}, {4, 4}, {4, 16}} {
		b.Run(fmt.Sprintf("replicas=%d/writers=%d", c.replicas, c.writers), func(b *testing.B) {
			dsn := server.DSN(server.Database(b))
			var stores []*postgres.Store
			for range c.replicas {
				stores = append(stores, open(b, dsn, postgres.Options{}))
			}
			found(b, stores[0])
			var all sync.WaitGroup
			b.ResetTimer()
			for w := range c.writers {
				all.Go(func() {
					for i := w; i < b.N; i += c.writers {
						_, err := stores[w%c.replicas].Update(b.Context(), func(tx directory.Tx) error {
							tx.Log(audit.Entry{Actor: "user:tester", Action: "membership.put"})
							return putMember(b, tx, portal.UserID(fmt.Sprint(i)))
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}
