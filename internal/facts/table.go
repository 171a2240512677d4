package facts

import (
	"hash/maphash"
	"sync"
)

// shards is how many independently locked parts a table has; enough that a lock
// is seldom waited for on the machines a sidecar runs on.
const shards = 64

// A table is a bounded map for many goroutines. When a shard is full, putting
// evicts arbitrary entries: cheaper per entry than keeping an order, and an
// evicted entry costs one read of the directory.
type table[V any] struct {
	seed     maphash.Seed
	perShard int // what the entries of a shard may weigh
	weigh    func(V) int
	shards   [shards]shard[V]
}

type shard[V any] struct {
	mu      sync.RWMutex
	entries map[string]V
	weight  int
	_       [64]byte // keeps neighbours' locks off one cache line
}

// newTable makes a table whose entries weigh at most about size. A nil weigh weighs
// each as 1; otherwise an entry weighs as much as it says and the bytes of its key.
func newTable[V any](size int, weigh func(V) int) *table[V] {
	t := &table[V]{seed: maphash.MakeSeed(), perShard: max(1, size/shards), weigh: weigh}
	t.clear()
	return t
}

func (t *table[V]) weight(k string, v V) int {
	if t.weigh == nil {
		return 1
	}
	return len(k) + t.weigh(v)
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

// put sets the entry of k. One that weighs more than a shard may hold is left out.
func (t *table[V]) put(k []byte, v V) {
	s := t.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.take(s, string(k), func(V) {})
	if t.weight(string(k), v) <= t.perShard {
		t.add(s, string(k), v, func(V) {})
	}
}

// add puts in an entry that is not there, once others have made room for it. The
// shard is locked.
func (t *table[V]) add(s *shard[V], k string, v V, evicted func(V)) {
	weight := t.weight(k, v)
	for other := range s.entries {
		if s.weight+weight <= t.perShard {
			break
		}
		t.take(s, other, evicted)
	}
	s.entries[k] = v
	s.weight += weight
}

// take removes the entry of k, if it is there, and hands it over. The shard is
// locked.
func (t *table[V]) take(s *shard[V], k string, taken func(V)) {
	if v, ok := s.entries[k]; ok {
		delete(s.entries, k)
		s.weight -= t.weight(k, v)
		taken(v)
	}
}

func (t *table[V]) drop(k []byte) {
	s := t.shard(k)
	s.mu.Lock()
	t.take(s, string(k), func(V) {})
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
		s.entries, s.weight = make(map[string]V), 0
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
