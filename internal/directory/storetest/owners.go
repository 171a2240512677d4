package storetest

import (
	"errors"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

func owners(t *testing.T, s directory.Store) (all []portal.UserID) {
	t.Helper()
	members, err := s.Members(t.Context(), acme)
	for _, m := range must(t, members, err) {
		if m.Owner {
			all = append(all, m.User)
		}
	}
	return all
}

func oneOwner(t *testing.T, s directory.Store) {
	if _, err := try(t.Context(), s, account(acme)); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("an account without owner: %v", err)
	}
	if _, err := try(t.Context(), s, account(acme), user(anna), user(ben), owner(acme, anna), owner(acme, ben)); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("an account with two owners: %v", err)
	}
	found(t, s)
	was := everything(t, s)
	removed := member(acme, anna)
	removed.State = portal.MembershipRemoved
	for why, m := range map[string]portal.Membership{
		"demoted": member(acme, anna), "removed": removed, "a second one": owner(acme, ben),
	} {
		if _, err := try(t.Context(), s, m); !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
	unchanged(t, s, was)
}

func anyOrder(t *testing.T, s directory.Store) {
	found(t, s)
	commit(t, s, owner(acme, ben), member(acme, anna)) // promoted first
	commit(t, s, member(acme, ben), owner(acme, anna)) // demoted first
	commit(t, s, owner(acme, ben), member(acme, anna), member(acme, ben), owner(acme, anna), owner(acme, ben), member(acme, anna))
	if got := owners(t, s); len(got) != 1 || got[0] != ben {
		t.Errorf("owners %v, want ben", got)
	}
	renamed := owner(acme, ben)
	renamed.LastLogin = noon
	commit(t, s, renamed)
	if got := owners(t, s); len(got) != 1 || got[0] != ben {
		t.Errorf("owners %v after another change, want ben", got)
	}
}
