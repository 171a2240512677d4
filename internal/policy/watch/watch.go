// Package watch keeps the policy of a folder in force: it notices that the folder
// changed, loads it off the path of decisions, and hands over the new policy whole.
//
// It does not know who uses the policy, how it is loaded or how its tables are run. Notifications of the
// kernel only make it look sooner; what it believes is the bytes it reads, once a
// second at least. Its invariants: only a sound policy is handed over, made of
// bytes that were the same for a while; whatever goes wrong, the last good one
// stays.
package watch

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// How soon a change is noticed, and how long it may take to load, when Options do not
// say. The shipped policy loads in two seconds, and in thirteen under the race detector.
const (
	DefaultPoll     = time.Second
	DefaultStill    = 200 * time.Millisecond
	DefaultDeadline = 30 * time.Second
)

// Options of a Keeper. Use and Log are needed.
type Options struct {
	// Use puts a policy in force. It is called by one goroutine, never with the
	// policy that already is.
	Use func(*policy.Policy)
	Log *slog.Logger
	// Registerer takes the metrics. nil: none are registered.
	Registerer prometheus.Registerer
	// Poll is the longest time between two looks. 0: DefaultPoll.
	Poll time.Duration
	// Still is how long the folder must not have changed before it is loaded, so
	// that half-written files are not. 0: DefaultStill.
	Still time.Duration
	// Deadline is how long a load may take: one that takes longer is refused, and can
	// no longer be put in force. 0: DefaultDeadline.
	Deadline time.Duration
	// Tables runs the tables of expected answers of what was read, and returns the rows
	// that fail and what is malformed. It stops when its context ends. nil: none are run.
	Tables func(context.Context, policy.Source) (fault.List, error)
	// RefuseFailing keeps a policy whose tables fail from being put in force. Without
	// it they are run once it is.
	RefuseFailing bool
}

// filled is o with the defaults in place.
func (o Options) filled() Options {
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Still <= 0 {
		o.Still = DefaultStill
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	return o
}

// A State is what a Keeper last found.
type State struct {
	// Digest of the policy in force.
	Digest string
	// Stale tells that the folder does not load and an older policy is in force.
	Stale bool
	// Faults are why, with paths inside the folder; none when it cannot be read.
	// They are not to be changed.
	Faults fault.List
	// At is when the folder was last loaded or refused.
	At time.Time
}

// A Keeper keeps the policy of one folder in force.
type Keeper struct {
	folder  string
	o       Options
	metrics *metrics
	state   atomic.Pointer[State]
	forced  chan struct{}
	tables  tables

	// What Run alone uses.
	judged  string        // print of what was last loaded or refused
	waiting string        // print of what is not yet still; "" when nothing is
	since   time.Time     // when it was first seen
	force   bool          // judge even what was judged already
	refused string        // what was last logged as refused; "" when nothing is
	from    policy.Source // what the policy in force was loaded from
	load    func(policy.Source) (*policy.Policy, error)
}

// New makes a Keeper of the folder, whose policy in force is p, loaded from the
// source. Nothing happens before Run.
func New(folder string, from policy.Source, p *policy.Policy, o Options) *Keeper {
	o = o.filled()
	k := &Keeper{folder: folder, o: o, forced: make(chan struct{}, 1), from: from, judged: from.Print(), load: policy.Source.LoadChecked}
	k.state.Store(&State{Digest: p.Digest, At: time.Now()})
	k.metrics = newMetrics(o.Registerer, k)
	return k
}

// State tells what was last found. It may be called at any time.
func (k *Keeper) State() State { return *k.state.Load() }

// Force makes Run look now, and load the folder even if nothing changed. It may be
// called at any time and does not wait.
func (k *Keeper) Force() {
	select {
	case k.forced <- struct{}{}:
	default: // a look is due already
	}
}

// Run keeps the policy in force until ctx ends. It does not wait for a load under way.
func (k *Keeper) Run(ctx context.Context) { k.run(ctx, newHints(k.folder, k.o.Log)) }

func (k *Keeper) run(ctx context.Context, h *hints) {
	defer k.tables.running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.report(ctx, k.from)
	loop(ctx, h, k.o, k.forced, func(now time.Time, forced bool) time.Time {
		k.force = k.force || forced
		return k.look(ctx, now)
	})
}

// loop looks at a folder until ctx ends: at once, whenever a look says that the next
// is due, soon after a hint, and when it is forced to.
func loop(ctx context.Context, h *hints, o Options, forced <-chan struct{}, look func(now time.Time, forced bool) time.Time) {
	defer h.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			h.follow()
			next = look(time.Now(), false)
		case <-forced:
			next = look(time.Now(), true)
		case <-h.events():
			// Events come in floods: they bring the next look near, no more.
			if soon := time.Now().Add(o.Still / 10); soon.Before(next) {
				next = soon
			}
		case err := <-h.errors():
			o.Log.DebugContext(ctx, "notifications of the policy folder were lost", "error", err)
		}
		timer.Reset(time.Until(next))
	}
}

// look reads the folder, judges it if it is new and has been still, and returns
// when to look again.
func (k *Keeper) look(ctx context.Context, now time.Time) time.Time {
	source := policy.Read(os.DirFS(k.folder))
	print := source.Print()
	switch {
	case print == k.judged && !k.force:
		k.waiting = ""
		return now.Add(k.o.Poll)
	case print != k.waiting:
		k.waiting, k.since = print, now
	}
	if due := k.since.Add(k.o.Still); now.Before(due) {
		return due
	}
	k.waiting, k.force = "", false
	k.judged = print
	k.judge(ctx, source)
	return time.Now() // what came meanwhile is looked at before it is hinted at
}
