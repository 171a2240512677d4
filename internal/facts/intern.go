package facts

import (
	"encoding/binary"
	"sync"
	"time"

	"doorward/internal/portal"
)

// maxGrants bounds the interner. Portals have a handful of distinct grants;
// beyond the bound, grants are simply not shared.
const maxGrants = 1 << 16

// An interner keeps one copy of each distinct grant, because a million members
// hold a few dozen different ones.
type interner struct {
	mu     sync.Mutex
	grants map[string]*portal.Grant
}

// intern returns the kept grant equal to g.
func (n *interner) intern(g *portal.Grant) *portal.Grant {
	if g == nil {
		return nil
	}
	key := grantKey(g)
	n.mu.Lock()
	defer n.mu.Unlock()
	if kept, ok := n.grants[key]; ok {
		return kept
	}
	if n.grants == nil {
		n.grants = make(map[string]*portal.Grant)
	}
	if len(n.grants) < maxGrants {
		n.grants[key] = g
	}
	return g
}

func (n *interner) clear() {
	n.mu.Lock()
	n.grants = nil
	n.mu.Unlock()
}

// grantKey encodes a grant so that only equal grants have equal keys: every
// list is preceded by its length, every text by its own.
func grantKey(g *portal.Grant) string {
	b := make([]byte, 0, 128)
	for _, list := range [][]string{g.Presets, g.Categories} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendText(b, s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(g.Scope)))
	for _, r := range g.Scope {
		b = appendText(appendText(b, r.Type), r.ID)
	}
	return string(appendTime(appendTime(b, g.NotBefore), g.NotAfter))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendTime tells the zero time from the epoch.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(t.UnixMicro()))
}
