// Package explain tells why a question was answered as it was, and what would have
// to be otherwise for the other answer.
//
// It judges with the same code as a running gate: what it says of a change was
// judged with that change made, by the same reduction and the same rules, and never
// guessed. It knows no HTTP and prints nothing. Its invariants: explaining neither
// uses nor feeds what is remembered and is not counted as deciding; a change is
// listed only if the answer with it was the other one; what could not be tried for
// lack of time is said; at most two are made at a time, and deciding is not kept
// waiting by more.
package explain

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/decision"
	"doorward/internal/policytool"
	"doorward/internal/portal"
)

// Options of an Explainer. The zero value is usable.
type Options struct {
	// Timeout bounds one explanation and the wait for its turn; each evaluation in it
	// is bounded by the decider's own. 0: DefaultTimeout.
	Timeout time.Duration
	// Registerer takes the metrics. nil: none are registered.
	Registerer prometheus.Registerer
}

// DefaultTimeout bounds an explanation whose Options do not say: some hundred
// evaluations take some ten milliseconds.
const DefaultTimeout = 2 * time.Second

// atOnce is how many explanations are made at a time. Each takes as long as some
// hundred decisions, which must not wait for them.
const atOnce = 2

// An Explainer explains the answers of one Decider. It is used by many goroutines.
type Explainer struct {
	decider *decision.Decider
	timeout time.Duration
	turns   chan struct{} // holds one for each explanation being made
	asked   *prometheus.CounterVec
}

// New makes an Explainer of what d would answer.
func New(d *decision.Decider, o Options) *Explainer {
	e := &Explainer{decider: d, timeout: o.Timeout, turns: make(chan struct{}, atOnce), asked: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doorward_explanations_total",
		Help: "Questions explained, by outcome (allow, deny, error). They are not counted as decisions.",
	}, []string{"outcome"})}
	for _, outcome := range []string{"allow", "deny", "error"} {
		e.asked.WithLabelValues(outcome) // shown as 0 before the first
	}
	if e.timeout <= 0 {
		e.timeout = DefaultTimeout
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(e.asked)
	}
	return e
}

// Explain judges a question as the Decider would, and says why. Its error is a
// *decision.UnavailableError, also when its turn did not come in time.
func (e *Explainer) Explain(ctx context.Context, q decision.Question) (Explanation, error) {
	bounded, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	x, err := e.explain(bounded, q)
	switch {
	case err != nil:
		e.asked.WithLabelValues("error").Inc()
	case x.Decision.Allow:
		e.asked.WithLabelValues("allow").Inc()
	default:
		e.asked.WithLabelValues("deny").Inc()
	}
	return x, err
}

func (e *Explainer) explain(ctx context.Context, q decision.Question) (Explanation, error) {
	select {
	case e.turns <- struct{}{}:
		defer func() { <-e.turns }()
	case <-ctx.Done():
		return Explanation{}, &decision.UnavailableError{Code: decision.Deadline, Err: ctx.Err()}
	}
	c, err := e.decider.Case(ctx, q)
	if err != nil {
		return Explanation{}, err
	}
	j, err := c.Explain(ctx)
	if err != nil {
		return Explanation{}, err
	}
	s := newSubject(&c, &j)
	x := Explanation{
		Decision: j.Decision, Steps: j.Steps, Action: s.needs(), Guards: s.guards, Facts: s.facts(),
		Policy: c.Policy.Digest, Profile: c.Policy.Provider.Profile, Position: c.Position.String(),
	}
	if j.Input == nil {
		x.BeforeRules = s.beforeRules(ctx)
	} else if x.Input, err = c.Policy.Rules.Document(j.Input); err != nil {
		return Explanation{}, &decision.UnavailableError{Code: decision.PolicyError, Err: err}
	}
	x.Row, x.NoRow = s.row(ctx)
	x.Changes, x.Incomplete = s.nearest(ctx) // last, as it takes the longest
	return x, nil
}

// longest is how many names the grants of a question may list for a row to be made
// of it: nobody keeps a longer row, and reading it back takes seconds.
const longest = 200

// row is the question as a row of a table, or why there is none.
func (s subject) row(ctx context.Context) (row, none string) {
	switch n := s.names(); {
	case n > longest:
		return "", fmt.Sprintf("a row would list %d names, and at most %d are written", n, longest)
	case ctx.Err() != nil:
		return "", "there was no time left to try a row"
	}
	row, err := policytool.WriteRow(ctx, s.Case, s.judged)
	if err != nil {
		return "", err.Error()
	}
	return row, ""
}

// names counts what the grants in the question list.
func (s subject) names() (n int) {
	for _, g := range []*portal.Grant{s.People.Subject.Membership.Grant, s.People.Member.Grant} {
		if g != nil {
			n += len(g.Presets) + len(g.Categories) + len(g.AccountWide) + len(g.Scope)
		}
	}
	if c := s.People.Subject.Contact; c != nil {
		n += len(c.Mails) + len(c.Scope)
	}
	return n
}
