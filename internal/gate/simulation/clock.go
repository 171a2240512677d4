package simulation

import (
	"context"
	"time"

	"doorward/internal/gate"
)

// epoch is true time 0.
var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clock is a gate.Clock of a process.
type clock struct{ *process }

// Now reads the clocks. A goroutine may be held up before it looks and after, while the
// rest of its process goes on.
func (c clock) Now() gate.Reading {
	c.stall()
	now := c.reading()
	c.stall()
	return now
}

func (c clock) reading() gate.Reading {
	passed := c.w.now - c.started - c.slept
	return gate.Reading{
		Mono: passed + passed*time.Duration(c.ppm)/1e6,
		Wall: epoch.Add(c.w.now + c.wall),
	}
}

func (c clock) stall() {
	if c.w.current != nil && c.w.oneIn(c.stalls) {
		c.hold(c.w.between(0, 20*time.Millisecond) << c.w.rand.IntN(8))
	}
}

// Wait is woken by the signal, by the monotonic clock, or early.
func (c clock) Wait(_ context.Context, signal <-chan struct{}, d time.Duration) {
	select {
	case <-signal:
		return
	default:
	}
	c.w.park(signal, func(wake func()) { c.w.after(d-d*time.Duration(c.ppm)/1e6, c.process, wake) })
}
