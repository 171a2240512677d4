package simulation

import (
	"testing"

	"doorward/internal/gate/barrier/storetest"
	"doorward/internal/portal"
)

// What the protocol is simulated with keeps the contract that real stores keep.
func TestTheStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Fixture {
		m := NewMemory()
		return storetest.Fixture{
			Store: m, Other: m, Key: Key,
			Put:     func(_ *testing.T, user int, active bool) portal.Position { return m.Put(user, active) },
			Promote: func(*testing.T) portal.Position { return m.Promote() },
		}
	})
}
