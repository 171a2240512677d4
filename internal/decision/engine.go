package decision

import (
	"context"
	"errors"
	"slices"
	"time"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// An engine is one policy made ready to answer, with what it remembers. It is
// immutable but for its memos.
type engine struct {
	policy     *policy.Policy
	promoted   portal.Promoted // zero: it was not
	generation uint64
	plans      map[string]*plan
	counters   counters
}

// A plan is what answering questions about one action takes.
type plan struct {
	action *catalogue.Action
	// has and request list, by index in the schema, the leaves this action reads.
	has     []int
	request []int
	// noHas and absent are the input's leaves of an action that reads none.
	noHas  []bool
	absent []rules.Value
	// bounded tells that what the answer depends on is of bounded categories (R9).
	bounded bool
	memo    memo
}

func newEngine(p *policy.Policy, generation uint64, m *metrics) *engine {
	e := &engine{policy: p, generation: generation, plans: make(map[string]*plan)}
	schema := p.Rules.Schema()
	noHas, absent := nothing(schema)
	for _, action := range p.Catalogue.Actions() {
		e.plans[action.Name] = newPlan(schema, action, noHas, absent)
		e.plans[action.Name].bounded = boundedBy(p.Catalogue, action, e.plans[action.Name].reads(schema))
	}
	e.counters = m.forPolicy(p)
	return e
}

// nothing is the leaves of an input as an action sees them that reads none.
func nothing(schema *rules.Schema) (noHas []bool, absent []rules.Value) {
	absent = make([]rules.Value, len(schema.Request))
	for i, leaf := range schema.Request {
		absent[i] = leaf.Absent
	}
	return make([]bool, len(schema.Has)), absent
}

func newPlan(schema *rules.Schema, action *catalogue.Action, noHas []bool, absent []rules.Value) *plan {
	pl := &plan{action: action, noHas: noHas, absent: absent}
	for i, leaf := range schema.Has {
		if leaf.For(action.Name) {
			pl.has = append(pl.has, i)
		}
	}
	for i, leaf := range schema.Request {
		if leaf.For(action.Name) {
			pl.request = append(pl.request, i)
		}
	}
	return pl
}

// reads are the categories that rules about the action read besides its guards.
func (p *plan) reads(schema *rules.Schema) []string {
	var names []string
	for _, i := range p.has {
		names = append(names, schema.Has[i].Category)
	}
	return names
}

// outcome answers the input: from the memo, else from the rules. Only what the
// rules said without error is remembered.
func (e *engine) outcome(ctx context.Context, p *plan, in *rules.Input, timeout time.Duration) (*rules.Outcome, Tier, error) {
	var buffer [512]byte
	key := in.AppendKey(buffer[:0])
	if outcome := p.memo.get(key); outcome != nil {
		return outcome, TierMemo, nil
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	outcome, err := e.policy.Rules.Eval(bounded, keepable(in))
	if err != nil {
		return nil, TierRules, judgementError(bounded, err)
	}
	p.memo.put(key, &outcome)
	return &outcome, TierRules, nil
}

// keepable copies an input for the rules: the original's leaves are in a
// consideration that is used again.
func keepable(in *rules.Input) *rules.Input {
	kept := *in
	kept.Has, kept.Request = slices.Clone(in.Has), slices.Clone(in.Request)
	return &kept
}

// judgementError tells an evaluation that ran out of time from one that failed.
func judgementError(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return &UnavailableError{Code: Deadline, Err: err}
	}
	return &UnavailableError{Code: PolicyError, Err: err}
}

// remembered is how many outcomes the engine's memos hold.
func (e *engine) remembered() int {
	n := 0
	for _, p := range e.plans {
		n += p.memo.len()
	}
	return n
}
