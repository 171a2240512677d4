package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
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
		donor := s.cache.donor(ctx, names)
		for _, name := range names {
			if s.cache.forge(ctx, name, donor, r) == nil {
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

// donor is an entry of somebody who has a right; nil: there is none.
func (c *cache) donor(ctx context.Context, names []string) []byte {
	for _, name := range names {
		value, err := c.client.Get(ctx, name).Bytes()
		if err == nil && bytes.Contains(value, []byte(`"state":"active"`)) {
			return value
		}
	}
	return nil
}

// forge edits one entry: a bit is another, it says of its person what the donor says of
// somebody else, or it is of another type.
func (c *cache) forge(ctx context.Context, name string, donor []byte, r *rand.Rand) error {
	kind := r.IntN(4)
	if kind == 0 {
		if err := c.client.Del(ctx, name).Err(); err != nil {
			return err
		}
		return c.client.RPush(ctx, name, "you", "may", "everything").Err()
	}
	entry, err := c.client.Get(ctx, name).Bytes()
	if err != nil {
		return err
	}
	edited := disguised(donor, entry)
	if kind == 1 || bytes.Equal(edited, entry) || donor == nil {
		edited = bytes.Clone(entry)
		edited[r.IntN(len(edited))] ^= 1 << r.IntN(8)
	}
	return c.client.Set(ctx, name, edited, redis.KeepTTL).Err()
}

// named is where an entry says whom it is about.
var named = regexp.MustCompile(`"account":"[^"]*","subject":\["[a-z]*","[^"]*"\]`)

// disguised is an entry as of its own time that gives its person what the donor has.
func disguised(donor, entry []byte) []byte {
	facts := []byte(`"facts":`)
	head, _, ok := bytes.Cut(entry, facts)
	_, tail, also := bytes.Cut(donor, facts)
	if !ok || !also {
		return entry
	}
	return slices.Concat(head, facts, named.ReplaceAllLiteral(tail, named.Find(entry)))
}
