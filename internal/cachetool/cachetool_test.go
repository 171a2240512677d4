package cachetool_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/cachetool"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/shared"
	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// More than is read at once of each: members of one account, and accounts of one user.
const many = 1100

// tool works on a directory in which anna owns many accounts, and the first has many members.
func tool(t *testing.T) *cachetool.Tool {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.Update(t.Context(), func(tx directory.Tx) error { return fill(t, tx) }); err != nil {
		t.Fatal(err)
	}
	rows, err := store.Gates(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	cache, err := shared.New(shared.Config{Server: shared.Server{URL: "redis://" + redistest.New(t).Address}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	cache.Use(shared.Keys{{Number: 1, Secret: gate.Secret{1}}})
	return &cachetool.Tool{Directory: store, Facts: rows.Facts, Cache: cache}
}

func fill(t *testing.T, tx directory.Tx) error {
	tx.Log(audit.Entry{Actor: "user:tester", Action: "test.fill"})
	put := func(account portal.AccountID, user portal.UserID, owner bool) error {
		if err := tx.PutUser(t.Context(), portal.User{ID: user, Status: portal.UserActive}); err != nil {
			return err
		}
		return tx.PutMembership(t.Context(), portal.Membership{Account: account, User: user, Owner: owner, State: portal.MembershipActive})
	}
	for i := range many {
		account := portal.AccountID(fmt.Sprintf("a%04d", i))
		if err := tx.PutAccount(t.Context(), portal.Account{ID: account, Status: portal.AccountActive}); err != nil {
			return err
		}
		if err := put(account, "anna", true); err != nil {
			return err
		}
		if err := put("a0000", portal.UserID(fmt.Sprintf("u%04d", i)), false); err != nil {
			return err
		}
	}
	return nil
}

// R10: everybody is written once, and shown, however many there are.
func TestManyAreWarmedAndShown(t *testing.T) {
	tool := tool(t)
	anna := portal.Ref{Type: portal.TypeUser, ID: "anna"}
	states := func() (all map[cachetool.State]int) {
		lines, err := tool.Show(t.Context(), anna)
		if err != nil {
			t.Fatal(err)
		}
		all = map[cachetool.State]int{}
		for i, l := range lines {
			if l.Account != portal.AccountID(fmt.Sprintf("a%04d", i)) {
				t.Fatalf("line %d is of %s", i, l.Account)
			}
			all[l.State]++
		}
		return all
	}
	if got := states(); got["missing"] != many || len(got) != 1 {
		t.Errorf("at first: %v", got)
	}
	if n, err := tool.Warm(t.Context(), "a0000"); err != nil || n != many+1 {
		t.Errorf("one account: %d, %v", n, err)
	}
	if got := states(); got[cachetool.Current] != 1 || got["missing"] != many-1 {
		t.Errorf("one account is warm: %v", got)
	}
	if n, err := tool.Warm(t.Context()); err != nil || n != 2*many {
		t.Errorf("all: %d, %v", n, err)
	}
	if got := states(); got[cachetool.Current] != many || len(got) != 1 {
		t.Errorf("all are warm: %v", got)
	}
}
