package postgres_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/directory/storetest"
	"doorward/internal/portal"
)

// server is the server of all tests but those that stop theirs.
var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.New("max_connections=300", "fsync=off"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(), goleak.Cleanup(func(status int) {
		if err := server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(status)
	}))
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) directory.Store {
		return open(t, server.DSN(server.Database(t)), postgres.Options{})
	})
}

// Directory replicas on one database.
func TestStoresTogether(t *testing.T) {
	storetest.RunTogether(t, func(t *testing.T) []directory.Store {
		dsn := server.DSN(server.Database(t))
		return []directory.Store{open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})}
	})
}

func TestAgainstModel(t *testing.T) {
	storetest.RunModel(t, open(t, server.DSN(server.Database(t)), postgres.Options{}))
}

func open(t testing.TB, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, o)
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

// ownServer is a server that the test may stop.
func ownServer(t *testing.T) *pgtest.Server {
	t.Helper()
	s, err := pgtest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
