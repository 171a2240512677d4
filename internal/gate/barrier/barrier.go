// Package barrier is the directory's side of the promise that a removed person is
// refused everywhere: it answers gates, and says when a change is in force at all of
// them (design section 5, rules R1, R2, R6, R7, R11 and R16).
//
// It knows no HTTP and no SQL; a Store and a clock are given to it, it starts no
// goroutine, and another directory can go on where it stops. Its invariant: when it
// says enforced, no gate can answer from facts without that change any more.
package barrier

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// Terms of a directory when its Config does not say.
const (
	DefaultMargin   = 300 * time.Millisecond
	DefaultLongest  = gate.DefaultLease + gate.DefaultStaleness
	DefaultPatience = 10 * time.Second
)

// A Config makes a Keeper.
type Config struct {
	Store Store
	Clock gate.Clock
	// Margin is what barriers wait besides, for clocks of different speed. 0: DefaultMargin.
	Margin time.Duration
	// Longest is the longest Term of a gate: after a failover rows may be missing, and
	// that is what barriers wait then. 0: DefaultLongest. Making it shorter takes two
	// steps: first the gates, then, once none has the old term, the directories.
	Longest time.Duration
	// Patience is when a barrier answers that it is not done yet. 0: DefaultPatience.
	Patience time.Duration
	// Changes is how many changes go with one answer, at most. 0: 10,000.
	Changes int
	// Window is how many changes a gate is told when it joins. 0: gate.Window.
	Window int
	// Idle is how long a row stays as it is before Sweep marks it. 0: ten minutes.
	Idle time.Duration
	// Report takes errors that keep nobody from an answer. nil: nobody is told.
	Report func(error)
	// Random makes marks. nil: crypto/rand.
	Random io.Reader
	// Rules is for the simulation; nobody else can set it.
	Rules rule.Set
}

// A Keeper keeps the rows of the gates for one directory process. It is used by many
// goroutines.
type Keeper struct {
	store                     Store
	clock                     gate.Clock
	margin, longest, patience time.Duration
	changes, window           int
	idle                      time.Duration
	report                    func(error)
	random                    io.Reader
	rules                     rule.Set
	watched                   map[watch]time.Duration // only Sweep looks

	mu    sync.Mutex
	era   gate.Era      // of the database as it was seen last
	since time.Duration // when that era was seen first, by our monotonic clock
	proof proof
	news  chan struct{} // closed when something may have been committed
	begun map[portal.Position]time.Duration
	asked map[gate.Instance]time.Duration // when each was last given an answer here
}

// New makes a Keeper for a directory process that starts now.
func New(c Config) (*Keeper, error) {
	k := &Keeper{
		store: c.Store, clock: c.Clock, report: c.Report, random: c.Random, rules: c.Rules,
		margin: cmp.Or(c.Margin, DefaultMargin), longest: cmp.Or(c.Longest, DefaultLongest), patience: cmp.Or(c.Patience, DefaultPatience),
		changes: cmp.Or(c.Changes, 10_000), window: cmp.Or(c.Window, gate.Window), idle: cmp.Or(c.Idle, 10*time.Minute),
		news: make(chan struct{}), begun: make(map[portal.Position]time.Duration),
		asked: make(map[gate.Instance]time.Duration),
	}
	if k.random == nil {
		k.random = rand.Reader
	}
	if k.report == nil {
		k.report = func(error) {}
	}
	if k.margin < k.longest/gate.Drift {
		return nil, fmt.Errorf("a margin of %v is too short for terms of %v: clocks may differ by 1/%d of it", k.margin, k.longest, gate.Drift)
	}
	return k, nil
}

// News says that something may have been committed, here or by another process. It only
// saves time.
func (k *Keeper) News() {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.news)
	k.news = make(chan struct{})
}

// pause waits for d at most, or until there is news after heard was taken.
func (k *Keeper) pause(ctx context.Context, heard <-chan struct{}, d time.Duration) error {
	k.clock.Wait(ctx, heard, d)
	return ctx.Err()
}

func (k *Keeper) hear() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.news
}
