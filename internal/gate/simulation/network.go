package simulation

import (
	"errors"
	"time"
)

// A network carries messages between processes: late, in any order, twice or never.
type network struct {
	w       *world
	lose    int           // one message in so many is lost
	double  int           // one request in so many comes twice
	slow    int           // one message in so many takes up to slowest
	most    time.Duration // that a message takes otherwise
	slowest time.Duration
	cut     map[[2]*process]bool
}

func newNetwork(w *world) *network {
	return &network{w: w, lose: 400, double: 200, slow: 100, most: 3 * time.Millisecond, slowest: 2 * time.Second, cut: map[[2]*process]bool{}}
}

// send delivers a message, perhaps.
func (n *network) send(from, to *process, deliver func()) {
	if n.w.oneIn(n.lose) || n.cut[[2]*process{from, to}] {
		return
	}
	most := n.most
	if n.w.oneIn(n.slow) {
		most = n.slowest
	}
	n.w.after(n.w.between(100*time.Microsecond, most), to, deliver)
}

// separate cuts the ways between two processes, or heals them.
func (n *network) separate(a, b *process, cut bool) {
	n.cut[[2]*process{a, b}], n.cut[[2]*process{b, a}] = cut, cut
}

var (
	errTimeout = errors.New("no answer")
	errRefused = errors.New("connection refused")
)

// A reply is what came of a call.
type reply[T any] struct {
	value T
	err   error
}

// call has a process do something for the task that runs, and waits for the reply. What
// arrives after that goes to late, if there is one.
func call[T any](n *network, to *process, timeout time.Duration, do func() (T, error), late func(T)) (T, error) {
	from := n.w.current.of
	if !to.alive {
		from.hold(n.w.between(0, n.most))
		var none T
		return none, errRefused
	}
	got := reply[T]{err: errTimeout}
	ended := false
	n.w.park(nil, func(wake func()) {
		handle := func() {
			n.w.start(to, func() {
				value, err := do()
				n.send(to, from, func() {
					switch {
					case !ended:
						got = reply[T]{value, err}
						wake()
					case late != nil && err == nil:
						late(value)
					}
				})
			})
		}
		n.send(from, to, handle)
		if n.w.oneIn(n.double) {
			n.send(from, to, handle)
		}
		n.w.after(timeout, from, wake)
	})
	ended = true
	return got.value, got.err
}
