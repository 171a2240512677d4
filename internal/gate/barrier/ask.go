package barrier

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// Ask answers a gate (R2). The order of its steps is the protocol: the gate's row is
// committed, and only then, in a new snapshot, head and changes are read. So a change
// that was committed before the row is in the answer, and the barrier of one that was
// committed after it finds the row.
func (k *Keeper) Ask(ctx context.Context, ask gate.Ask) (gate.Answer, error) {
	if ask.Term > k.longest {
		return gate.Answer{}, fmt.Errorf("%w: %v, at most %v", ErrTerm, ask.Term, k.longest)
	}
	came := k.clock.Now().Mono
	stored := k.keep(ctx, ask)
	feed, err := k.rowThenFeed(ctx, ask, came)
	if err != nil {
		return gate.Answer{}, err
	}
	k.sighted(ask.Instance, came)
	return gate.Answer{
		Instance: ask.Instance, Number: ask.Number, From: feed.From, To: feed.To, Changes: feed.Changes, Head: feed.Head,
		Lease: k.lease(ctx, &feed, came), Era: feed.Era, Time: feed.Time, Policy: feed.Policy, Stored: stored,
	}, nil
}

// rowThenFeed does the two steps, in their order.
func (k *Keeper) rowThenFeed(ctx context.Context, ask gate.Ask, came time.Duration) (feed Feed, err error) {
	if !k.rules.Keeps(rule.RowFirst) {
		if feed, err = k.follow(ctx, ask, came); err != nil {
			return Feed{}, err
		}
		return feed, k.touch(ctx, ask, came)
	}
	if err := k.touch(ctx, ask, came); err != nil {
		return Feed{}, err
	}
	return k.follow(ctx, ask, came)
}

// keep keeps the records that came with an ask and says up to where it has them (R16).
// That it cannot is no reason to refuse a lease: the gate's spool fills up then, and only
// sensitive actions are refused.
func (k *Keeper) keep(ctx context.Context, ask gate.Ask) (stored uint64) {
	if len(ask.Records) == 0 {
		return 0
	}
	if err := k.store.Keep(ctx, ask.Spool, ask.Records); err != nil {
		k.report(fmt.Errorf("keep the records of gate %q: %w", ask.Label, err))
		return 0
	}
	return ask.Records[len(ask.Records)-1].Seq
}

// touch commits the gate's row, unless it says all that already.
func (k *Keeper) touch(ctx context.Context, ask gate.Ask, came time.Duration) error {
	row := Row{Instance: ask.Instance, Label: ask.Label, Policy: ask.Policy, Term: ask.Term}
	touched, err := k.store.Touch(ctx, row, ask.After)
	if err != nil {
		return fmt.Errorf("keep the row of gate %q: %w", ask.Label, err)
	}
	k.saw(touched.Era)
	if touched.Wrote {
		k.prove(touched.Era, came)
	}
	return nil
}

// follow reads what comes after the gate's position, and waits for something to come.
func (k *Keeper) follow(ctx context.Context, ask gate.Ask, came time.Duration) (feed Feed, err error) {
	window := k.window
	if ask.After == (portal.Position{}) && 0 < ask.Window && ask.Window < uint64(window) {
		window = int(ask.Window) // it joins, and has no use for more
	}
	for {
		heard := k.hear()
		if feed, err = k.store.Feed(ctx, ask.After, k.changes, window); err != nil {
			return Feed{}, fmt.Errorf("read what came after %v: %w", ask.After, err)
		}
		k.saw(feed.Era)
		left := came + ask.Wait - k.clock.Now().Mono
		if feed.From != ask.After || feed.To != ask.After || left <= 0 {
			return feed, nil
		}
		if err := k.pause(ctx, heard, left); err != nil {
			return Feed{}, err
		}
	}
}

// lease tells whether an answer may carry a lease: only if the database that was read
// has committed something that began after the ask came. A primary that a failover left
// behind goes on answering reads, and would give leases on an old head for ever.
//
// Changes are answered at once: the ask that acknowledges them commits something.
func (k *Keeper) lease(ctx context.Context, feed *Feed, came time.Duration) bool {
	if !k.rules.Keeps(rule.Proof) {
		return true
	}
	return k.proved(feed.Era, came) || len(feed.Changes) == 0 && k.Pulse(ctx) == nil && k.proved(feed.Era, came)
}

// Leave gives the lease of a process back.
func (k *Keeper) Leave(ctx context.Context, who gate.Instance) error {
	if err := k.store.Leave(ctx, who); err != nil {
		return fmt.Errorf("delete the row of a gate that leaves: %w", err)
	}
	return nil
}

// Facts reads facts for a gate. Confirmed, they come from a database that has committed
// something after the call began.
func (k *Keeper) Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (found gate.Found, err error) {
	read := func(ctx context.Context) (gate.Era, error) {
		found, err = k.store.Facts(ctx, keys)
		return found.Era, err
	}
	if !confirmed {
		era, err := read(ctx)
		if err != nil {
			return gate.Found{}, fmt.Errorf("read facts: %w", err)
		}
		k.saw(era)
		return found, nil
	}
	if err := k.Confirm(ctx, read); err != nil {
		return gate.Found{}, fmt.Errorf("read facts: %w", err)
	}
	found.Confirmed = true
	return found, nil
}

// Confirm calls read, which says from the database of which era it has read. It is
// ErrUnconfirmed unless that database has committed something after the call began.
func (k *Keeper) Confirm(ctx context.Context, read func(context.Context) (gate.Era, error)) error {
	came := k.clock.Now().Mono
	era, err := read(ctx)
	if err != nil {
		return err
	}
	k.saw(era)
	if k.proved(era, came) {
		return nil
	}
	if err := k.Pulse(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnconfirmed, err)
	}
	if !k.proved(era, came) {
		return ErrUnconfirmed
	}
	return nil
}
