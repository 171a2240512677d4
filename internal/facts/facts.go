// Package facts answers what the directory knows of an account and a subject,
// from memory where that is provably as fresh as reading the directory.
//
// It knows neither policy nor HTTP, and of the directory only what Source asks.
// Its invariant: whatever Read returns was true in the directory, all of it at
// the one position that is returned, and no commit acknowledged before Read was
// called is missing from it.
package facts

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A Source is the directory as the cache needs it.
type Source interface {
	Head(ctx context.Context) (portal.Position, error)
	Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error)
	Changes(ctx context.Context, after portal.Position, limit int) ([]directory.Change, portal.Position, error)
	// Stamp returns a value that differs from every earlier one if anything was
	// committed in between, by whichever process.
	Stamp() directory.Stamp
}

// Options of a Cache. The zero value is usable.
type Options struct {
	// MaxEntries bounds how many memberships are remembered, and likewise users,
	// accounts and contacts. 0: DefaultMaxEntries.
	MaxEntries int
	// Registerer takes the cache's metrics. nil: none are kept.
	Registerer prometheus.Registerer
}

// DefaultMaxEntries bounds a cache whose Options do not say.
const DefaultMaxEntries = 1_000_000

// maxCatchUp is how many changes are applied one by one; when more have
// happened, forgetting everything is cheaper.
const maxCatchUp = 10_000

// A Cache remembers facts. It is used by many goroutines.
//
// Presence is validity (design R8): every entry is true at the applied position,
// because applying a change deletes the entries it names, and an entry is only
// put in if it was read at exactly the applied position. A reader who finds the
// Source's stamp unmoved knows that the applied position is the head; one who
// finds the applied pointer unmoved after looking knows that everything found
// was true together.
type Cache struct {
	source  Source
	memory  *Memory
	metrics metrics

	applied  atomic.Pointer[applied] // nil: nothing is known to be valid
	applying sync.RWMutex            // written while entries are deleted, read while they are put in
}

// applied says up to where changes were applied, and what the stamp was before
// they were read. When more was committed meanwhile, the stamp is old already and
// the position may have more in it than the stamp says.
type applied struct {
	stamp     directory.Stamp
	position  portal.Position
	overtaken bool
}

// NewCache makes an empty cache over source.
func NewCache(source Source, o Options) *Cache {
	size := o.MaxEntries
	if size <= 0 {
		size = DefaultMaxEntries
	}
	c := &Cache{source: source, memory: NewMemory(Bound{Entries: size})}
	c.metrics = newMetrics(o.Registerer, c)
	return c
}

// Read returns the facts of key and the position they were true at. Its error is
// the Source's.
func (c *Cache) Read(ctx context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	at, err := c.current(ctx)
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	f, ok := c.memory.Lookup(key)
	if ok && c.applied.Load() == at {
		c.metrics.hits.Inc()
		return f, at.position, nil
	}
	all, position, err := c.readThrough(ctx, []portal.FactKey{key})
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	return all[0], position, nil
}

// ReadAll returns the facts of every key, in order, all true at one position.
func (c *Cache) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	at, err := c.current(ctx)
	if err != nil {
		return nil, portal.Position{}, err
	}
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		f, ok := c.memory.Lookup(key)
		if !ok {
			return c.readThrough(ctx, keys)
		}
		all[i] = f
	}
	if c.applied.Load() != at {
		return c.readThrough(ctx, keys)
	}
	c.metrics.hits.Add(float64(len(keys)))
	return all, at.position, nil
}

// readThrough reads all keys from the source, in one snapshot begun now, and
// remembers them if no change came between.
func (c *Cache) readThrough(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all, position, err := c.source.Facts(ctx, keys)
	if err != nil {
		return nil, portal.Position{}, err
	}
	c.metrics.misses.Add(float64(len(keys)))
	c.remember(keys, all, position)
	return all, position, nil
}

// remember puts in facts read at position, unless another position is applied.
func (c *Cache) remember(keys []portal.FactKey, all []portal.Facts, position portal.Position) {
	c.applying.RLock()
	defer c.applying.RUnlock()
	if at := c.applied.Load(); at == nil || at.position != position {
		return
	}
	for i, key := range keys {
		c.memory.Remember(key, &all[i])
	}
}

// current returns what is applied once nothing committed before the call is
// missing from it.
func (c *Cache) current(ctx context.Context) (*applied, error) {
	if at := c.applied.Load(); at != nil && at.stamp == c.source.Stamp() {
		return at, nil
	}
	return c.catchUp(ctx)
}

// catchUp applies what was committed since. The stamp is read before the changes
// are, so a commit in between only costs another, empty, catching up.
func (c *Cache) catchUp(ctx context.Context) (*applied, error) {
	c.applying.Lock()
	defer c.applying.Unlock()
	stamp, was := c.source.Stamp(), c.applied.Load()
	if was != nil && was.stamp == stamp {
		return was, nil
	}
	// Until this is done nothing found in memory may be believed. After a failure
	// what is left in memory is still true at the old position, and the old stamp
	// keeps it from being believed.
	c.applied.Store(nil)
	position, err := c.apply(ctx, was)
	if err != nil {
		c.applied.Store(was)
		return nil, err
	}
	now := &applied{stamp: stamp, position: position, overtaken: c.source.Stamp() != stamp}
	c.applied.Store(now)
	return now, nil
}

// errForget tells apply's caller nothing; it only marks that changes cannot be
// followed one by one.
var errForget = errors.New("too much has changed")

// apply deletes the entries named by changes since was, and returns the position
// that leads to.
func (c *Cache) apply(ctx context.Context, was *applied) (portal.Position, error) {
	position, err := c.follow(ctx, was)
	if errors.Is(err, errForget) {
		c.forget()
		return c.source.Head(ctx)
	}
	return position, err
}

// follow applies changes batch by batch until there are none left: only then is
// the position the head, which is what the stamp vouches for.
func (c *Cache) follow(ctx context.Context, was *applied) (portal.Position, error) {
	if was == nil {
		return portal.Position{}, errForget
	}
	position := was.position
	for followed := 0; followed < maxCatchUp; {
		changes, next, err := c.source.Changes(ctx, position, maxCatchUp)
		switch {
		case errors.Is(err, directory.ErrForeignPosition):
			return portal.Position{}, errForget
		case err != nil:
			return portal.Position{}, err
		case len(changes) == 0 && position == was.position && !was.overtaken:
			// Something was written that is no commit of the directory's: by hand.
			return portal.Position{}, errForget
		case len(changes) == 0:
			return position, nil
		}
		for _, change := range changes {
			c.memory.Drop(change)
		}
		c.metrics.applied.Add(float64(len(changes)))
		followed += len(changes)
		position = next
	}
	return portal.Position{}, errForget
}

// forget empties the cache.
func (c *Cache) forget() {
	c.memory.Forget()
	c.metrics.forgotten.Inc()
}
