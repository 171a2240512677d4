package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// reads bounds how much the directory is asked at once: questions that miss at the same
// time share a read. A question joins a read that has not begun, never one under way,
// so that every read it is answered from began after it came (R9).
type reads struct {
	directory Directory
	clock     Clock
	shared    Shared // nil: what is read is not shared
	rules     rule.Set
	lanes     [lanes]lane
	counts    struct{ memory, shared, directory, failed atomic.Uint64 } // questions
}

const (
	lanes   = 16  // how many reads may be under way
	maxKeys = 256 // of one read
)

// A lane has one read under way and one that waits for it.
type lane struct {
	mu      sync.Mutex
	flying  *flight // nil: the lane is free
	waiting *flight // nil: nobody waits
}

// A flight is one read for one or more questions. One of those who wait makes it.
type flight struct {
	keys      []portal.FactKey
	confirmed bool
	open      chan struct{} // closed when it may begin
	taken     bool          // by the one who makes it
	done      chan struct{}
	read      read
	err       error
}

// A read is what was found and when, by our own clocks, it was read.
type read struct {
	Found
	began, ended Reading
}

func (r read) clocked() clocked { return clocked{r.Time, r.began, r.ended} }

func (r *reads) counted() Reads {
	c := &r.counts
	return Reads{c.memory.Load(), c.shared.Load(), c.directory.Load(), c.failed.Load()}
}

// read reads the facts of keys. It gives up when the monotonic clock says until.
func (r *reads) read(ctx context.Context, keys []portal.FactKey, confirmed bool, until time.Duration) (read, error) {
	l := r.lane(keys)
	f, first := l.join(keys, confirmed, !r.rules.Keeps(rule.NextFlight))
	if err := r.await(ctx, f.open, until-ReadTimeout); err != nil {
		return read{}, err
	}
	if l.depart(f) {
		r.fly(context.WithoutCancel(ctx), l, f)
	}
	if err := r.await(ctx, f.done, until); err != nil {
		return read{}, err
	}
	if f.err != nil {
		return read{}, f.err
	}
	mine := f.read
	mine.Facts = mine.Facts[first : first+len(keys)]
	return mine, nil
}

// lane is where questions about an account wait for each other.
func (r *reads) lane(keys []portal.FactKey) *lane {
	hash := uint32(2166136261) // FNV-1a
	if len(keys) > 0 {
		for _, c := range []byte(keys[0].Account) {
			hash = (hash ^ uint32(c)) * 16777619
		}
	}
	return &r.lanes[hash%lanes]
}

// await waits for a signal.
func (r *reads) await(ctx context.Context, signal <-chan struct{}, until time.Duration) error {
	for {
		select {
		case <-signal:
			return nil
		default:
		}
		left := until - r.clock.Now().Mono
		if err := ctx.Err(); err != nil {
			return err
		}
		if left <= 0 {
			return errImpatient
		}
		r.clock.Wait(ctx, signal, left)
	}
}

// join adds keys to the flight that waits, and says where in it they are.
func (l *lane) join(keys []portal.FactKey, confirmed, underWay bool) (f *flight, first int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if underWay && l.flying != nil && len(keys) == 1 && slices.Contains(l.flying.keys, keys[0]) {
		return l.flying, slices.Index(l.flying.keys, keys[0])
	}
	if l.waiting != nil && len(l.waiting.keys)+len(keys) > maxKeys {
		l.waiting.begin() // beside the one under way
		l.waiting = nil
	}
	if l.waiting == nil {
		l.waiting = &flight{open: make(chan struct{}), done: make(chan struct{})}
		if l.flying == nil {
			l.waiting.begin()
		}
	}
	f = l.waiting
	first = len(f.keys)
	f.keys = append(f.keys, keys...)
	f.confirmed = f.confirmed || confirmed
	return f, first
}

// begin lets one of those who wait make the flight. The lane is locked.
func (f *flight) begin() {
	select {
	case <-f.open:
	default:
		close(f.open)
	}
}

// depart tells whether the caller is the one who makes the flight.
func (l *lane) depart(f *flight) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.taken {
		return false
	}
	f.taken = true
	if l.waiting == f {
		l.waiting, l.flying = nil, f
	}
	return true
}

// land lets the flight begin that waited for this one.
func (l *lane) land(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flying != f {
		return
	}
	l.flying = nil
	if l.waiting != nil {
		l.waiting.begin()
	}
}

// fly makes the read. Nobody joins any more.
func (r *reads) fly(ctx context.Context, l *lane, f *flight) {
	defer l.land(f)
	defer close(f.done)
	f.err = errors.New("the read was not finished") // should it panic
	f.read.began = r.clock.Now()
	f.read.Found, f.err = r.directory.Facts(ctx, f.keys, f.confirmed)
	f.read.ended = r.clock.Now()
	switch {
	case f.err != nil:
	case len(f.read.Facts) != len(f.keys):
		f.err = errors.New("facts of other keys")
	case f.confirmed && !f.read.Confirmed:
		f.err = errors.New("facts that are not confirmed")
	case r.shared != nil:
		r.shared.Keep(f.keys, f.read.Found)
	}
}
