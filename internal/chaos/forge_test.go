package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// fewEntries are too few to edit: Redis was emptied a moment ago.
const fewEntries = 4

// forged edits every entry in Redis, as somebody who wants to hold more would, and then
// kills a sidecar: it has to look there for all that it is asked.
func forged(ctx context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
	n := 0
	err := eventually(ctx, "entries are edited", func() bool {
		names, err := s.cache.names(ctx)
		if err != nil || len(names) < fewEntries {
			return false
		}
		for i, name := range names {
			if s.cache.forge(ctx, name, names[(i+1)%len(names)], r) == nil {
				n++
			}
		}
		return true
	})
	if err != nil {
		return "", nil, err
	}
	s.counts.add(injected, n)
	s.mu.Lock()
	s.injected += n
	s.mu.Unlock()
	p := s.sidecars[r.IntN(sidecars)]
	p.broken.Lock()
	defer p.broken.Unlock()
	s.tally(p)
	if err := p.end(syscall.SIGKILL); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("%d, then kill -9 of %s", n, p.name), nil, p.start(context.Background())
}

// forge edits one entry: a byte is another, it is that of somebody else, or it is of
// another type.
func (c *cache) forge(ctx context.Context, name, other string, r *rand.Rand) error {
	switch r.IntN(3) {
	case 0:
		value, err := c.client.Get(ctx, name).Bytes()
		if err != nil || len(value) == 0 {
			return nothingThere(err)
		}
		value[r.IntN(len(value))] ^= 1 << r.IntN(8)
		return c.client.Set(ctx, name, value, redis.KeepTTL).Err()
	case 1:
		one, err := c.client.Get(ctx, name).Bytes()
		if err != nil || name == other {
			return nothingThere(err)
		}
		two, err := c.client.Get(ctx, other).Bytes()
		if err != nil {
			return err
		}
		if err := c.client.Set(ctx, name, two, redis.KeepTTL).Err(); err != nil {
			return err
		}
		return c.client.Set(ctx, other, one, redis.KeepTTL).Err()
	}
	if err := c.client.Del(ctx, name).Err(); err != nil {
		return err
	}
	return c.client.RPush(ctx, name, "you", "may", "everything").Err()
}

// nothingThere is err, or that there was nothing to edit.
func nothingThere(err error) error {
	if err != nil {
		return err
	}
	return redis.Nil
}
