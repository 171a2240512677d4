// Package gate is a sidecar's side of the promise that a removed person is refused
// everywhere: it follows the directory's changes, holds a lease, and says which facts a
// question may be answered from (design section 5, rules R1 to R16).
//
// It knows no HTTP, no policy and no database; a Directory and a Clock are given to it,
// and it starts no goroutine. The directory's side is gate/barrier, and gate/simulation
// runs both under every fault we know. Its invariant: a question that is asked after
// the directory called a change enforced is answered from facts with that change in
// them, or not at all.
package gate

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"doorward/internal/directory"
	"doorward/internal/facts"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// Terms of a gate when its Config does not say.
const (
	DefaultLease     = 3 * time.Second
	DefaultStaleness = 30 * time.Second
	// DefaultMemory is how many bytes of facts are remembered.
	DefaultMemory = 64 << 20
)

// A Config makes a Gate.
type Config struct {
	Directory Directory
	Clock     Clock
	Label     string // to be shown; it proves and names nothing (R3)
	// Lease is how long a lease lasts. 0: DefaultLease.
	Lease time.Duration
	// Staleness is how long after the end of a lease bounded questions are answered
	// from memory (R9). It is part of what barriers wait for. 0: never.
	Staleness time.Duration
	Memory    facts.Bound // zero: DefaultMemory bytes
	Window    int         // 0: Window with Shared, ShortWindow without
	Policies  Policies    // nil: none are promoted
	Spool     Spool       // nil: nothing can be recorded
	Shared    Shared      // nil: this gate shares nothing
	// Random makes the instance's name. nil: crypto/rand.
	Random io.Reader
	// Rules is for the simulation; nobody else can set it.
	Rules rule.Set
}

// Policies are the policies that the directory promotes (R13).
type Policies interface {
	// Use puts a policy that was promoted in force, and returns when every question
	// asked from now on is judged by it. The zero Promoted is the policy that this process
	// came with.
	Use(ctx context.Context, p portal.Promoted) error
	// Digest names the policy in force.
	Digest() string
}

// A Gate answers what the directory knows, from memory where that is provably fresh. It
// is used by many goroutines, of which one calls Step in a loop.
type Gate struct {
	directory Directory
	clock     Clock
	policies  Policies
	spool     Spool
	shared    Shared
	instance  Instance
	label     string
	lasts     time.Duration
	staleness time.Duration
	rules     rule.Set

	reads    *reads
	memory   *facts.Memory
	asks     uint64 // only Step counts
	odd      oddities
	applying sync.RWMutex // written while changes are applied, read while facts are put in
	window   *window      // by applying
	left     bool         // by applying
	standing atomic.Pointer[standing]
	failed   atomic.Pointer[error] // of the last Step
}

// New makes a gate that knows nothing yet.
func New(c Config) (*Gate, error) {
	lasts := cmp.Or(c.Lease, DefaultLease)
	if lasts <= 0 || c.Staleness < 0 {
		return nil, fmt.Errorf("a lease of %v and a staleness of %v: neither can be negative", lasts, c.Staleness)
	}
	instance, err := newInstance(c.Random)
	if err != nil {
		return nil, fmt.Errorf("name this process: %w", err)
	}
	bound := c.Memory
	if bound == (facts.Bound{}) {
		bound.Bytes = DefaultMemory
	}
	window := ShortWindow
	if c.Shared != nil {
		window = Window
	}
	g := &Gate{
		directory: c.Directory, clock: c.Clock, policies: c.Policies, spool: c.Spool, shared: c.Shared,
		instance: instance, label: c.Label, lasts: lasts, staleness: c.Staleness, rules: c.Rules,
		reads:  &reads{directory: c.Directory, clock: c.Clock, shared: c.Shared, rules: c.Rules},
		memory: facts.NewMemory(bound), window: newWindow(cmp.Or(c.Window, window)),
	}
	g.standing.Store(&standing{})
	g.failed.Store(new(error))
	return g, nil
}

// newInstance draws a name that no other process has (R3).
func newInstance(random io.Reader) (Instance, error) {
	if random == nil {
		random = rand.Reader
	}
	var id [16]byte
	_, err := io.ReadFull(random, id[:])
	return Instance(fmt.Sprintf("%x", id)), err
}

// A Status is what operators are shown.
type Status struct {
	Instance Instance
	Joined   bool // something was heard of the directory
	Leased   bool
	// Usable tells that bounded questions are answered from memory, with a lease or for a
	// while after it (R9).
	Usable bool
	// Since is how long ago the directory was asked for the lease, by the clock that says
	// longer. Without one it means nothing.
	Since    time.Duration
	Position portal.Position
	Head     portal.Revision // the directory's, as it was heard of last
	Policy   portal.Promoted // in force; zero: none was promoted
	Odd      Oddities
	Reads    Reads
	Failed   error // of the last Step; nil: it succeeded
}

// Reads counts questions since this process started, by what their facts came from.
type Reads struct {
	Memory    uint64
	Shared    uint64 // memory, after a look into the shared cache
	Directory uint64
	Failed    uint64 // there were none
}

// Oddities counts what was not believed since this process started.
type Oddities struct {
	OtherAnswers uint64 // answers to another ask, of this process or another (R2)
	Foreign      uint64 // the directory did not hold the position, or was too far ahead: everything was forgotten (R1)
	Unknown      uint64 // changes of a kind that this program does not know: everything was forgotten
	NoLease      uint64 // answers without a lease: the database could not prove that it can commit (R2, R11)
	Unfit        uint64 // facts that were read or offered, and were not put in memory (R8)
}

// oddities are Oddities that are being counted.
type oddities struct{ otherAnswers, foreign, unknown, noLease, unfit atomic.Uint64 }

func (o *oddities) counted() Oddities {
	return Oddities{o.otherAnswers.Load(), o.foreign.Load(), o.unknown.Load(), o.noLease.Load(), o.unfit.Load()}
}

// Status says where the gate stands now.
func (g *Gate) Status() Status {
	at, now := g.standing.Load(), g.clock.Now()
	mono, wall := now.since(at.lease.asked)
	return Status{
		Instance: g.instance, Joined: at.era != "", Leased: at.lease.holds(now, 0, g.rules), Usable: at.lease.holds(now, g.staleness, g.rules),
		Since: max(mono, wall), Position: at.position, Head: at.head, Policy: at.policy,
		Odd: g.odd.counted(), Reads: g.reads.counted(), Failed: *g.failed.Load(),
	}
}

// Tokens returns a stamp of what this gate has applied that concerns client tokens: what
// was read of them after a stamp was taken is all there is to know while it stays the
// same. It vouches as long as memory does for bounded questions, which barriers wait for
// (R6, R9); the zero stamp vouches for nothing.
func (g *Gate) Tokens() directory.Stamp {
	at := g.standing.Load() // R5: before the clock
	if !at.lease.holds(g.clock.Now(), g.staleness, g.rules) {
		return directory.Stamp{}
	}
	return directory.Stamp{1, at.tokens}
}
