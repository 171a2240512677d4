package facts

import (
	"hash/maphash"
	"sync"
)

// shards is how many independently locked parts a table has; enough that a lock
// is seldom waited for on the machines a sidecar runs on.
const shards = 64

// A table is a bounded map for many goroutines. When a shard is full, putting
// evicts an arbitrary entry: cheaper per entry than keeping an order, and an
// evicted entry costs one read of the directory.
type table[V any] struct {
	seed     maphash.Seed
	perShard int
	shards   [shards]shard[V]
}

type shard[V any] struct {
	mu      sync.RWMutex
	entries map[string]V
	_       [64]byte // keeps neighbours' locks off one cache line
}

// newTable makes a table of at most about size entries.
func newTable[V any](size int) *table[V] {
	t := &table[V]{seed: maphash.MakeSeed(), perShard: max(1, size/shards)}
	t.clear()
	return t
}

func (t *table[V]) shard(k []byte) *shard[V] {
	return &t.shards[maphash.Bytes(t.seed, k)%shards]
}

// get takes bytes, so that a key made for looking up need not outlive it.
func (t *table[V]) get(k []byte) (V, bool) {
	s := t.shard(k)
	s.mu.RLock()
	v, ok := s.entries[string(k)]
	s.mu.RUnlock()
	return v, ok
}

// put sets the entry of k.
func (t *table[V]) put(k []byte, v V) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.entries[string(k)]; !known {
		s.makeRoom(t.perShard, func(V) {})
	}
	s.entries[string(k)] = v
}

// makeRoom evicts an arbitrary entry when there are size of them. The shard is
// locked.
func (s *shard[V]) makeRoom(size int, evicted func(V)) {
	if len(s.entries) < size {
		return
	}
	for k, v := range s.entries {
		delete(s.entries, k)
		evicted(v)
		return
	}
}

func (t *table[V]) drop(k []byte) {
	s := t.shard(k)
	s.mu.Lock()
	delete(s.entries, string(k))
	s.mu.Unlock()
}

func (t *table[V]) clear() { t.clearEach(func(V) {}) }

// clearEach empties the table and hands over every entry it had.
func (t *table[V]) clearEach(cleared func(V)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, v := range s.entries {
			cleared(v)
		}
		s.entries = make(map[string]V)
		s.mu.Unlock()
	}
}

func (t *table[V]) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}
