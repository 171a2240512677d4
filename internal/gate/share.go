package gate

import (
	"context"
	"fmt"

	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// A Shared is a cache of facts that several gates share (R10). It is no authority: what it
// gives back may be as old as it likes, and goes through the same door as everything that
// is put in memory (R8). That it is the directory's own is for the Shared to see to.
type Shared interface {
	// Find looks for what is kept of keys in the history of an era. There is one Found for
	// each key, without facts when it has none; of a Found only facts, position and era
	// count. It fails by finding nothing, and soon.
	Find(ctx context.Context, era Era, keys []portal.FactKey) []Found
	// Keep is told of facts that were read of the directory. It returns at once.
	Keep(keys []portal.FactKey, f Found)
}

// borrow puts in memory what the shared cache has of a question's facts, if the question
// may be answered from memory at all. It tells whether memory is worth another look: that
// look takes a lease of its own and judges as if nobody had been asked (R5).
func (g *Gate) borrow(ctx context.Context, q Query) bool {
	at := g.standing.Load()
	if g.shared == nil || !g.reaches(q, at.position) || !g.judgesBy(q, at.policy) {
		return false
	}
	if !at.lease.holds(g.clock.Now(), g.grace(q), g.rules) && g.rules.Keeps(rule.LentUnderLease) {
		return false
	}
	missing := make([]portal.FactKey, 0, len(q.Keys))
	for _, key := range q.Keys {
		if _, known := g.memory.Lookup(key); !known {
			missing = append(missing, key)
		}
	}
	all := g.shared.Find(ctx, at.era, missing)
	if len(all) != len(missing) {
		return false
	}
	for i, f := range all {
		if !g.offer(missing[i:i+1], f) {
			return false // the directory is asked for all of them, in one snapshot
		}
	}
	return true
}

// A SharingKey is what gates seal entries of a shared cache with. The directory makes them,
// each with a higher number than those before, and hands the last ones to its gates (R10).
type SharingKey struct {
	Number uint64
	Secret Secret
}

// A Secret shows itself to nobody who prints or logs it.
type Secret [32]byte

// Format implements fmt.Formatter.
func (Secret) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("secret")) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte("secret"), nil }
