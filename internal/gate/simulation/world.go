// Package simulation runs the production state machines of gates and directories in a
// made-up world, where messages are lost, machines stop and databases fail over, and
// checks after every answer that the promise was kept (design section 5).
//
// It is for tests only. It knows no real clock, network or database: a seed decides
// everything that happens, and the same seed makes the same happen again. Its
// invariant: what it does to the machines could happen to them in production; what the
// promise does not cover is not done, or not held against them.
package simulation

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// A world is one schedule: everything that happens, in order, one thing at a time.
type world struct {
	rand    *rand.Rand
	now     time.Duration // true time
	events  heap
	count   uint64
	current *task
	free    *tasks            // coroutines to be used again
	trace   func(line string) // nil: nobody looks
}

// An event is something that happens at a time, to a process or to nobody.
type event struct {
	at     time.Duration
	number uint64 // of two events at one time the first made comes first
	to     *process
	do     func()
}

func newWorld(seed uint64, free *tasks) *world {
	return &world{rand: rand.New(rand.NewPCG(seed, 0)), free: free}
}

// after lets something happen to a process later; to nil it happens in any case.
func (w *world) after(d time.Duration, to *process, do func()) {
	w.count++
	w.events.push(event{w.now + max(0, d), w.count, to, do})
}

// run lets things happen until a time.
func (w *world) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until {
		e := w.events.pop()
		w.now = e.at
		if e.to == nil {
			e.do()
			continue
		}
		e.to.happen(e)
	}
	w.now = until
}

// between draws a time.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rand.Int64N(int64(most-least)+1))
}

// oneIn tells true once in n times.
func (w *world) oneIn(n int) bool { return n > 0 && w.rand.IntN(n) == 0 }

// say adds a line to the trace.
func (w *world) say(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf("%9.3fs  %s", w.now.Seconds(), fmt.Sprintf(format, args...)))
	}
}

// A task is a coroutine: production code that runs until it waits for something.
type task struct {
	of     *process
	do     func()
	waits  uint64          // counts, so that what comes late for one wait does not end another
	signal <-chan struct{} // what it waits for besides
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

// tasks are coroutines that have nothing to do.
type tasks struct{ idle []*task }

// killed unwinds a task whose process is no more.
type killed struct{}

func (f *tasks) take() *task {
	if n := len(f.idle); n > 0 {
		t := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return t
	}
	t := &task{}
	t.next, t.stop = iter.Pull(t.live)
	return t
}

// live does one thing after another, until it is stopped in between.
func (t *task) live(yield func(struct{}) bool) {
	t.yield = yield
	for {
		t.once()
		t.of = nil
		if !yield(struct{}{}) {
			return
		}
	}
}

func (t *task) once() {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
		}
	}()
	t.do()
}

// Close stops all coroutines.
func (f *tasks) Close() {
	for _, t := range f.idle {
		t.stop()
	}
	f.idle = nil
}

// start runs production code in a process, until it waits for the first time.
func (w *world) start(p *process, do func()) {
	t := w.free.take()
	t.of, t.do = p, do
	p.tasks = append(p.tasks, t)
	w.resume(t)
}

// resume lets a task go on until it waits again.
func (w *world) resume(t *task) {
	before := w.current
	w.current = t
	t.signal = nil
	t.waits++
	t.next()
	w.current = before
	if t.of == nil {
		w.free.idle = append(w.free.idle, t)
	}
}

// park makes the task that runs wait, until somebody calls the function that it hands
// to arrange. Called twice, or too late, that does nothing.
func (w *world) park(signal <-chan struct{}, arrange func(wake func())) {
	t := w.current
	t.signal = signal
	number := t.waits
	arrange(func() {
		if t.of != nil && t.waits == number {
			w.resume(t)
		}
	})
	t.yield(struct{}{})
	if !t.of.alive {
		panic(killed{})
	}
}

// A process is a program on a machine with clocks of its own.
type process struct {
	w     *world
	name  string
	alive bool
	tasks []*task

	stopped bool // and what happens to it waits
	asleep  bool // so does its monotonic clock
	since   time.Duration
	pauses  int
	waiting []event

	ppm     int64         // how much faster the monotonic clock runs, in millionths
	started time.Duration // true time
	slept   time.Duration
	wall    time.Duration // how much the wall clock is ahead
	stalls  int           // a goroutine is held up once in so many looks at the clock
}

func (w *world) process(name string) *process {
	return &process{w: w, name: name, alive: true, started: w.now, ppm: w.rand.Int64N(4001) - 2000, stalls: 400}
}

// happen lets an event happen to the process, or has it wait until it goes on.
func (p *process) happen(e event) {
	switch {
	case !p.alive:
		return
	case p.stopped:
		p.waiting = append(p.waiting, e)
		return
	}
	e.do()
	p.signals()
}

// signals wakes the tasks whose signal was given.
func (p *process) signals() {
	for again := true; again; {
		again = false
		kept := p.tasks[:0]
		for _, t := range p.tasks {
			if t.of == p {
				kept = append(kept, t)
			}
		}
		p.tasks = kept
		for _, t := range p.tasks {
			select {
			case <-t.signal:
				if t.of == p && t.signal != nil {
					p.w.resume(t)
					again = true
				}
			default:
			}
			if again {
				break
			}
		}
	}
}

// stop holds the process, as SIGSTOP does, or puts its machine to sleep: then its
// monotonic clock stands still as well.
func (p *process) stop(asleep bool) {
	p.stopped, p.asleep, p.since = true, asleep, p.w.now
	p.pauses++
}

// goOn lets it go on; what came meanwhile happens now, in its order.
func (p *process) goOn() {
	if !p.stopped {
		return
	}
	p.stopped = false
	if p.asleep {
		p.slept += p.w.now - p.since
	}
	waiting := p.waiting
	p.waiting = nil
	for _, e := range waiting {
		p.w.after(0, p, e.do)
	}
}

// kill ends the process; what it was doing is not done.
func (p *process) kill() {
	p.alive = false
	for _, t := range p.tasks {
		if t.of == p {
			p.w.resume(t)
		}
	}
	p.tasks, p.waiting = nil, nil
}

// hold makes the task that runs wait for a while.
func (p *process) hold(d time.Duration) {
	p.w.park(nil, func(wake func()) { p.w.after(d, p, wake) })
}

// ctx is what production code is given; nothing in it ever ends, processes are killed.
var ctx = context.Background()
