package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// The text that PostgreSQL is given in the place of any other comes between the same two
// ids, and is one that it takes.
func FuzzAfter(f *testing.F) {
	for _, seed := range []string{"", "a", "user:7", "a\x00b", "a\xff", "ä", "~~", "a b", "\x7f", "ab\x00"} {
		for _, id := range []string{"a", "ab", "a~", "user:7", "A", "."} {
			f.Add(seed, id)
		}
	}
	f.Fuzz(func(t *testing.T, s, id string) {
		after := postgres.After(s)
		if !utf8.ValidString(after) || strings.Contains(after, "\x00") {
			t.Errorf("%q stands for %q", after, s)
		}
		if portal.ValidID(id) && (id > s) != (id > after) {
			t.Errorf("%q > %q is %v, > %q is %v", id, s, id > s, after, id > after)
		}
	})
}

// No id, list or line of history that anybody asks for is more than not there.
func TestQuestionsThatPostgreSQLRefuses(t *testing.T) {
	s := open(t, server.DSN(server.Database(t)), postgres.Options{})
	found(t, s)
	for _, strange := range []string{"\x00", "a\x00", "\xff", "a\xed\xa0\x80", "'", `\`, strings.Repeat("a", 1<<20)} {
		_, err := s.Update(t.Context(), func(tx directory.Tx) error { // which must survive
			facts, _, err := tx.Facts(t.Context(), []portal.FactKey{{Account: portal.AccountID(strange), Subject: portal.Ref{Type: portal.TypeUser, ID: strange}}})
			if err != nil || facts[0] != (portal.Facts{}) {
				t.Errorf("facts of %q: %+v, %v", strange, facts, err)
			}
			if members, err := tx.Members(t.Context(), portal.AccountID(strange)); len(members) > 0 || err != nil {
				t.Errorf("members of %q: %v, %v", strange, members, err)
			}
			_, err = tx.IDs(t.Context(), directory.List{Kind: directory.ListMembers, Account: portal.AccountID(strange)}, strange, 1)
			return err
		})
		if err != nil {
			t.Errorf("%q: %v", strange, err)
		}
		if _, err := s.HistoryLine(t.Context(), strange, strange); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("line %q: %v", strange, err)
		}
		_, err = s.History(t.Context(), "acme", portal.HistoryLine{ID: strange}, 1)
		if err != nil {
			t.Errorf("history after %q: %v", strange, err)
		}
	}
}
