package sqlite_test

import (
	"path/filepath"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/directory/storetest"
	"doorward/internal/portal"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) directory.Store { return open(t, file(t), sqlite.Options{}) })
}

// Stores of one process that have the same file open.
func TestStoresTogether(t *testing.T) {
	storetest.RunTogether(t, func(t *testing.T) []directory.Store {
		path := file(t)
		return []directory.Store{open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})}
	})
}

// file names a database that does not exist yet.
func file(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "doorward.db") }

func open(t testing.TB, path string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// found puts one account with its owner.
func found(t testing.TB, s directory.Store) portal.Position {
	t.Helper()
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "account.put", Object: "account:acme"})
		return put(t, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func put(t testing.TB, tx directory.Tx) error {
	ctx := t.Context()
	if err := tx.PutAccount(ctx, portal.Account{ID: "acme", Status: portal.AccountActive}); err != nil {
		return err
	}
	if err := tx.PutUser(ctx, portal.User{ID: "anna", Status: portal.UserActive}); err != nil {
		return err
	}
	return tx.PutMembership(ctx, portal.Membership{
		Account: "acme", User: "anna", State: portal.MembershipActive, Owner: true, Grant: portal.Grant{Presets: []string{"owner"}},
	})
}
