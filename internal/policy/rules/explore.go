package rules

import (
	"context"
	"math/rand/v2"
	"slices"

	"doorward/internal/policy/catalogue"
)

// Explore judges made-up inputs until unreached returns nothing, ctx ends or enough
// was tried, and returns how many there were. They are the same in every run, such as a question
// could have, and chosen to meet what the unreached rules ask for; a Trace of p tells
// what they reached.
func (p *Program) Explore(ctx context.Context, cat *catalogue.Catalogue, unreached func() []Part) int {
	m := &maker{
		actions: cat.Actions(), schema: p.schema, slots: slotsOf(p.schema), random: rand.New(rand.NewPCG(1, 2)),
	}
	demands, judged := p.demands(), 0
	for range rounds {
		left := unreached()
		if len(left) == 0 {
			return judged
		}
		wanted := []demand{{}} // once without any, for what a rule asks for only by way of others
		for _, part := range left {
			wanted = append(wanted, demands[part.place()])
		}
		for _, want := range wanted {
			for range tries {
				if ctx.Err() != nil {
					return judged
				}
				in := m.input(want)
				// What cannot be judged reaches its rules as well.
				_, _ = p.Eval(ctx, &in)
				judged++
			}
		}
	}
	return judged
}

// rounds is how often every unreached rule has its turn: what so many inputs made for
// a rule do not reach, more of them seldom do.
const rounds = 5

// tries is how many inputs are made for a rule before the next one has its turn.
const tries = 50

// A demand is what the input must be for a rule to fire, as far as it compares leaves
// with constants: by the leaf's name below input, the values that would do.
type demand map[string][]string

// A maker makes inputs up.
type maker struct {
	actions []*catalogue.Action
	schema  *Schema
	slots   []slot
	random  *rand.Rand
}

func pick[T any](m *maker, all []T) T { return all[m.random.IntN(len(all))] }

// input makes one up: that of an active member who may do what is asked, but for a
// few facts, and for what is demanded.
func (m *maker) input(want demand) Input {
	a := m.action(want)
	in := m.usual(a)
	for range m.random.IntN(maxOdd) {
		s := pick(m, m.slots)
		s.set(&in, pick(m, s.values))
	}
	for _, s := range m.slots {
		if values := want[s.name]; len(values) > 0 {
			s.set(&in, pick(m, values))
		}
	}
	m.possible(a, &in)
	return in
}

// maxOdd bounds how many facts of an input are not the usual ones.
const maxOdd = 5

// action is one that fits what is demanded of it; any, when none does.
func (m *maker) action(want demand) *catalogue.Action {
	fits := slices.DeleteFunc(slices.Clone(m.actions), func(a *catalogue.Action) bool {
		sensitive := "false"
		if a.Sensitive {
			sensitive = "true"
		}
		for name, is := range map[string]string{"action.name": a.Name, "action.category": a.Category, "action.effect": a.Effect, "action.sensitive": sensitive} {
			if values := want[name]; len(values) > 0 && !slices.Contains(values, is) {
				return true
			}
		}
		return false
	})
	if len(fits) == 0 {
		fits = m.actions
	}
	return pick(m, fits)
}

// usual is the input of an active member who may do what is asked.
func (m *maker) usual(a *catalogue.Action) Input {
	in := Input{
		Action:   ActionFacts{Name: a.Name, Category: a.Category, Effect: a.Effect, Sensitive: a.Sensitive},
		Subject:  SubjectFacts{Type: "user", Kind: "member", Status: "active"},
		Grant:    GrantFacts{State: "active", Holds: true, InScope: "whole_account", Subscribed: "by_default"},
		Account:  AccountFacts{Status: "active"},
		Session:  SessionFacts{MFA: true, MFAFresh: true, Acting: "same", Actor: "nobody"},
		Resource: ResourceFacts{Own: true, Member: "covered"},
	}
	for range m.schema.Has {
		in.Has = append(in.Has, true)
	}
	for _, leaf := range m.schema.Request {
		in.Request = append(in.Request, leaf.Absent)
	}
	return in
}

// possible takes from an input what no question could have together.
func (m *maker) possible(a *catalogue.Action, in *Input) {
	active := in.Grant.State == "active"
	switch {
	case in.Subject.Type == "contact":
		in.Subject.Kind = "contact"
	case !active:
		in.Subject.Kind = "stranger"
	case in.Subject.Kind == "contact" || in.Subject.Kind == "stranger":
		in.Subject.Kind = "member"
	}
	in.Subject.StaffMay = in.Subject.StaffMay && (a.Class == catalogue.Staff || a.Class == catalogue.Guarded && a.Effect == catalogue.Read)
	in.Grant.Holds = in.Grant.Holds && active
	if a.Class != catalogue.Receive {
		in.Grant.Subscribed = "no"
	}
	if !a.AboutMember {
		in.Resource.Member = "nobody"
	}
	for i, leaf := range m.schema.Has {
		in.Has[i] = in.Has[i] && active && leaf.For(a.Name)
	}
	for i, leaf := range m.schema.Request {
		if !leaf.For(a.Name) {
			in.Request[i] = leaf.Absent
		}
	}
	if a.Class == catalogue.Entity {
		m.entities(a, in)
	}
}
