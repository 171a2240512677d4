// Package shared is a cache of facts in Redis that the gates of one directory share
// (design R10): each finds there what another has read.
//
// It knows neither leases nor which facts are current: whatever it finds goes through the
// gate's door (R8). Its invariants: nothing is found but what a gate of this directory
// sealed for that very key in that very life of the database, unchanged; whatever else
// Redis holds, answers or leaves unanswered is counted and found nothing; and no question
// waits longer than Wait for it.
package shared

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// Bounds of the cache.
const (
	// Wait is how long a question waits for Redis, at most.
	Wait = 20 * time.Millisecond
	// Pause is how long Redis is not asked after it failed.
	Pause = time.Second

	maxFinds = 64       // at the same time; a question beyond them asks the directory
	maxFills = 1024     // reads that wait to be written; the next are dropped
	maxValue = 64 << 10 // bytes of an entry
	fillWait = time.Second
)

// TTL is how long entries are kept at most. That they are true is not a matter of time; it
// only bounds what Redis has to hold. What there is not (nobody, no membership) is kept for
// a quarter of it: anybody can ask for any number of such.
const TTL = 10 * time.Minute

// A Config makes a Cache.
type Config struct {
	Server  Server
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none
}

// A Cache finds and keeps facts in Redis. It is used by many goroutines. Until it has keys
// it does nothing.
type Cache struct {
	client  redis.UniversalClient
	keys    atomic.Pointer[Keys]
	metrics *metrics
	finding *health
	filling *health
	finds   chan struct{} // room for those under way
	same    singleflight.Group
	fills   chan fill
}

var _ gate.Shared = (*Cache)(nil)

// A fill is what was read and is to be written.
type fill struct {
	keys  []portal.FactKey
	found gate.Found
}

// New makes a Cache. It connects when it is used first; the files of the Server have to be
// there.
func New(c Config) (*Cache, error) {
	client, err := c.Server.connect()
	if err != nil {
		return nil, err
	}
	return &Cache{
		client: client, metrics: newMetrics(c.Metrics), finding: newHealth("find", c.Log, patientFinds), filling: newHealth("fill", c.Log, patientFills),
		finds: make(chan struct{}, maxFinds), fills: make(chan fill, maxFills),
	}, nil
}

// Close ends all connections.
func (c *Cache) Close() error { return c.client.Close() }

// Use has entries sealed and opened with keys from now on.
func (c *Cache) Use(keys Keys) { c.keys.Store(&keys) }

// Find implements gate.Shared. Questions that look for the same at the same time share an
// answer, also one under way: what is found is judged after it came.
func (c *Cache) Find(ctx context.Context, era gate.Era, keys []portal.FactKey) []gate.Found {
	ring := c.keys.Load()
	if ring == nil || len(keys) == 0 {
		return nil
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = Name(era, key)
	}
	values := c.values(ctx, names)
	if values == nil {
		return nil
	}
	all, opener := make([]gate.Found, len(keys)), Sealer{Keys: *ring}
	for i, value := range values {
		var result string
		all[i], result = opener.Open(names[i], value, keys[i], era)
		c.metrics.finds.WithLabelValues(result).Inc()
	}
	return all
}

// values are what Redis has under names, "" for nothing; nil when it cannot be asked.
func (c *Cache) values(ctx context.Context, names []string) []string {
	if c.finding.resting() {
		c.metrics.finds.WithLabelValues(skipped).Inc()
		return nil
	}
	answer := c.same.DoChan(strings.Join(names, ""), func() (any, error) {
		select {
		case c.finds <- struct{}{}:
			defer func() { <-c.finds }()
		default:
			c.metrics.finds.WithLabelValues(skipped).Inc()
			return []string(nil), nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Wait)
		defer cancel()
		values, err := c.get(ctx, names)
		c.finding.heard(ctx, err)
		if err != nil {
			c.metrics.finds.WithLabelValues(failed).Inc()
		}
		return values, nil
	})
	late := time.NewTimer(Wait)
	defer late.Stop()
	select {
	case a := <-answer:
		values, _ := a.Val.([]string)
		return values
	case <-ctx.Done():
	case <-late.C:
	}
	return nil
}

// get asks for one name, or for several in one pipeline: in a cluster each may live
// elsewhere.
func (c *Cache) get(ctx context.Context, names []string) ([]string, error) {
	commands := make([]*redis.StringCmd, len(names))
	_, refused := c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			commands[i] = p.Get(ctx, name)
		}
		return nil
	})
	values := make([]string, len(names))
	for i, command := range commands {
		value, err := command.Result()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			value = noEntry // somebody's: no reason to rest
		case err == nil && value == "" && refused != nil && !errors.Is(refused, redis.Nil): // not asked: a sign-in that Redis refuses is no command's error
			return nil, fmt.Errorf("sign in: %w", refused)
		case err != nil && !errors.Is(err, redis.Nil):
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

// A Held is what the cache holds for a key, for an operator.
type Held struct {
	Result string     // as metrics call it: "found", "missing", "forged" …
	Found  gate.Found // if it is found
}

// Look says what the cache holds for each key, however long Redis takes to say it.
func (c *Cache) Look(ctx context.Context, era gate.Era, keys []portal.FactKey) ([]Held, error) {
	opener, names := Sealer{Keys: *c.keys.Load()}, make([]string, len(keys))
	for i, key := range keys {
		names[i] = Name(era, key)
	}
	ctx, cancel := context.WithTimeout(ctx, fillWait)
	defer cancel()
	values, err := c.get(ctx, names)
	if err != nil {
		return nil, shown{err}
	}
	all := make([]Held, len(keys))
	for i, value := range values {
		all[i].Found, all[i].Result = opener.Open(names[i], value, keys[i], era)
	}
	return all, nil
}

// noEntry is malformed.
const noEntry = "?"

// Keep implements gate.Shared. What there is no room for is not kept.
func (c *Cache) Keep(keys []portal.FactKey, f gate.Found) {
	if c.keys.Load() == nil || c.filling.resting() || len(keys) != len(f.Facts) {
		return
	}
	select {
	case c.fills <- fill{keys, f}:
	default:
		c.metrics.fills.WithLabelValues(dropped).Inc()
	}
}

// Run writes what was read until ctx ends.
func (c *Cache) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-c.fills:
			if c.filling.resting() {
				c.metrics.fills.WithLabelValues(dropped).Inc()
				continue
			}
			c.write(ctx, f)
		}
	}
}

func (c *Cache) write(ctx context.Context, f fill) {
	n, err := c.Write(ctx, f.keys, f.found)
	result := written
	if c.filling.heard(ctx, err); err != nil {
		result = failed
	}
	c.metrics.fills.WithLabelValues(result).Add(float64(n))
	c.metrics.fills.WithLabelValues(unfit).Add(float64(len(f.keys) - n))
}

// Write writes entries and says how many are fit to be. One that is older than what is
// there takes its place: the door refuses it, and the next read writes a newer one.
func (c *Cache) Write(ctx context.Context, keys []portal.FactKey, found gate.Found) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, fillWait)
	defer cancel()
	sealer := Sealer{Keys: *c.keys.Load()}
	_, err = c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			name := Name(found.Era, key)
			value, err := sealer.Seal(name, key, found.Facts[i], found)
			if err != nil || len(value) > maxValue {
				continue
			}
			p.Set(ctx, name, value, lifetime(found.Facts[i]))
			n++
		}
		return nil
	})
	if err != nil {
		err = shown{err}
	}
	return n, err
}

// lifetime is how long an entry is kept: with some chance in it, so that entries which were
// written together do not end together.
func lifetime(f portal.Facts) time.Duration {
	ttl := TTL
	if f.Contact == nil && f.Membership.State == "" {
		ttl /= 4
	}
	return ttl - rand.N(ttl/4)
}
