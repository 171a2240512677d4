package barrier

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
)

// saw notes from which database something came (R11). In one that was not seen before,
// also at the start of this process, rows of gates may be missing.
func (k *Keeper) saw(era gate.Era) {
	now := k.clock.Now().Mono
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.era != era {
		k.era, k.since = era, now
	}
}

// grace is how long barriers wait yet for gates whose rows may be missing (R11): none in
// the era of these rows, once somebody has waited in it.
func (k *Keeper) grace(rows Rows, now time.Duration) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case rows.Settled, !k.rules.Keeps(rule.Grace):
		return 0
	case k.era != rows.Era: // seen meanwhile by another call: whichever is over
		return k.longest + k.margin
	}
	return k.since + k.longest + k.margin - now
}

// settle says that nothing is to be waited for any more in an era, once this process has
// seen it for as long as gates may know better from before: whoever has a lease then has
// asked in it, and has a row.
func (k *Keeper) settle(ctx context.Context, rows Rows, now time.Duration) error {
	if rows.Settled || k.grace(rows, now) > 0 && k.rules.Keeps(rule.Settled) {
		return nil
	}
	if err := k.store.Settle(ctx, rows.Era); err != nil {
		return fmt.Errorf("settle the era: %w", err)
	}
	return nil
}

// A proof says that the database of an era has committed something that began no
// earlier than began: until then no other had taken its place.
type proof struct {
	era   gate.Era
	began time.Duration
}

func (k *Keeper) prove(era gate.Era, began time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.proof.era != era || k.proof.began < began {
		k.proof = proof{era, began}
	}
}

func (k *Keeper) proved(era gate.Era, since time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.proof.era == era && k.proof.began >= since
}

// Pulse commits something small, so that asks which wait need not each do it: called
// some times in the length of a lease, it makes idle gates cost no commits of their own.
func (k *Keeper) Pulse(ctx context.Context) error {
	began := k.clock.Now().Mono
	era, err := k.store.Pulse(ctx)
	if err != nil {
		return fmt.Errorf("commit a pulse: %w", err)
	}
	k.saw(era)
	k.prove(era, began)
	return nil
}
