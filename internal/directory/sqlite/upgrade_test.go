package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// oldFile is a directory that a program with migration 00001 alone has made.
func oldFile(t *testing.T) string {
	t.Helper()
	dump, err := os.ReadFile("testdata/made-by-00001.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "doorward.db")
	db := raw(t, path)
	run(t, db, string(dump))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A directory of before opens, says what it said, and keeps what is new.
func TestUpgrade(t *testing.T) {
	s := open(t, oldFile(t), sqlite.Options{})
	ctx := t.Context()
	report, err := directory.Verify(ctx, s, nil)
	if err != nil || report.Lines != 4 || report.Position.Revision != 4 {
		t.Errorf("the trail: %+v, %v", report, err)
	}
	ben := portal.Membership{
		Account: "shop", User: "ben", State: portal.MembershipActive,
		Grant: portal.Grant{
			Presets: []string{"billing"}, Categories: []string{"quotes"}, Scope: []portal.Ref{{Type: "service", ID: "5"}},
			NotAfter: time.Date(2027, 1, 31, 18, 0, 0, 0, time.UTC),
		},
	}
	key := portal.FactKey{Account: "shop", Subject: portal.Ref{Type: portal.TypeUser, ID: "ben"}}
	want := portal.Facts{
		Account:    portal.AccountFacts{Status: portal.AccountActive, MFARequired: true},
		User:       portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &ben.Grant},
	}
	facts, _, err := s.Facts(ctx, []portal.FactKey{key})
	if diff := gocmp.Diff([]portal.Facts{want}, facts); err != nil || diff != "" {
		t.Errorf("facts: %v\n%s", err, diff)
	}
	changes, _, err := s.Changes(ctx, portal.Position{}, 100)
	if err != nil || len(changes) != 7 || changes[4] != (directory.Change{Revision: 3, Kind: directory.ChangedMembership, Account: "shop", User: "ben"}) {
		t.Errorf("changes: %+v, %v", changes, err)
	}
	if p, err := s.Update(ctx, func(tx directory.Tx) error { return tx.PutMembership(ctx, ben) }); err != nil || p.Revision != 4 {
		t.Errorf("putting what is there: %v, %v", p, err)
	}
	keepsWhatIsNew(t, s, ben)
}

func keepsWhatIsNew(t *testing.T, s *sqlite.Store, ben portal.Membership) {
	t.Helper()
	ctx := t.Context()
	ben.Grant.AccountWide, ben.Mail.Off = []string{"tickets"}, []string{"invoice"}
	books := portal.Contact{
		ID: "books", Account: "shop", Status: portal.ContactActive,
		Person: portal.Person{Email: "books@shop.example"}, Mails: []string{"invoice"},
	}
	policy := directory.Promotion{Digest: strings.Repeat("0a", 32), Bundle: []byte("bundle")}
	at, err := s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put"})
		ann, err := tx.User(ctx, "ann")
		if err != nil {
			return err
		}
		ann.Staff = "staff.read"
		return errors.Join(putAll(t, tx, []any{ann, ben, books}), tx.PutPolicy(ctx, policy))
	})
	if err != nil {
		t.Fatal(err)
	}
	policy.Revision = at.Revision
	promoted, err := s.Promoted(ctx)
	if diff := gocmp.Diff(policy, promoted); err != nil || diff != "" {
		t.Errorf("policy: %v\n%s", err, diff)
	}
	staff, err := s.Staff(ctx)
	if err != nil || len(staff) != 1 || staff[0].Person.FirstName != "Ann" {
		t.Errorf("staff: %+v, %v", staff, err)
	}
	gotBen, err := s.Membership(ctx, "shop", "ben")
	if diff := gocmp.Diff(ben, gotBen); err != nil || diff != "" {
		t.Errorf("membership: %v\n%s", err, diff)
	}
	contacts, err := s.Contacts(ctx, "shop")
	if diff := gocmp.Diff([]portal.Contact{books}, contacts); err != nil || diff != "" {
		t.Errorf("contacts: %v\n%s", err, diff)
	}
}

// A program of before refuses a limited token, of which it does not know the limits.
func TestAProgramOfBeforeRefusesLimitedTokens(t *testing.T) {
	path := oldFile(t)
	s := open(t, path, sqlite.Options{})
	limited := directory.Token{ID: "t1", Digest: [32]byte{1}, Scopes: []string{"decide"}, Limits: &portal.Limits{Types: []string{"service"}}}
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put"})
		return tx.PutToken(t.Context(), limited)
	})
	if err != nil {
		t.Fatal(err)
	}
	var scopes string
	if err := raw(t, path).QueryRow(`SELECT scopes FROM token WHERE id = 't1'`).Scan(&scopes); err != nil || scopes != "[]" {
		t.Errorf("scopes %s, %v", scopes, err)
	}
}

// While an upgrade is rolled out, a program of before writes the same file: the
// statements are its own.
func TestAProgramOfBeforeGoesOnWriting(t *testing.T) {
	path := oldFile(t)
	s := open(t, path, sqlite.Options{})
	db := raw(t, path)
	run(t, db, `INSERT INTO user (id, status, mfa, created_at) VALUES ('cid', 'active', 0, NULL)`)
	run(t, db, `INSERT INTO membership (account, user, state, owner, presets, categories, scope, not_before, not_after, last_login, created_at)
		VALUES ('shop', 'cid', 'active', 0, '["support"]', '[]', '[]', NULL, NULL, NULL, NULL)`)
	run(t, db, `INSERT INTO change_log (revision, n, kind, account, user) VALUES (5, 0, 'membership', 'shop', 'cid')`)
	want := portal.Membership{Account: "shop", User: "cid", State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"support"}}}
	got, err := s.Membership(t.Context(), "shop", "cid")
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func putAll(t *testing.T, tx directory.Tx, things []any) error {
	for _, thing := range things {
		var err error
		switch thing := thing.(type) {
		case portal.User:
			err = tx.PutUser(t.Context(), thing)
		case portal.Membership:
			err = tx.PutMembership(t.Context(), thing)
		case portal.Contact:
			err = tx.PutContact(t.Context(), thing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
