package facts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/facts"
	"doorward/internal/portal"
)

func TestEveryKindOfChangeIsSeen(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	for _, c := range []struct {
		change func(directory.Tx) error
		seen   func(portal.Facts) bool
	}{
		{
			func(tx directory.Tx) error {
				return tx.PutAccount(t.Context(), portal.Account{ID: acme, Status: portal.AccountSuspended, MFARequired: true})
			},
			func(f portal.Facts) bool {
				return f.Account == portal.AccountFacts{Status: portal.AccountSuspended, MFARequired: true}
			},
		}, {
			func(tx directory.Tx) error {
				return tx.PutUser(t.Context(), portal.User{ID: anna, Status: portal.UserDisabled})
			},
			func(f portal.Facts) bool { return f.User.Status == portal.UserDisabled },
		}, {
			func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(portal.MembershipPending)) },
			func(f portal.Facts) bool { return f.Membership.State == portal.MembershipPending },
		}, { // A13.19
			func(tx directory.Tx) error {
				return tx.PutUser(t.Context(), portal.User{ID: anna, Status: portal.UserDisabled, Staff: "staff.read"})
			},
			func(f portal.Facts) bool { return f.User.Staff.May("staff.read") },
		}, {
			func(tx directory.Tx) error {
				m := member(portal.MembershipPending)
				m.Mail.Off = []string{"invoice"}
				return tx.PutMembership(t.Context(), m)
			},
			func(f portal.Facts) bool { return f.Membership.Mail != nil && len(f.Membership.Mail.Off) == 1 },
		},
	} {
		if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || c.seen(f) {
			t.Fatalf("beforehand %+v, %v", f, err)
		}
		update(t, store, c.change)
		if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || !c.seen(f) {
			t.Errorf("the change was not seen: %+v, %v", f, err)
		}
	}
}

// No facts rest on the policy: a promotion moves the position, and nothing is read again.
func TestAPromotionForgetsNothing(t *testing.T) {
	store := &hooked{Source: open(t)}
	cache := facts.NewCache(store, facts.Options{})
	want, _, err := cache.Read(t.Context(), key(anna))
	if err != nil {
		t.Fatal(err)
	}
	head := update(t, store.Source.(directory.Store), func(tx directory.Tx) error {
		return tx.PutPolicy(t.Context(), directory.Promotion{Digest: strings.Repeat("0a", 32), Bundle: []byte("bundle")})
	})
	store.afterFacts = func() { t.Error("facts were read again") }
	if got, at, err := cache.Read(t.Context(), key(anna)); err != nil || at != head || cmp.Diff(want, got) != "" {
		t.Errorf("got %+v at %v, %v; the head is %v", got, at, err, head)
	}
}
