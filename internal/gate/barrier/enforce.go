package barrier

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// Done is what a call did that may have taken a right away.
type Done struct {
	// At is the position of its commit. A call that takes a right away commits something
	// even when it finds the right gone, if only its line in the trail (R7): whoever took
	// it may be waiting still, or have died, and what a call has only read may come from
	// a database that a failover has left behind.
	At portal.Position
	// Committed tells that the caller has committed At itself. Who only asks whether a
	// position is enforced by now has not.
	Committed bool
	// Added tells that it provably only added rights (R7; ADR 13 says what that is). The
	// zero value waits.
	Added bool
}

// An Outcome says what is in force where.
type Outcome struct {
	// Enforced tells that no gate can answer from facts without the change any more.
	// When it is false the change is committed, and whether it is enforced by then is
	// told by asking again for the same position, of any directory.
	Enforced bool
	// Waived tells that nothing was waited for, so nothing is promised: the change adds.
	Waived bool
	After  time.Duration // since the commit, as far as this process knows
	Gates  int           // those that may have held a lease then
	// Of these have acknowledged the change, were waited for until nothing that they
	// knew could count any more, or have left.
	Acknowledged, WaitedFor, Left int
}

// Enforce waits until what a call has done is in force at every gate, or answers after
// a while that it is not yet (R6, R7). It is called after the commit.
func (k *Keeper) Enforce(ctx context.Context, done Done) (Outcome, error) {
	if done.Added { // R7: adding rights does not wait
		return Outcome{Waived: true}, nil
	}
	if !done.Committed && k.rules.Keeps(rule.Durable) {
		if err := k.Pulse(ctx); err != nil { // what came before a commit is as durable as that
			return Outcome{}, fmt.Errorf("make sure that the position is not lost again: %w", err)
		}
	}
	came := k.clock.Now().Mono // R6: by our own clock, after the commit
	b := barrier{at: done.At, begun: k.begin(done.At, came)}
	for {
		rows, err := k.store.Rows(ctx, done.At) // R6: a new snapshot, after the commit
		if err != nil {
			return Outcome{}, fmt.Errorf("read which gates may hold leases: %w", err)
		}
		k.saw(rows.Era)
		if !rows.Held && k.rules.Keeps(rule.Held) { // R11
			k.end(done.At)
			return Outcome{}, ErrLost
		}
		left := k.judge(&b, rows)
		waited := b.begun + b.outcome.After - came
		if left <= 0 || waited >= k.patience {
			k.finish(ctx, &b)
			return b.outcome, nil
		}
		if err := k.pause(ctx, k.hear(), min(left, max(pollRows, waited/8), k.patience-waited)); err != nil {
			return Outcome{}, err
		}
	}
}

// pollRows is how often a barrier looks, at first, whether gates have acknowledged, to
// whichever directory.
const pollRows = 2 * time.Millisecond

// A barrier is one wait for the gates.
type barrier struct {
	at      portal.Position
	begun   time.Duration
	waits   map[gate.Instance]bool // those that have to be waited for
	silent  []gate.Instance        // those that were waited for in vain
	outcome Outcome
}

// judge looks at the rows and says how long there is to wait yet. Gates whose rows are
// not in the first look need not be waited for: their rows were committed after the
// change, so it is in the first answer they get (R2).
func (k *Keeper) judge(b *barrier, all Rows) (left time.Duration) {
	now, rows := k.clock.Now().Mono, all.Rows
	if b.waits == nil {
		b.waits = make(map[gate.Instance]bool, len(rows))
		for _, row := range rows {
			b.waits[row.Instance] = true
		}
		b.outcome.Gates = len(rows)
	}
	present := 0
	for _, row := range rows {
		if !b.waits[row.Instance] {
			continue
		}
		rest := b.begun + k.term(row) + k.margin - now
		switch {
		case row.Acknowledged >= b.at.Revision:
			b.outcome.Acknowledged++
			delete(b.waits, row.Instance)
		case rest <= 0 || !k.rules.Keeps(rule.WaitOut):
			b.outcome.WaitedFor++
			b.silent = append(b.silent, row.Instance)
			delete(b.waits, row.Instance)
		default:
			present++
			left = max(left, rest)
		}
	}
	b.left(rows, present)
	left = max(left, k.grace(all, now))
	b.outcome.After, b.outcome.Enforced = now-b.begun, left <= 0
	return left
}

// left strikes out those whose rows are gone: they have left, or were deleted after
// they had been silent for their term. A row that a failover lost is waited for by the
// grace.
func (b *barrier) left(rows []Row, present int) {
	if len(b.waits) == present {
		return
	}
	there := make(map[gate.Instance]bool, len(rows))
	for _, row := range rows {
		there[row.Instance] = true
	}
	for who := range b.waits {
		if !there[who] {
			b.outcome.Left++
			delete(b.waits, who)
		}
	}
}

// term is how long a gate may answer from what it knows, from asking on (R9).
func (k *Keeper) term(row Row) time.Duration {
	if !k.rules.Keeps(rule.WaitTerm) {
		return gate.DefaultLease
	}
	return row.Term
}

// begin says when the barrier for a position began, now at the latest. Asked again, it
// goes on from there.
func (k *Keeper) begin(at portal.Position, now time.Duration) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if begun, ok := k.begun[at]; ok {
		return begun
	}
	if len(k.begun) < maxBegun {
		k.begun[at] = now
	}
	return now
}

// maxBegun bounds how many barriers are remembered that nobody asks for any more.
// Beyond it asking again waits anew.
const maxBegun = 1024

func (k *Keeper) end(at portal.Position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.begun, at)
}

// finish marks the rows of those who are silent, so that the next barrier need not wait
// for them too.
func (k *Keeper) finish(ctx context.Context, b *barrier) {
	if b.outcome.Enforced {
		k.end(b.at)
	}
	for _, who := range b.silent {
		if err := k.mark(ctx, who); err != nil {
			k.report(err)
		}
	}
}
