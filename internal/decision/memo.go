package decision

import (
	"sync"

	"doorward/internal/policy/rules"
)

// MemoSize bounds how many outcomes are remembered for one action. Inputs are
// reduced so far that an action has tens of them; only an action with a wide
// declared request path comes near the bound.
const MemoSize = 1024

// A memo remembers the outcomes of one action under one policy by the canonical
// input. Its zero value is empty.
type memo struct {
	mu       sync.RWMutex
	outcomes map[string]*rules.Outcome
}

// get returns the outcome remembered under key, or nil.
func (m *memo) get(key []byte) *rules.Outcome {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.outcomes[string(key)]
}

// put remembers an outcome; when full, in the place of an arbitrary other.
func (m *memo) put(key []byte, outcome *rules.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.outcomes == nil {
		m.outcomes = make(map[string]*rules.Outcome)
	}
	if len(m.outcomes) >= MemoSize {
		for other := range m.outcomes {
			delete(m.outcomes, other)
			break
		}
	}
	m.outcomes[string(key)] = outcome
}

func (m *memo) len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.outcomes)
}
