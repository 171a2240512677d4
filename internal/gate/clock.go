package gate

import (
	"context"
	"time"
)

// A Reading is one look at a machine's two clocks.
type Reading struct {
	// Mono is the monotonic clock: time since some moment before this process asked
	// anything. It stands still while the machine sleeps.
	Mono time.Duration
	// Wall is what the machine believes the time is. It may jump.
	Wall time.Time
}

// since returns how long ago earlier was by each clock.
func (r Reading) since(earlier Reading) (mono, wall time.Duration) {
	return r.Mono - earlier.Mono, r.Wall.Sub(earlier.Wall)
}

// A Clock is what the machines need of time. They wait nowhere else but in it and in
// calls of the directory or its database.
type Clock interface {
	Now() Reading
	// Wait returns when signal is closed, when d has passed on the monotonic clock, or
	// when ctx has ended; it may return early. A nil signal is never closed.
	Wait(ctx context.Context, signal <-chan struct{}, d time.Duration)
}

// NewClock returns the clock of this machine.
func NewClock() Clock { return system{started: time.Now()} }

type system struct{ started time.Time }

// Now reads both clocks at once: time.Now has the monotonic one in it.
func (s system) Now() Reading {
	now := time.Now()
	return Reading{Mono: now.Sub(s.started), Wall: now.Round(0)}
}

func (s system) Wait(ctx context.Context, signal <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-signal:
	case <-timer.C:
	case <-ctx.Done():
	}
}
