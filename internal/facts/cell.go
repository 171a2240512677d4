package facts

import (
	"sync"
	"sync/atomic"
)

// A cell holds what is known of one account or user, or nothing. All entries of
// its members point to it, so that one change of an account with a thousand
// members empties one cell.
type cell[V any] struct{ value atomic.Pointer[V] }

// read copies what is known to v, and tells whether anything is. The nil cell
// knows nothing.
func (c *cell[V]) read(v *V) bool {
	if c == nil {
		return false
	}
	known := c.value.Load()
	if known == nil {
		return false
	}
	*v = *known
	return true
}

// cells are a bounded table of cells. Their invariant: a cell that is not in the
// table is empty for good, for no change would reach it any more. That is why a
// cell is filled only under its shard's lock, and emptied under it when it is
// evicted.
type cells[V comparable] struct {
	*table[*cell[V]]
	shared sync.Map // V → *V: a million accounts have three statuses
}

func newCells[V comparable](size int, weigh func(*cell[V]) int) *cells[V] {
	return &cells[V]{table: newTable(size, weigh)}
}

// share returns the one copy of v that cells point to.
func (c *cells[V]) share(v V) *V {
	if kept, ok := c.shared.Load(v); ok {
		return kept.(*V)
	}
	kept, _ := c.shared.LoadOrStore(v, &v)
	return kept.(*V)
}

// fill sets what is known of k and returns its cell.
func (c *cells[V]) fill(k []byte, v V) *cell[V] {
	value := c.share(v)
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.entries[string(k)]
	if !ok {
		known = new(cell[V])
		c.add(s, string(k), known, empty[V])
	}
	known.value.Store(value)
	return known
}

// drop empties the cell of k. It stays in the table for those who point to it:
// filled again, it serves them all.
func (c *cells[V]) drop(k []byte) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.entries[string(k)]; ok {
		empty(known)
	}
}

// clear empties the table and every cell in it.
func (c *cells[V]) clear() { c.clearEach(empty[V]) }

func empty[V any](c *cell[V]) { c.value.Store(nil) }
