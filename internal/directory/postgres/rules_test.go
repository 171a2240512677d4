package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// rules are those of the freshness protocol that rest on the order of steps in the database:
// as the store keeps them, and with each taken out.
var rules = []struct {
	says string
	kept bool
	try  func(*scene) error
}{
	{"R1 as it is", true, func(s *scene) error { return s.follow(s.one, s.other) }},
	{"R1 without the turn, by the head row", true, func(s *scene) error { return s.begin(`repeatable read`).follow(s.one, s.other) }},
	{"R1: revisions of a sequence", false, func(s *scene) error {
		return s.follow(postgres.Numbered{Store: s.one}, postgres.Numbered{Store: s.other})
	}},
	{"R2 as it is", true, func(s *scene) error { return s.ask(s.one.Gates()) }},
	{"R2: the feed before the row", false, func(s *scene) error { return s.ask(&feedFirst{Store: s.one.Gates()}) }},
	{"R2: both in one transaction", false, func(s *scene) error { return s.ask(&postgres.AskAtOnce{Gates: s.one.Gates()}) }},
	{"R8 as it is", true, func(s *scene) error { return s.read(s.one.Gates()) }},
	{"R8: the position in a later transaction", false, func(s *scene) error { return s.read(positionLater{s.one.Gates()}) }},
	{"R8: one transaction, many snapshots", false, func(s *scene) error { return s.read(postgres.ManySnapshots{Gates: s.one.Gates()}) }},
	{"R14 as it is", true, func(s *scene) error { return s.remove(act) }},
	{"R14 without the turn, by the head row", true, func(s *scene) error { return s.begin(`repeatable read`).remove(act) }},
	{"R14: without the turn, and new snapshots", false, func(s *scene) error { return s.begin(`read committed`).remove(act) }},
	{"R14: authorized in an earlier transaction", false, func(s *scene) error { return s.remove(lookThenAct) }},
}

// The promises hold, and each way to break one is noticed.
func TestRules(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.says, func(t *testing.T) {
			t.Parallel()
			err := rule.try(newScene(t, server.DSN, ""))
			if rule.kept && err != nil {
				t.Error(err)
			}
			if !rule.kept && !errors.Is(err, errBroken) {
				t.Errorf("got %v: it is not noticed", err)
			}
		})
	}
}

func TestRulesThroughPooler(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	for _, rule := range rules {
		if !rule.kept {
			continue
		}
		t.Run(rule.says, func(t *testing.T) {
			t.Parallel()
			if err := rule.try(newScene(t, p.DSN, " default_query_exec_mode=exec")); err != nil {
				t.Error(err)
			}
		})
	}
}

var errBroken = errors.New("the promise is broken")

// R1: whoever follows the feed is told of every change, and no revision is missing.
func (s *scene) follow(one, other directory.Store) error {
	for n := 0; ; n++ {
		start, err := s.other.Head(s.t.Context())
		if err != nil {
			return err
		}
		at, told := start, map[portal.UserID]bool{}
		feed := func() {
			changes, to, err := s.other.Changes(s.t.Context(), at, 1000)
			for _, c := range changes {
				told[c.User] = true
			}
			at = s.must(to, err)
		}
		early, late := portal.UserID(fmt.Sprint("early", n)), portal.UserID(fmt.Sprint("late", n))
		s.before(n, func() { s.must(addUser(s.t.Context(), other, late)); feed() })
		if _, err := addUser(s.t.Context(), one, early); err != nil {
			return err
		}
		if !s.happened() {
			return nil
		}
		if feed(); !told[early] || !told[late] || at.Revision != start.Revision+2 {
			return fmt.Errorf("%w: request %d: told of %v, from %v to %v", errBroken, n, told, start, at)
		}
	}
}

// R2: if a change is called enforced although a gate is asking, the gate has been told of
// it, or gets no lease.
func (s *scene) ask(store barrier.Store) error {
	asked, err := barrier.New(barrier.Config{Store: store, Clock: gate.NewClock()})
	changed, err2 := barrier.New(barrier.Config{Store: s.other.Gates(), Clock: gate.NewClock(), Patience: 1})
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	seen := map[bool]bool{}
	for n := 0; ; n++ {
		who := gate.Instance(fmt.Sprint("gate", n))
		after, err := s.other.Head(s.t.Context())
		if err != nil {
			return err
		}
		var at portal.Position
		var outcome barrier.Outcome
		s.before(n, func() {
			at = s.must(addUser(s.t.Context(), s.other, portal.UserID(who)))
			var err error
			outcome, err = changed.Enforce(s.t.Context(), barrier.Done{At: at, Committed: true})
			s.must(at, err)
		})
		answer, err := asked.Ask(s.t.Context(), gate.Ask{Instance: who, After: after, Term: gate.DefaultLease})
		if err != nil {
			return err
		}
		if !s.happened() {
			return bothWays(seen)
		}
		if outcome.Enforced && answer.Lease && answer.To.Revision < at.Revision {
			return fmt.Errorf("%w: request %d: %+v at %v, and a lease at %v", errBroken, n, outcome, at, answer.To)
		}
		seen[outcome.Enforced] = true
		if err := s.other.Gates().Leave(s.t.Context(), who); err != nil {
			return err
		}
	}
}

// bothWays is an error unless things went one way and the other.
func bothWays(seen map[bool]bool) error {
	if len(seen) < 2 {
		return fmt.Errorf("it only ever went one way: %v", seen)
	}
	return nil
}

// feedFirst has no R2: it reads what changed, and then commits the row.
type feedFirst struct {
	barrier.Store
	feed barrier.Feed
}

func (f *feedFirst) Touch(ctx context.Context, row barrier.Row, after portal.Position) (touched barrier.Touched, err error) {
	if f.feed, err = f.Store.Feed(ctx, after, 1000, 1000); err != nil {
		return touched, err
	}
	return f.Store.Touch(ctx, row, after)
}

func (f *feedFirst) Feed(context.Context, portal.Position, int, int) (barrier.Feed, error) {
	return f.feed, nil
}

// R8, R13: facts are what was true at their position, and so is the policy they are of.
func (s *scene) read(store barrier.Store) error {
	seen := map[bool]bool{}
	for n := 0; ; n++ {
		who := portal.UserID(fmt.Sprint("user", n))
		if _, err := addUser(s.t.Context(), s.other, who); err != nil {
			return err
		}
		var at portal.Position
		s.before(n, func() { at = s.must(disable(s.t.Context(), s.other, who, fmt.Sprintf("%064x", n))) })
		got, err := store.Facts(s.t.Context(), []portal.FactKey{of(who)})
		if err != nil {
			return err
		}
		if !s.happened() {
			return bothWays(seen)
		}
		disabled, promoted := got.Facts[0].User.Status == portal.UserDisabled, got.Policy.At == at.Revision
		if due := got.Position.Revision >= at.Revision; disabled != due || promoted != due {
			return fmt.Errorf("%w: request %d: at %v, and read at %v: disabled %v, promoted %v", errBroken, n, at, got.Position, disabled, promoted)
		}
		seen[disabled] = true
	}
}

func of(who portal.UserID) portal.FactKey {
	return portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: string(who)}}
}

// disable disables a user, and promotes a policy of some digests.
func disable(ctx context.Context, s directory.Store, who portal.UserID, digests ...string) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put", Object: "user:" + string(who)})
		for _, digest := range digests {
			if err := tx.PutPolicy(ctx, directory.Promotion{Digest: digest, Bundle: []byte("bundle")}); err != nil {
				return err
			}
		}
		return tx.PutUser(ctx, portal.User{ID: who, Status: portal.UserDisabled})
	})
}

// positionLater has no R8: it reads the facts, and then the position.
type positionLater struct{ barrier.Store }

func (p positionLater) Facts(ctx context.Context, keys []portal.FactKey) (gate.Found, error) {
	found, err := p.Store.Facts(ctx, keys)
	if err != nil {
		return found, err
	}
	later, err := p.Store.Facts(ctx, nil)
	found.Position = later.Position
	return found, err
}

// R14: what somebody does who is removed meanwhile is committed before the removal, or not
// at all.
func (s *scene) remove(verb func(context.Context, directory.Store, portal.UserID) (portal.Position, error)) error {
	seen := map[bool]bool{}
	for n := 0; ; n++ {
		if _, err := addUser(s.t.Context(), s.other, "ben"); err != nil {
			return err
		}
		var removed portal.Position
		s.before(n, func() { removed = s.must(disable(s.t.Context(), s.other, "ben")) })
		at, err := verb(s.t.Context(), s.one, portal.UserID(fmt.Sprint("new", n)))
		if err != nil && !errors.Is(err, errMayNot) {
			return err
		}
		if !s.happened() {
			return bothWays(seen)
		}
		if err == nil && at.Revision > removed.Revision {
			return fmt.Errorf("%w: request %d: removed at %v, and did it at %v", errBroken, n, removed, at)
		}
		seen[err == nil] = true
	}
}

var errMayNot = errors.New("whoever acts may not")

// may tells whether ben may.
func may(ctx context.Context, r directory.Reader) error {
	facts, _, err := r.Facts(ctx, []portal.FactKey{of("ben")})
	if err == nil && facts[0].User.Status != portal.UserActive {
		err = errMayNot
	}
	return err
}

// act adds a user in ben's name.
func act(ctx context.Context, s directory.Store, id portal.UserID) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		if err := may(ctx, tx); err != nil {
			return err
		}
		tx.Log(audit.Entry{Actor: "user:ben", Action: "user.put", Object: "user:" + string(id)})
		return tx.PutUser(ctx, portal.User{ID: id, Status: portal.UserActive})
	})
}

// lookThenAct has no R14: it reads what ben may in another transaction.
func lookThenAct(ctx context.Context, s directory.Store, id portal.UserID) (portal.Position, error) {
	if err := may(ctx, s); err != nil {
		return portal.Position{}, err
	}
	return addUser(ctx, s, id)
}
