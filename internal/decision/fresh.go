package decision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A Need says how fresh the facts of a question have to be. The zero value is the
// careful one.
type Need struct {
	// Bounded tells that every guard of the question is of a bounded category: it may be
	// answered from older facts for a while (design R9).
	Bounded bool
	// Min is the position that the asker has seen (R15). Zero: none.
	Min portal.Mark
	// Policy is what was promoted that will judge the facts (R13). Zero: nothing.
	Policy portal.Promoted
}

// Known are facts that were true together.
type Known struct {
	Facts    []portal.Facts // in the order of the keys
	Position portal.Position
	Now      Moment // what to judge times by
}

// FreshFacts is a Facts that has to be told how fresh what it finds must be, because
// nothing acknowledged before the call can be known to be in it otherwise.
type FreshFacts interface {
	ReadFresh(ctx context.Context, keys []portal.FactKey, need Need) (Known, error)
}

// A Moment is when now is: somewhere from Earliest to Latest. What begins at a time has
// begun if Earliest is not before it; what ends at a time has ended unless Latest is
// before it (R12).
type Moment struct{ Earliest, Latest time.Time }

// exactly is the moment of a clock that is believed.
func exactly(now time.Time) Moment { return Moment{now, now} }

// Errors of a FreshFacts, besides those that mean that facts cannot be read.
var (
	// ErrNotReady: nothing is known yet.
	ErrNotReady = errors.New("nothing is known yet")
	// ErrStale: what is known may be too old (R9).
	ErrStale = errors.New("what is known may be too old")
	// ErrRevisionNotReached: the asker demands a later position than there is (R15).
	ErrRevisionNotReached = errors.New("the demanded revision is not reached")
	// ErrPolicyMoved: the facts go with another policy than the one that would judge
	// them (R13).
	ErrPolicyMoved = fmt.Errorf("another policy is promoted: %w", ErrStale)
)

// unanswered are the codes of errors of facts.
var unanswered = []struct {
	err  error
	code Unavailability
}{{ErrNotReady, NotReady}, {ErrStale, Stale}, {ErrRevisionNotReached, RevisionNotReached}}

type minimumKey struct{}

// WithMinimum returns a context whose questions are answered from facts of a position
// or later ones, or not at all (R15).
func WithMinimum(ctx context.Context, min portal.Mark) context.Context {
	return context.WithValue(ctx, minimumKey{}, min)
}

func minimum(ctx context.Context) portal.Mark {
	min, _ := ctx.Value(minimumKey{}).(portal.Mark)
	return min
}

// reached tells whether facts at a position satisfy a minimum.
func reached(min portal.Mark, at portal.Position) bool {
	return at.Revision > min.Revision || min.Marks(at)
}

// find reads the facts of keys, as fresh as the questions need and their context says.
func (d *Decider) find(ctx context.Context, keys []portal.FactKey, need Need, now time.Time) (Known, error) {
	need.Min = minimum(ctx)
	if d.fresh != nil {
		return d.fresh.ReadFresh(ctx, keys, need)
	}
	facts, position, err := d.facts.ReadAll(ctx, keys)
	if err == nil && !reached(need.Min, position) {
		err = ErrRevisionNotReached
	}
	return Known{Facts: facts, Position: position, Now: exactly(now)}, err
}

// bounded tells whether the question may be answered from older facts for a while.
func (c *consideration) bounded() bool { return c.plan != nil && c.plan.bounded }

// boundedBy tells whether all that the answer about an action can depend on is of
// bounded categories, those that its rules read besides: the strictest wins (R9). What
// has no category is strict.
func boundedBy(c *catalogue.Catalogue, a *catalogue.Action, reads []string) bool {
	for _, name := range slices.Concat(a.Guards, reads) {
		if freshness(c, name) != catalogue.Bounded {
			return false
		}
	}
	return len(a.Guards) > 0
}

func freshness(c *catalogue.Catalogue, name string) catalogue.Freshness {
	for _, category := range c.Categories {
		if category.Name == name {
			return category.Freshness
		}
	}
	return catalogue.Strict
}
