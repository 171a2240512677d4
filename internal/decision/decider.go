// Package decision judges questions: may this subject do this action on this
// resource, now?
//
// A decision is a pure function of the policy and an input reduced from the
// question and the directory's facts; the package reduces, remembers and
// measures, and asks the policy's rules. It knows neither HTTP nor where facts
// come from. Its invariants: the zero Decision denies; what cannot be judged is
// an error and is never remembered; an answer is remembered only under the
// canonical form of everything it could depend on.
package decision

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// Facts is where a Decider finds what the directory knows. Everything returned
// was true together at the position, and nothing acknowledged before the call is
// missing (facts.Cache keeps that promise).
type Facts interface {
	Read(ctx context.Context, key portal.FactKey) (portal.Facts, portal.Position, error)
	ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error)
}

// Options of a Decider. The zero value is usable.
type Options struct {
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Timeout bounds one evaluation of the rules. 0: DefaultTimeout.
	Timeout time.Duration
	// Registerer takes the metrics. nil: none are registered.
	Registerer prometheus.Registerer
	// Record keeps decisions about sensitive actions before they are given. nil: none
	// are kept.
	Record Recorder
	// Note hears of uses of memberships. nil: nobody does.
	Note Noter
}

// DefaultTimeout bounds an evaluation whose Options do not say. Rules answer in
// microseconds; this is for the one that does not.
const DefaultTimeout = 100 * time.Millisecond

// A Decider judges questions by the policy in use. It is used by many
// goroutines.
type Decider struct {
	facts      Facts
	fresh      FreshFacts // nil: facts need not be told
	now        func() time.Time
	timeout    time.Duration
	record     Recorder
	note       Noter
	metrics    *metrics
	swapping   sync.Mutex // one Use at a time, so that generations count up
	inUse      atomic.Pointer[engine]
	generation uint64
}

// New makes a Decider that uses the policy p.
func New(p *policy.Policy, f Facts, o Options) *Decider {
	d := &Decider{facts: f, now: o.Now, timeout: o.Timeout, record: o.Record, note: o.Note}
	d.fresh, _ = f.(FreshFacts)
	if d.now == nil {
		d.now = time.Now
	}
	if d.timeout <= 0 {
		d.timeout = DefaultTimeout
	}
	d.metrics = newMetrics(o.Registerer, d)
	d.Use(p)
	return d
}

// Use makes p the policy of every question asked from now on. What was
// remembered under the old policy is left behind with it.
func (d *Decider) Use(p *policy.Policy) { d.UsePromoted(p, portal.Promoted{}) }

// UsePromoted is Use for a policy that was promoted (R13).
func (d *Decider) UsePromoted(p *policy.Policy, as portal.Promoted) {
	d.swapping.Lock()
	defer d.swapping.Unlock()
	d.generation++
	e := newEngine(p, d.generation, d.metrics)
	e.promoted = as
	d.inUse.Store(e)
}

// Policy returns the policy in use.
func (d *Decider) Policy() *policy.Policy { return d.inUse.Load().policy }

// Decide judges one question. Its error is an *UnavailableError.
func (d *Decider) Decide(ctx context.Context, q Question) (Decision, error) {
	start := d.now()
	c := considerations.Get().(*consideration)
	defer putAside(c)
	answer := Answer{}
	e, who, known, err := d.prepare(ctx, c, q, start)
	if err != nil {
		answer.Err = unavailable(err)
	} else {
		answer = d.judge(ctx, e, c, who, known)
	}
	if d.record != nil && c.recorded(answer) {
		answer = d.recordOne(ctx, known, c, answer)
	}
	d.note.hear(known, c, answer)
	e.observe(answer, d.now().Sub(start))
	return answer.Decision, answer.Err
}

// maxPolicies is how many policies a question is tried by when others are promoted
// meanwhile.
const maxPolicies = 3

// prepare considers a question by the policy in use and finds its facts. Where the
// facts go with another policy that was promoted meanwhile, it is that one's turn (R13).
func (d *Decider) prepare(ctx context.Context, c *consideration, q Question, now time.Time) (e *engine, who People, known Known, err error) {
	for range maxPolicies {
		e = d.inUse.Load()
		e.consider(c, q)
		if who, known, err = d.read(ctx, e, c, now); !errors.Is(err, ErrPolicyMoved) {
			break
		}
		*c = consideration{}
	}
	return e, who, known, err
}

// read finds the facts of everybody that a question is about. now is when it came.
func (d *Decider) read(ctx context.Context, e *engine, c *consideration, now time.Time) (People, Known, error) {
	if d.fresh == nil && c.alone() && minimum(ctx) == (portal.Mark{}) {
		facts, position, err := d.facts.Read(ctx, c.key)
		return People{Subject: facts}, Known{Position: position, Now: exactly(now)}, err
	}
	known, err := d.find(ctx, c.keys(nil), Need{Bounded: c.bounded(), Policy: e.promoted}, now)
	if err != nil {
		return People{}, Known{}, err
	}
	who, _ := c.people(known.Facts)
	return who, known, nil
}

// DecideAll judges questions in order, by one policy and on facts that were true
// at one position. It ends after the first answer for which stop returns true, which
// depends on the answer alone; a nil stop never does. The answers, one for each question
// judged, carry errors of their own; DecideAll's error means that none could be judged,
// and is an *UnavailableError.
func (d *Decider) DecideAll(ctx context.Context, questions []Question, stop func(Answer) bool) ([]Answer, error) {
	return d.decideAll(ctx, questions, stop, d.record, d.note)
}

// decideAll is DecideAll. What is kept of the answers is kept together, because it may
// take as long as a disk does. An answer that could not be kept is another: then the
// questions after it may have their turn.
func (d *Decider) decideAll(ctx context.Context, questions []Question, stop func(Answer) bool, record Recorder, note Noter) ([]Answer, error) {
	e, considered, known, err := d.prepareAll(ctx, questions)
	if err != nil {
		err = unavailable(err)
		for range questions {
			e.observe(Answer{Err: err}, 0)
		}
		return nil, err
	}
	answers, facts := make([]Answer, 0, len(questions)), known.Facts
	for stopped := false; !stopped && len(answers) < len(questions); {
		from := len(answers)
		for i := from; !stopped && i < len(questions); i++ {
			start := d.now()
			who, taken := considered[i].people(facts)
			facts = facts[taken:]
			answers = append(answers, d.judge(ctx, e, &considered[i], who, known))
			e.took(d.now().Sub(start))
			stopped = stop != nil && stop(answers[i])
		}
		if record.keep(ctx, known, considered[from:], answers[from:]) != nil {
			answers, stopped = again(answers, from, stop)
		}
	}
	for i, answer := range answers {
		note.hear(known, &considered[i], answer)
		e.count(answer)
	}
	return answers, nil
}

// prepareAll is prepare for many questions, whose facts are read together.
func (d *Decider) prepareAll(ctx context.Context, questions []Question) (e *engine, considered []consideration, known Known, err error) {
	for range maxPolicies {
		e = d.inUse.Load()
		considered = make([]consideration, len(questions))
		keys, bounded := make([]portal.FactKey, 0, len(questions)), true
		for i, q := range questions {
			e.consider(&considered[i], q)
			keys = considered[i].keys(keys)
			bounded = bounded && considered[i].bounded()
		}
		if known, err = d.find(ctx, keys, Need{Bounded: bounded, Policy: e.promoted}, d.now()); !errors.Is(err, ErrPolicyMoved) {
			break
		}
	}
	return e, considered, known, err
}

// judge answers a considered question on its facts, as they count at their moment.
func (d *Decider) judge(ctx context.Context, e *engine, c *consideration, who People, known Known) Answer {
	basis := Basis{Policy: e.policy.Digest, Position: known.Position, Tier: TierRefused}
	if c.refusal != "" {
		return Answer{Decision: Decision{Reason: c.refusal, Basis: basis}}
	}
	in := c.reduce(e.policy, who, known.Now)
	outcome, tier, err := e.outcome(ctx, c.plan, &in, d.timeout)
	if err != nil {
		return Answer{Err: unavailable(err)}
	}
	basis.Tier = tier
	return Answer{Decision: c.decision(e.policy, who.Subject.Membership.Grant, outcome, basis)}
}

// decision is what an outcome says of a question that was reduced.
func (c *consideration) decision(p *policy.Policy, g *portal.Grant, outcome *rules.Outcome, basis Basis) Decision {
	decision := Decision{
		Allow:       outcome.Allow,
		Reason:      Reason(outcome.Reason),
		Category:    c.category(p, outcome),
		Obligations: outcome.Obligations,
		Filter:      c.filter(outcome.Allow, g),
		Basis:       basis,
	}
	if decision.Reason == SwitchRequired {
		decision.SwitchTo = c.key.Account
	}
	return decision
}

// unavailable tells by which code err keeps a question from being judged.
func unavailable(err error) error {
	var already *UnavailableError
	switch {
	case errors.As(err, &already):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &UnavailableError{Code: Deadline, Err: err}
	}
	for _, known := range unanswered {
		if errors.Is(err, known.err) {
			return &UnavailableError{Code: known.code, Err: err}
		}
	}
	return &UnavailableError{Code: FactsUnavailable, Err: err}
}
