package simulation

import (
	"context"
	"errors"
	"time"

	"doorward/internal/facts"
	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A sidecar is a process with a gate.
type sidecar struct {
	*process
	s        *schedule
	gate     *gate.Gate
	policies *policies
	spool    *spool
	borrower *borrower    // nil: there is no Redis
	asks     int          // which directory it talks to
	late     *gate.Answer // that came when nobody waited any more
	left     bool
	leased   time.Duration // when it was last seen to have a lease
}

// newSidecar starts a sidecar. A spool outlives the process: it is on disk.
func (s *schedule) newSidecar(label string, disk *spool) *sidecar {
	c := &sidecar{process: s.process(label), s: s, spool: disk}
	c.policies = &policies{of: c, frozen: -1}
	config := gate.Config{
		Directory: c, Clock: clock{c.process}, Label: label, Staleness: s.plan.staleness,
		Memory: facts.Bound{Entries: 64 * 64}, Window: s.plan.window, Policies: c.policies, Spool: disk,
		Random: &random{w: s.world}, Rules: s.plan.mutant.rules,
	}
	if s.plan.mutant.sameName {
		config.Random = &random{s.world, label}
	}
	if s.plan.mutant.statesLess {
		config.Staleness = 2 * s.plan.staleness
	}
	if s.redis != nil {
		c.borrower = &borrower{c: c, redis: s.redis, looks: map[string]*look{}}
		config.Shared = c.borrower
	}
	var err error
	if c.gate, err = gate.New(config); err != nil {
		panic(err)
	}
	c.stalls = s.plan.stalls
	if s.oneIn(2) { // either the wall clock jumps or the machine sleeps: both at once may go unseen
		c.wall = s.between(-time.Hour, time.Hour)
	}
	s.start(c.process, c.follow)
	if c.borrower != nil {
		s.start(c.process, c.borrower.learn)
	}
	return c
}

// random makes names from the seed.
type random struct {
	w    *world
	same string // R3 taken out: the name is the label
}

func (r *random) Read(b []byte) (int, error) {
	if r.same != "" {
		clear(b)
		copy(b, r.same)
		return len(b), nil
	}
	for i := range b {
		b[i] = byte(r.w.rand.Uint32())
	}
	return len(b), nil
}

// follow is the loop that every sidecar runs.
func (c *sidecar) follow() {
	for !c.left {
		err := c.gate.Step(ctx)
		at := c.status()
		if at.Leased {
			c.leased = c.w.now
		}
		c.s.say("%s: at revision %d, leased %v, %v", c.name, at.Position.Revision, at.Leased, err)
		if err != nil {
			c.asks++
			c.hold(c.w.between(10*time.Millisecond, 200*time.Millisecond))
		}
	}
}

// directory is the replica that the sidecar talks to now.
func (c *sidecar) directory() *replica { return c.s.replicas[c.asks%len(c.s.replicas)] }

// Ask implements gate.Directory over the network.
func (c *sidecar) Ask(_ context.Context, ask gate.Ask) (gate.Answer, error) {
	if late := c.late; late != nil && c.w.oneIn(2) {
		c.s.count[lateAnswers]++
		c.late = nil // a transport that takes one answer for another
		c.hold(c.w.between(0, time.Millisecond))
		return *late, nil
	}
	if c.s.plan.mutant.statesLess {
		ask.Term -= c.s.plan.staleness
	}
	d := c.directory()
	c.s.count[asksSent]++
	return call(c.s.network, d.process, ask.Wait+gate.ReadTimeout,
		func() (gate.Answer, error) { return d.keeper.Ask(ctx, ask) }, func(a gate.Answer) { c.late = &a })
}

// Leave implements gate.Directory.
func (c *sidecar) Leave(_ context.Context, who gate.Instance) error {
	d := c.directory()
	_, err := call(c.s.network, d.process, time.Second, func() (struct{}, error) { return struct{}{}, d.keeper.Leave(ctx, who) }, nil)
	return err
}

// Facts implements gate.Directory.
func (c *sidecar) Facts(_ context.Context, keys []portal.FactKey, confirmed bool) (gate.Found, error) {
	d := c.s.replicas[c.w.rand.IntN(len(c.s.replicas))]
	return call(c.s.network, d.process, gate.ReadTimeout,
		func() (gate.Found, error) { return d.keeper.Facts(ctx, keys, confirmed) }, nil)
}

// policies are what a sidecar judges by (R13).
type policies struct {
	of      *sidecar
	inForce portal.Promoted
	loaded  portal.Promoted // what was fetched for it
	frozen  int             // the account that it refuses
}

func (p *policies) Digest() string { return "policy" }

// Use fetches a policy that was promoted, by its revision, and looks whether it is the one.
func (p *policies) Use(_ context.Context, want portal.Promoted) error {
	p.of.hold(p.of.w.between(0, 20*time.Millisecond))
	v, careless := p.of.s.database.primary.head(), p.of.s.plan.mutant.byRevision
	switch {
	case want.At == 0:
		*p = policies{of: p.of, frozen: -1}
	case careless && want.At == p.inForce.At:
		p.inForce = want
	case int(want.At) > len(v.log) || p.of.w.oneIn(20):
		return errors.New("the policy cannot be fetched")
	case !careless && v.promotion(want.At) != want:
		return errors.New("the policy is of another history")
	default:
		p.inForce, p.loaded, p.frozen = want, v.promotion(want.At), v.log[want.At-1].frozen
	}
	return nil
}
