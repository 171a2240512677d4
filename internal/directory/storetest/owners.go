package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
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

// parallel runs n updates at once and returns their errors.
func parallel(n int, update func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = update(i) })
	}
	wg.Wait()
	return errs
}

// Both take the ownership for themselves and demote whom they believe to be the
// owner, having looked before.
func twoDemotions(t *testing.T, s directory.Store) {
	found(t, s)
	commit(t, s, user("cid"), member(acme, "cid"))
	ctx := t.Context()
	errs := parallel(2, func(i int) error {
		_, err := try(ctx, s, member(acme, anna), owner(acme, []portal.UserID{ben, "cid"}[i]))
		return err
	})
	refused := 0
	for _, err := range errs {
		if errors.Is(err, directory.ErrInvalid) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if got := owners(t, s); refused != 1 || len(got) != 1 || got[0] == anna {
		t.Errorf("%d refused, owners %v", refused, got)
	}
}

func oneAccept(t *testing.T, s directory.Store) {
	was := found(t, s)
	commit(t, s, user("cid"))
	ctx := t.Context()
	errAccepted := errors.New("accepted before")
	errs := parallel(100, func(int) error {
		_, err := s.Update(ctx, func(tx directory.Tx) error {
			if _, err := tx.Membership(ctx, acme, "cid"); !errors.Is(err, directory.ErrNotFound) {
				return errors.Join(errAccepted, err)
			}
			tx.Log(entry("invitation.accept"))
			return tx.PutMembership(ctx, member(acme, "cid"))
		})
		return err
	})
	accepted := 0
	for _, err := range errs {
		if err == nil {
			accepted++
		} else if !errors.Is(err, errAccepted) {
			t.Error(err)
		}
	}
	lines := 0
	for l, err := range s.AuditLines(ctx) {
		if must(t, l, err).Action == "invitation.accept" {
			lines++
		}
	}
	if accepted != 1 || lines != 1 || head(t, s).Revision != was.Revision+2 {
		t.Errorf("%d accepted, %d lines, head %v after %v", accepted, lines, head(t, s), was)
	}
}

// Each writer counts up what it reads, so a lost update shows too.
func noHoles(t *testing.T, s directory.Store) {
	const writers, each = 8, 10
	found(t, s)
	a := account(acme)
	a.Name = "0"
	start := commit(t, s, a).Revision
	positions := make([][]portal.Position, writers)
	errs := parallel(writers, func(i int) error {
		for range each {
			p, err := countUp(t.Context(), s)
			if err != nil {
				return err
			}
			positions[i] = append(positions[i], p)
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	seen := map[portal.Revision]portal.Position{}
	for _, ps := range positions {
		for _, p := range ps {
			seen[p.Revision] = p
		}
	}
	for i := range portal.Revision(writers * each) {
		if _, ok := seen[start+1+i]; !ok {
			t.Errorf("revision %d is missing", start+1+i)
		}
	}
	if a, err := s.Account(t.Context(), acme); err != nil || a.Name != strconv.Itoa(writers*each) {
		t.Errorf("counted to %s, %v", a.Name, err)
	}
	for revision, want := range seen { // the feed and the writers agree on positions
		before, ok := seen[revision-1]
		if !ok {
			continue
		}
		_, got, err := s.Changes(t.Context(), before, 1)
		if err != nil || got != want {
			t.Errorf("changes lead to %v, %v, want %v", got, err, want)
		}
	}
}

func countUp(ctx context.Context, s directory.Store) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		a, err := tx.Account(ctx, acme)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(a.Name)
		if err != nil {
			return err
		}
		a.Name = strconv.Itoa(n + 1)
		tx.Log(entry("test.count"))
		return tx.PutAccount(ctx, a)
	})
}
