package explain

import (
	"context"
	"slices"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// What a change is of, the nearest to the person first: what somebody may ask an
// owner for comes before what only the provider can do.
const (
	ofGrant    = "grant"
	ofPerson   = "person"
	ofSession  = "session"
	ofRequest  = "request"
	ofAccount  = "account"
	ofProvider = "provider"
)

// maxChanges is how many changes are listed.
const maxChanges = 24

// A candidate is a change that may make the other answer.
type candidate struct {
	of    string
	text  string
	apply func(*decision.Case)
}

// nearest are the changes to list: single ones, else, when another account must be
// acted on first, those that are enough together with that.
func (s subject) nearest(ctx context.Context) (flips []Change, incomplete bool) {
	candidates := s.candidates()
	flips, incomplete = s.changes(ctx, candidates)
	if len(flips) > 0 || incomplete || s.judged.Decision.Reason != decision.SwitchRequired {
		return flips, incomplete
	}
	return s.changes(ctx, s.switched(candidates))
}

// changes judges the case with each candidate and returns those that made the other
// answer, in their order. Incomplete tells that some could not be judged.
func (s subject) changes(ctx context.Context, candidates []candidate) (flips []Change, incomplete bool) {
	flips = []Change{}
	for _, candidate := range candidates {
		if len(flips) == maxChanges || ctx.Err() != nil {
			return flips, true
		}
		changed := *s.Case
		candidate.apply(&changed)
		d, err := changed.Judge(ctx)
		if err != nil {
			incomplete = true
			continue
		}
		if d.Allow != s.judged.Decision.Allow {
			flips = append(flips, Change{Of: candidate.of, Text: candidate.text, Then: d.Reason})
		}
	}
	return flips, incomplete
}

// candidates are all changes that are tried, the least first.
func (s subject) candidates() []candidate {
	if s.action == nil {
		return nil // no facts let anybody do what there is not
	}
	if s.aboutEntities() {
		return s.ofEntities()
	}
	return slices.Concat(
		s.ofCategories(), s.ofTime(), s.ofScope(), s.ofMembership(), s.ofPresets(), s.ofMember(), s.ofOwnership(),
		s.ofMail(), s.ofContact(), s.ofUser(),
		s.ofLogin(), s.ofActing(), s.ofActor(), s.ofRequest(), s.ofAccount(), s.ofSwitches(), s.ofStaff(),
	)
}

// grant makes a candidate that changes the subject's grant, of which change gets a copy.
func grant(text string, change func(*portal.Grant)) candidate {
	return candidate{ofGrant, text, func(c *decision.Case) {
		m := &c.People.Subject.Membership
		m.Grant = copied(m.Grant)
		change(m.Grant)
	}}
}

// copied is a grant that may be changed.
func copied(g *portal.Grant) *portal.Grant {
	own := *g
	own.Presets, own.Categories = slices.Clone(g.Presets), slices.Clone(g.Categories)
	own.Scope, own.AccountWide = slices.Clone(g.Scope), slices.Clone(g.AccountWide)
	return &own
}

// without is the list without a word.
func without[T comparable](list []T, word T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(w T) bool { return w == word })
}

// granted tells whether the subject has a grant, in force or not.
func (s subject) granted() bool { return s.People.Subject.Membership.Grant != nil }

// with is the object v with a value at a path of names; absent leaves out what is
// there. What is on the way and no object is replaced by one.
func with(v ijson.Value, path []string, value ijson.Value) ijson.Value {
	if len(path) == 0 {
		return value
	}
	below := with(v.Get(path[0]), path[1:], value)
	var members []ijson.Member
	for _, m := range v.Members() {
		if m.Name != path[0] {
			members = append(members, m)
		}
	}
	if below.Kind() != ijson.Absent {
		members = append(members, ijson.Member{Name: path[0], Value: below})
	}
	return ijson.ObjectValue(members...)
}

// inContext makes a candidate that sets a part of the question's context, or leaves it
// out.
func inContext(of, text string, value ijson.Value, path ...string) candidate {
	return candidate{of, text, func(c *decision.Case) {
		c.Question.Context = with(c.Question.Context, path, value)
	}}
}
