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

// grace is how long barriers wait yet for gates whose rows may be missing (R11).
func (k *Keeper) grace(now time.Duration) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.rules.Keeps(rule.Grace) {
		return 0
	}
	return k.since + k.longest + k.margin - now
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
