package decision

import (
	"context"

	"doorward/internal/policy/rules"
)

// Reduced is what the rules are asked about a question, for tests that ask them
// without the memo. A refusal tells that the rules are not asked.
func (d *Decider) Reduced(ctx context.Context, q Question) (in *rules.Input, refusal Reason, err error) {
	e, c, now := d.inUse.Load(), new(consideration), d.now()
	e.consider(c, q)
	who, _, err := d.read(ctx, e, c, now)
	if err != nil || c.refusal != "" {
		return nil, c.refusal, err
	}
	reduced := c.reduce(e.policy, who, exactly(now))
	return &reduced, "", nil
}

// Outcome answers an input as the input of a question is answered: from the memo,
// else from the rules.
func (d *Decider) Outcome(ctx context.Context, in *rules.Input) (*rules.Outcome, Tier, error) {
	e := d.inUse.Load()
	return e.outcome(ctx, e.plans[in.Action.Name], in, d.timeout)
}

// Remembered is how many outcomes are remembered.
func (d *Decider) Remembered() int { return d.inUse.Load().remembered() }
