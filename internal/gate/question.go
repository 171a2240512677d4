package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// A Query says which facts a question needs, and how fresh. The zero value of
// everything but Keys is the careful one.
type Query struct {
	Keys []portal.FactKey
	// Bounded tells that every guard of the question is of a bounded category, so that
	// it may be answered from memory for a while after the lease has ended (R9).
	Bounded bool
	// Min is the position that the asker has seen (R15). Zero: none.
	Min portal.Mark
	// Policy is what was promoted that the asker will judge by: taken
	// before Read is called (R13).
	Policy portal.Promoted
}

// A Reply is what a question may be answered from.
type Reply struct {
	Facts    []portal.Facts  // in the order of the keys
	Position portal.Position // all of them were true at it
	Now      Moment          // what to judge times by (R12)
	// FromMemory tells that the directory was not asked.
	FromMemory bool
}

// maxLooks is how often memory is looked at again because it changed meanwhile.
const maxLooks = 3

// Read finds the facts of a question, true together. Errors are ErrNotReady, ErrStale,
// ErrPolicyMoved, ErrFactsUnavailable, ErrRevisionNotReached, and ctx's.
func (g *Gate) Read(ctx context.Context, q Query) (Reply, error) {
	for range maxLooks {
		reply, seen := g.look(q, true)
		if seen == found {
			g.reads.counts.memory.Add(1)
			return reply, nil
		}
		if seen == nothing {
			break
		}
	}
	if g.borrow(ctx, q) {
		if reply, seen := g.look(q, g.rules.Keeps(rule.LentUnderLease)); seen == found {
			g.reads.counts.shared.Add(1)
			return reply, nil
		}
	}
	reply, err := g.consult(ctx, q)
	if err != nil {
		g.reads.counts.failed.Add(1)
	} else {
		g.reads.counts.directory.Add(1)
	}
	return reply, err
}

// What look saw.
type seen int

const (
	nothing seen = iota
	changed      // while it looked
	found
)

// look answers from memory, if that may be done: with all rules, it always needs a lease.
func (g *Gate) look(q Query, leased bool) (Reply, seen) {
	taken := g.standing.Load() // R5: before anything is looked up
	if !g.reaches(q, taken.position) || !g.judgesBy(q, taken.policy) {
		return Reply{}, nothing
	}
	all := make([]portal.Facts, len(q.Keys))
	for i, key := range q.Keys {
		var ok bool
		if all[i], ok = g.memory.Lookup(key); !ok {
			return Reply{}, nothing
		}
	}
	now, at := g.clock.Now(), g.standing.Load()
	if !g.rules.Keeps(rule.SameLease) {
		taken = at
	}
	if leased && !taken.lease.holds(now, g.grace(q), g.rules) { // R5: that same lease
		return Reply{}, nothing
	}
	if at.generation != taken.generation {
		return Reply{}, changed
	}
	return Reply{Facts: all, Position: taken.position, Now: taken.time.moment(now, g.rules), FromMemory: true}, found
}

// grace is how long after the end of a lease the question may use memory (R9).
func (g *Gate) grace(q Query) time.Duration {
	if q.Bounded || !g.rules.Keeps(rule.Strict) {
		return g.staleness
	}
	return 0
}

// reached tells whether at is no earlier than the asker demands (R15).
func reached(demanded portal.Mark, at portal.Position) bool {
	return at.Revision > demanded.Revision || demanded.Marks(at)
}

// consult answers from a read of the directory that began after the question came.
func (g *Gate) consult(ctx context.Context, q Query) (Reply, error) {
	taken, now := g.standing.Load(), g.clock.Now()
	leased, until := taken.lease.holds(now, 0, g.rules), now.Mono+Patience
	if (leased || !g.rules.Keeps(rule.Confirmed)) && g.judgesBy(q, taken.policy) {
		reply, good, err := g.readLeased(ctx, q, taken, until)
		if err != nil {
			return Reply{}, g.unanswered(ctx, q, leased, err)
		}
		if good {
			return reply, nil
		}
	}
	reply, err := g.readConfirmed(ctx, q, until)
	if err != nil {
		return Reply{}, g.unanswered(ctx, q, leased, err)
	}
	return reply, nil
}

// readLeased reads while a lease holds: what the feed has told says whether the read is
// good. It may come from a database that a failover has left behind.
func (g *Gate) readLeased(ctx context.Context, q Query, taken *standing, until time.Duration) (Reply, bool, error) {
	r, err := g.reads.read(ctx, q.Keys, false, until)
	if err != nil {
		return Reply{}, false, err
	}
	at, current := g.admit(q.Keys, r.Found)
	now := g.clock.Now()
	good := current && taken.lease.holds(now, 0, g.rules) && // R5: the lease that was taken before
		(r.Era == taken.era || !g.rules.Keeps(rule.LeaseHistory)) // and of what it was given for
	good = good || !g.rules.Keeps(rule.Confirmed)
	return Reply{Facts: r.Facts, Position: at, Now: r.clocked().moment(now, g.rules)}, good && g.reaches(q, at), nil
}

// readConfirmed reads without the help of a lease: the directory proves that what it
// read comes from a database that could still commit then (R9, R11).
func (g *Gate) readConfirmed(ctx context.Context, q Query, until time.Duration) (Reply, error) {
	r, err := g.reads.read(ctx, q.Keys, true, until)
	if err != nil {
		return Reply{}, err
	}
	at := r.Position
	if position, current := g.admit(q.Keys, r.Found); current {
		at = position
	}
	if !g.judgesBy(q, r.Policy) {
		return Reply{}, ErrPolicyMoved
	}
	if !g.reaches(q, at) {
		return Reply{}, ErrRevisionNotReached // there is no later one
	}
	return Reply{Facts: r.Facts, Position: at, Now: r.clocked().moment(g.clock.Now(), g.rules)}, nil
}

// judgesBy tells whether the asker took the policy that goes with the facts. It took it
// before, perhaps at a time when this process had no lease and did not know better.
func (g *Gate) judgesBy(q Query, promoted portal.Promoted) bool {
	return q.Policy == promoted || !g.rules.Keeps(rule.PolicyToo) // R13
}

func (g *Gate) reaches(q Query, at portal.Position) bool {
	return reached(q.Min, at) || !g.rules.Keeps(rule.Minimum)
}

// unanswered says why a question whose read failed has no answer.
func (g *Gate) unanswered(ctx context.Context, q Query, leased bool, err error) error {
	at := g.standing.Load()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrRevisionNotReached), errors.Is(err, ErrPolicyMoved):
		return err
	case at.era == "":
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	case !reached(q.Min, at.position):
		return fmt.Errorf("%w: %w", ErrRevisionNotReached, err)
	case leased:
		return fmt.Errorf("%w: %w", ErrFactsUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ErrStale, err)
}

// Record keeps what has to reach the directory of answers, before they are given: with
// an error none must be (R16).
func (g *Gate) Record(data ...[]byte) error {
	switch {
	case !g.rules.Keeps(rule.Spooled):
		return nil
	case g.spool == nil:
		return ErrSpoolFull
	}
	return g.spool.Add(data...)
}
