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
type table[K comparable, V any] struct {
	seed     maphash.Seed
	perShard int
	shards   [shards]shard[K, V]
}

type shard[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]V
	_       [64]byte // keeps neighbours' locks off one cache line
}

// newTable makes a table of at most about size entries.
func newTable[K comparable, V any](size int) *table[K, V] {
	t := &table[K, V]{seed: maphash.MakeSeed(), perShard: max(1, size/shards)}
	t.clear()
	return t
}

func (t *table[K, V]) shard(k K) *shard[K, V] {
	return &t.shards[maphash.Comparable(t.seed, k)%shards]
}

func (t *table[K, V]) get(k K) (V, bool) {
	s := t.shard(k)
	s.mu.RLock()
	v, ok := s.entries[k]
	s.mu.RUnlock()
	return v, ok
}

// put sets the entry of k.
func (t *table[K, V]) put(k K, v V) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.entries[k]; !known {
		s.makeRoom(t.perShard, func(V) {})
	}
	s.entries[k] = v
}

// makeRoom evicts an arbitrary entry when there are size of them. The shard is
// locked.
func (s *shard[K, V]) makeRoom(size int, evicted func(V)) {
	if len(s.entries) < size {
		return
	}
	for k, v := range s.entries {
		delete(s.entries, k)
		evicted(v)
		return
	}
}

func (t *table[K, V]) drop(k K) {
	s := t.shard(k)
	s.mu.Lock()
	delete(s.entries, k)
	s.mu.Unlock()
}

func (t *table[K, V]) clear() { t.clearEach(func(V) {}) }

// clearEach empties the table and hands over every entry it had.
func (t *table[K, V]) clearEach(cleared func(V)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, v := range s.entries {
			cleared(v)
		}
		s.entries = make(map[K]V)
		s.mu.Unlock()
	}
}

func (t *table[K, V]) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}
