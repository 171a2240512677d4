package facts

import "sync/atomic"

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
type cells[K comparable, V any] struct{ *table[K, *cell[V]] }

// fill sets what is known of k and returns its cell.
func (c cells[K, V]) fill(k K, v V) *cell[V] {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.entries[k]
	if !ok {
		s.makeRoom(c.perShard, empty[V])
		known = new(cell[V])
		s.entries[k] = known
	}
	known.value.Store(&v)
	return known
}

// drop empties the cell of k. It stays in the table for those who point to it:
// filled again, it serves them all.
func (c cells[K, V]) drop(k K) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.entries[k]; ok {
		empty(known)
	}
}

// clear empties the table and every cell in it.
func (c cells[K, V]) clear() { c.clearEach(empty[V]) }

func empty[V any](c *cell[V]) { c.value.Store(nil) }
