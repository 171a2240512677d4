package storetest

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Uses tests that of the days on which a member was allowed something the latest is known,
// and that none is after today (req 95, req 116, R16). both are one empty store as two
// directories have it.
func Uses(t *testing.T, both [2]directory.Uses) {
	today := func() portal.Day { return portal.DayOf(time.Now()) }
	used := func(uses ...portal.Use) {
		t.Helper()
		if err := both[0].Used(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
	}
	last := func(account portal.AccountID, user portal.UserID) portal.Day {
		t.Helper()
		day, err := both[1].LastUse(t.Context(), account, user)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	expect := func(account portal.AccountID, user portal.UserID, want portal.Day) {
		t.Helper()
		if got := last(account, user); got != want {
			t.Errorf("%s in %s: %v, want %v", user, account, got, want)
		}
	}
	expect("acme", "anna", 0)
	used()
	used(use("acme", "anna", 20_000), use("acme", "ANNA", 19_000), use("shop", "anna", 18_000),
		use("acme", "anna", 20_001), use("acme", "anna", 17_000))
	used(use("acme", "anna", 20_000), use("shop", "anna", 18_000), use("acme", "ANNA", 19_002))
	expect("acme", "anna", 20_001)
	expect("acme", "ANNA", 19_002)
	expect("shop", "anna", 18_000)
	expect("shop", "ANNA", 0)
	before := today()
	used(use("acme", "anna", 1<<30), use("acme", "anna", 5))
	if got := last("acme", "anna"); got < before || got > today() {
		t.Errorf("a day to come is noted as %v", got)
	}
	usedAtOnce(t, both)
}

func use(account portal.AccountID, user portal.UserID, day portal.Day) portal.Use {
	return portal.Use{Account: account, User: user, Day: day}
}

// usedAtOnce tests that uses which two directories note in other orders wait for nobody for
// ever.
func usedAtOnce(t *testing.T, both [2]directory.Uses) {
	const users = 50
	var noting errgroup.Group
	for i, store := range both {
		noting.Go(func() error {
			for day := range portal.Day(20) {
				var uses []portal.Use
				for n := range users {
					if i == 1 {
						n = users - 1 - n
					}
					uses = append(uses, use("race", portal.UserID(fmt.Sprint(n)), 100+day))
				}
				if err := store.Used(t.Context(), uses); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := noting.Wait(); err != nil {
		t.Fatal(err)
	}
	for n := range users {
		if day, err := both[0].LastUse(t.Context(), "race", portal.UserID(fmt.Sprint(n))); err != nil || day != 119 {
			t.Fatalf("%d: %v, %v", n, day, err)
		}
	}
}
