package barrier

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A Sighting is what operators are shown of a gate.
type Sighting struct {
	Row
	// Here tells that it has asked this directory, Ago how long ago it did so last. One
	// that never has may ask another.
	Here bool
	Ago  time.Duration
}

// Gates are all gates that may answer from what they know, by instance.
func (k *Keeper) Gates(ctx context.Context) ([]Sighting, error) {
	rows, err := k.store.Rows(ctx, portal.Position{})
	if err != nil {
		return nil, fmt.Errorf("read the rows of gates: %w", err)
	}
	k.saw(rows.Era)
	now := k.clock.Now().Mono
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]Sighting, len(rows.Rows))
	for i, row := range rows.Rows {
		asked, here := k.asked[row.Instance]
		all[i] = Sighting{Row: row, Here: here}
		if here {
			all[i].Ago = now - asked
		}
	}
	return all, nil
}

func (k *Keeper) sighted(who gate.Instance, at time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked[who] = max(k.asked[who], at)
}

// lostSight forgets those that have no row any more.
func (k *Keeper) lostSight(rows []Row) {
	there := make(map[gate.Instance]bool, len(rows))
	for _, row := range rows {
		there[row.Instance] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for who := range k.asked {
		if !there[who] {
			delete(k.asked, who)
		}
	}
}
