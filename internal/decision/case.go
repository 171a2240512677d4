package decision

import (
	"context"
	"errors"
	"time"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// A Case is a question with all that its answer rests on: judged again, it gets the
// same answer. Whoever asks what would have to be otherwise judges a changed copy.
// What it refers to is shared with the directory's facts and never modified.
type Case struct {
	Policy   *policy.Policy
	Question Question
	People   People
	Position portal.Position // where the facts were read
	Now      time.Time       // when they count: the latest that it can be (R12)

	// What the question names besides its subject: its account, "" when it names
	// none, who acts in the subject's name, and the member that is managed; the zero
	// Ref is nobody.
	Account portal.AccountID
	Actor   portal.Ref
	Member  portal.Ref

	timeout time.Duration
}

// Case finds all that the answer to a question rests on, as Decide does. Its error is
// an *UnavailableError. Nothing is counted or remembered.
func (d *Decider) Case(ctx context.Context, q Question) (c Case, err error) {
	for range maxPolicies {
		if c, err = d.caseBy(ctx, d.inUse.Load(), q); !errors.Is(err, ErrPolicyMoved) {
			break
		}
	}
	return c, err
}

func (d *Decider) caseBy(ctx context.Context, e *engine, q Question) (Case, error) {
	c := Case{Policy: e.policy, Question: q, timeout: d.timeout}
	considered := c.consider()
	c.Account, c.Actor = considered.key.Account, considered.acting.by
	if considered.plan != nil && considered.aboutMember() {
		c.Member = q.Resource.Ref
	}
	who, known, err := d.read(ctx, e, considered, d.now())
	if err != nil {
		return Case{}, unavailable(err)
	}
	c.People, c.Position, c.Now = who, known.Position, known.Now.Latest
	return c, nil
}

// consider reads the question anew: a copy may have another.
func (c *Case) consider() *consideration {
	e := engine{policy: c.Policy, plans: make(map[string]*plan, 1)}
	if action, known := c.Policy.Catalogue.Action(c.Question.Action.Name); known {
		schema := c.Policy.Rules.Schema()
		noHas, absent := nothing(schema)
		e.plans[action.Name] = newPlan(schema, action, noHas, absent)
	}
	considered := new(consideration)
	e.consider(considered, c.Question)
	return considered
}

// A Judgement is a Decision and what it was found by.
type Judgement struct {
	Decision Decision
	// Input is what the rules saw; nil when the question was refused before them.
	Input *rules.Input
	// Steps are the rules that the reason came through, the last is the one that
	// decided; nil unless asked for.
	Steps []rules.Step
	// Held is what the grant in force gives on the whole account or where it is in
	// scope, Wide what it gives on the whole account, Denied what presets deny.
	Held, Wide, Denied catalogue.Set
}

// Judge judges the case by the policy's rules, never from what was remembered, and
// remembers nothing. Its error is an *UnavailableError.
func (c *Case) Judge(ctx context.Context) (Decision, error) {
	j, err := c.judge(ctx, func(ctx context.Context, in *rules.Input) (rules.Outcome, []rules.Step, error) {
		outcome, err := c.Policy.Rules.Eval(ctx, in)
		return outcome, nil, err
	})
	return j.Decision, err
}

// Explain judges the case like Judge and tells what by.
func (c *Case) Explain(ctx context.Context) (Judgement, error) {
	return c.judge(ctx, c.Policy.Rules.Trace)
}

type evaluate func(context.Context, *rules.Input) (rules.Outcome, []rules.Step, error)

func (c *Case) judge(ctx context.Context, eval evaluate) (Judgement, error) {
	basis := Basis{Policy: c.Policy.Digest, Position: c.Position, Tier: TierRefused}
	considered := c.consider()
	if considered.refusal != "" {
		return Judgement{Decision: Decision{Reason: considered.refusal, Basis: basis}}, nil
	}
	in := considered.reduce(c.Policy, c.People, exactly(c.Now))
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	outcome, steps, err := eval(bounded, &in)
	if err != nil {
		return Judgement{}, judgementError(bounded, err)
	}
	basis.Tier = TierRules
	h := &considered.holding
	return Judgement{
		Decision: considered.decision(c.Policy, c.People.Subject.Membership.Grant, &outcome, basis), Input: &in, Steps: steps,
		Held: h.all, Wide: h.wide, Denied: h.denied,
	}, nil
}
