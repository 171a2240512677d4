package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A together is a promise about what several do at once, each through one of the stores.
type together struct {
	says string
	test func(*testing.T, []directory.Store)
}

func togetherPromises() []together {
	return []together{
		{"of two demotions at once one is refused (S39)", twoDemotions},
		{"of 100 accepts at once one succeeds (S30)", oneAccept},
		{"commit order is revision order, without holes, under parallel writers", noHoles},
		{"of two who remove each other one is removed", noMutualRemoval},
		{"readers beside writers see what was committed up to one revision", prefixes},
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
func twoDemotions(t *testing.T, stores []directory.Store) {
	s := stores[0]
	found(t, s)
	commit(t, s, user("cid"), member(acme, "cid"))
	ctx := t.Context()
	errs := parallel(2, func(i int) error {
		_, err := try(ctx, stores[i%len(stores)], member(acme, anna), owner(acme, []portal.UserID{ben, "cid"}[i]))
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

func oneAccept(t *testing.T, stores []directory.Store) {
	s := stores[0]
	was := found(t, s)
	commit(t, s, user("cid"))
	ctx := t.Context()
	errAccepted := errors.New("accepted before")
	errs := parallel(100, func(i int) error {
		_, err := stores[i%len(stores)].Update(ctx, func(tx directory.Tx) error {
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

// Each writer counts up what it reads: what the nth revision counted to is n, so a lost
// update shows, and a revision that another was committed before.
func noHoles(t *testing.T, stores []directory.Store) {
	const writers, each = 8, 10
	a := account(acme)
	a.Name = "0"
	found(t, stores[0])
	start := commit(t, stores[0], a)
	var mu sync.Mutex
	seen := map[portal.Revision]portal.Position{start.Revision: start}
	errs := parallel(writers, func(i int) error {
		for range each {
			p, n, err := countUp(t.Context(), stores[i%len(stores)])
			if err != nil {
				return err
			}
			mu.Lock()
			seen[p.Revision] = p
			mu.Unlock()
			if p.Revision != start.Revision+portal.Revision(n) {
				t.Errorf("revision %d after %d counted to %d", p.Revision, start.Revision, n)
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	end := start
	for i := range writers * each { // the feed and the writers agree on positions
		_, at, err := stores[i%len(stores)].Changes(t.Context(), end, 1)
		if err != nil || at != seen[at.Revision] || at.Revision != end.Revision+1 {
			t.Fatalf("changes after %v lead to %v, %v, want %v", end, at, err, seen[end.Revision+1])
		}
		end = at
	}
	for _, s := range stores {
		if report, err := directory.Verify(t.Context(), s, nil); err != nil || report.Position != end {
			t.Errorf("the trail: %+v, %v, want %v", report, err, end)
		}
	}
}

// countUp counts one more, and says to what.
func countUp(ctx context.Context, s directory.Store) (p portal.Position, n int, err error) {
	p, err = s.Update(ctx, func(tx directory.Tx) error {
		a, err := tx.Account(ctx, acme)
		if err != nil {
			return err
		}
		if n, err = strconv.Atoi(a.Name); err != nil {
			return err
		}
		n++
		a.Name = strconv.Itoa(n)
		tx.Log(entry("test.count"))
		return tx.PutAccount(ctx, a)
	})
	return p, n, err
}

var errNotActive = errors.New("whoever acts is no member any more")

// removeAs removes one member in the name of another.
func removeAs(ctx context.Context, s directory.Store, actor, gone portal.UserID) error {
	_, err := s.Update(ctx, func(tx directory.Tx) error {
		facts, _, err := tx.Facts(ctx, []portal.FactKey{key(acme, actor)})
		if err != nil {
			return err
		}
		if facts[0].Membership.State != portal.MembershipActive {
			return errNotActive
		}
		m := member(acme, gone)
		m.State = portal.MembershipRemoved
		tx.Log(entry("membership.remove"))
		return tx.PutMembership(ctx, m)
	})
	return err
}

// Design R14: what somebody was allowed to do when it was read is not committed after
// they were removed. Each writes another row than the other, and reads the other's.
func noMutualRemoval(t *testing.T, stores []directory.Store) {
	found(t, stores[0])
	people := []portal.UserID{ben, "cid"}
	for range 15 {
		commit(t, stores[0], user("cid"), member(acme, ben), member(acme, "cid"))
		errs := parallel(2, func(i int) error {
			return removeAs(t.Context(), stores[i%len(stores)], people[i], people[1-i])
		})
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), errNotActive) {
			t.Fatalf("two remove each other: %v", errs)
		}
	}
}

// A writer adds, with each revision, the two people whose ids name the revision before.
const addedPerStore = 15

func addTwo(ctx context.Context, s directory.Store) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		before, err := tx.Head(ctx)
		if err != nil {
			return err
		}
		one, two := added(before.Revision)
		tx.Log(entry("test.add"))
		return put(ctx, tx, user(one), user(two))
	})
}

func added(before portal.Revision) (one, two portal.UserID) {
	n := strconv.FormatUint(uint64(before), 10)
	return portal.UserID("one" + n), portal.UserID("two" + n)
}

// Whoever reads at a position finds everything that was committed up to it, all of each
// revision, and nothing later; and the position is not before what was acknowledged
// when the call began, through whichever store.
func prefixes(t *testing.T, stores []directory.Store) {
	start := head(t, stores[0])
	var acknowledged atomic.Uint64
	acknowledged.Store(uint64(start.Revision))
	end := start.Revision + portal.Revision(addedPerStore*len(stores))
	var readers sync.WaitGroup
	for i := range 2 * len(stores) {
		s := stores[i%len(stores)]
		readers.Go(func() {
			for at := start; at.Revision < end && !t.Failed(); {
				at = readPrefix(t, s, at, end, portal.Revision(acknowledged.Load()))
			}
		})
	}
	errs := parallel(len(stores), func(i int) error {
		for range addedPerStore {
			p, err := addTwo(t.Context(), stores[i])
			if err != nil {
				return err
			}
			for old := acknowledged.Load(); old < uint64(p.Revision) && !acknowledged.CompareAndSwap(old, uint64(p.Revision)); {
				old = acknowledged.Load()
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err) // and the readers stop
	}
	readers.Wait()
}

// readPrefix follows the feed from at, and reads the facts of everybody who is added
// from the position it leads to until the end.
func readPrefix(t *testing.T, s directory.Store, at portal.Position, end, acknowledged portal.Revision) portal.Position {
	changes, next, err := s.Changes(t.Context(), at, 1000)
	if err != nil || next.Revision < acknowledged {
		t.Errorf("after %v, when %d was acknowledged: %v, %v", at, acknowledged, next, err)
		return at
	}
	var want []directory.Change
	for before := at.Revision; before < next.Revision; before++ {
		one, two := added(before)
		want = append(want, directory.Change{Revision: before + 1, Kind: directory.ChangedUser, User: one},
			directory.Change{Revision: before + 1, Kind: directory.ChangedUser, User: two})
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes after %v up to %v:\n%s", at, next, diff)
	}
	var keys []portal.FactKey
	for before := at.Revision; before < end; before++ {
		one, two := added(before)
		keys = append(keys, key("", one), key("", two))
	}
	facts, p, err := s.Facts(t.Context(), keys)
	if err != nil || p.Revision < next.Revision {
		t.Errorf("facts at %v, which the feed had passed at %v: %v", p, next, err)
		return at
	}
	for i, f := range facts {
		if there, due := f.User.Status != "", at.Revision+portal.Revision(i/2) < p.Revision; there != due {
			t.Errorf("at %v: %s is there: %v", p, keys[i].Subject.ID, there)
		}
	}
	return next
}
