package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
)

// common is a shared cache that gives back what it was given last, whatever became of it.
type common struct {
	mu    sync.Mutex
	kept  map[portal.FactKey]gate.Found
	finds int
}

func (c *common) Find(_ context.Context, era gate.Era, keys []portal.FactKey) []gate.Found {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finds++
	all := make([]gate.Found, len(keys))
	for i, key := range keys {
		all[i] = c.kept[key]
	}
	return all
}

func (c *common) Keep(keys []portal.FactKey, f gate.Found) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[portal.FactKey]gate.Found{}
	}
	for i, key := range keys {
		c.kept[key] = gate.Found{Facts: f.Facts[i : i+1], Position: f.Position, Era: f.Era}
	}
}

// change replaces what is kept of user 0.
func (c *common) change(change func(*gate.Found)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.kept[user(0)]
	change(&f)
	c.kept[user(0)] = f
}

func user(n int) portal.FactKey { return simulation.Key(n) }

// shared is a world in which one gate has read user 0 for others, and the one that is asked.
func shared(t *testing.T, c gate.Config) (*world, *common, *gate.Gate) {
	w, cache := newWorld(t), &common{}
	w.memory.Put(0, true)
	c.Shared = cache
	first := w.gate(true, c)
	other := w.gate(true, c)
	time.Sleep(40 * time.Second)
	if allowed, _, err := w.active(first, 0, gate.Query{}); !allowed || err != nil {
		t.Fatal(allowed, err)
	}
	w.near.reads.Store(0)
	return w, cache, other
}

// What one gate has read the others need not, as long as it is true at what they have
// applied (R8, R10).
func TestAGateBorrowsWhatAnotherHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cache, g := shared(t, gate.Config{})
		for range 2 {
			if allowed, r, err := w.active(g, 0, gate.Query{}); !allowed || err != nil || !r.FromMemory || r.Position != g.Status().Position {
				t.Error(allowed, r, err)
			}
		}
		if n := w.near.reads.Load(); n != 0 || cache.finds != 2 {
			t.Errorf("%d reads, %d finds", n, cache.finds) // one find of each gate
		}
	})
}

// A shared cache that goes back in time, is ahead, or is of another life of the database
// changes no answer: the directory is asked (R8, R10, R11).
func TestWhatASharedCacheHasIsJudged(t *testing.T) {
	for name, change := range map[string]func(*gate.Found){
		"of before a change":                   func(*gate.Found) {},
		"of another era":                       func(f *gate.Found) { f.Position.Revision, f.Era = f.Position.Revision+3, "another" },
		"of another era, at the same revision": func(f *gate.Found) { f.Era = "" },
		"ahead":                                func(f *gate.Found) { f.Position.Revision += 1000 },
		"without facts":                        func(f *gate.Found) { f.Facts = nil },
		"with the facts of two keys":           func(f *gate.Found) { f.Facts = append(f.Facts, f.Facts...) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, cache, g := shared(t, gate.Config{})
				cache.change(change)
				if o := w.enforce(0, false); !o.Enforced {
					t.Fatalf("%+v", o)
				}
				if allowed, r, err := w.active(g, 0, gate.Query{}); allowed || err != nil || r.FromMemory || w.near.reads.Load() != 1 {
					t.Errorf("allowed %v, %+v, %v, %d reads", allowed, r, err, w.near.reads.Load())
				}
			})
		})
	}
}

// A question that may not be answered from memory is not answered from a shared cache
// either: a strict one without a lease (R9), one that demands more (R15), and one that
// would judge by another policy (R13). A bounded one may be, for as long as from memory.
func TestWhoMayBorrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, cache, g := shared(t, gate.Config{Staleness: 10 * time.Second})
		w.near.broken.Store(true)
		head := g.Status().Position
		finds := cache.finds
		for _, q := range []gate.Query{{Min: portal.Mark{Revision: head.Revision + 1}}, {Policy: portal.Promoted{At: 1, Digest: "other"}}} {
			if _, _, err := w.active(g, 0, q); err == nil {
				t.Errorf("%+v is answered", q)
			}
		}
		time.Sleep(2 * gate.DefaultLease)
		if _, _, err := w.active(g, 0, gate.Query{}); !errors.Is(err, gate.ErrStale) {
			t.Error(err)
		}
		if cache.finds != finds {
			t.Error("a shared cache was asked for what memory must not answer")
		}
		if allowed, r, err := w.active(g, 0, gate.Query{Bounded: true}); !allowed || err != nil || !r.FromMemory {
			t.Error(allowed, r, err)
		}
		time.Sleep(10 * time.Second)
		if _, _, err := w.active(g, 0, gate.Query{Bounded: true}); !errors.Is(err, gate.ErrStale) {
			t.Error(err)
		}
	})
}
