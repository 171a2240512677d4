package decision

import (
	"slices"
	"time"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A holding is a grant expanded to what it gives (A13.16).
type holding struct {
	all  catalogue.Set // categories and mails, on the whole account or in scope
	wide catalogue.Set // those on the whole account
	// byPreset are what presets give, and denied what they deny.
	byPreset, denied catalogue.Set
}

// holdingOf expands a grant. A nil grant gives nothing.
func holdingOf(p *policy.Policy, g *portal.Grant) holding {
	if g == nil {
		return holding{}
	}
	var h holding
	h.byPreset, h.denied = p.Presets.Gives(g.Presets)
	wide := p.Catalogue.Set(g.AccountWide...)
	h.all = h.byPreset.Union(p.Catalogue.Set(g.Categories...)).Union(wide).Minus(h.denied)
	h.wide = h.all
	if len(g.Scope) > 0 {
		h.wide = h.all.Common(wide)
	}
	return h
}

// withoutOwners takes away what only the owner may hold, however somebody else came
// by it (A13.2).
func (h *holding) withoutOwners(p *policy.Policy) {
	h.all, h.wide = h.all.Minus(p.Catalogue.OwnersOnly()), h.wide.Minus(p.Catalogue.OwnersOnly())
}

// A Held is what a membership gives at a time, for others than those who decide.
type Held struct {
	// State is that of the grant as rules see it. Unless it is "active", nothing is held.
	State string
	// Anywhere is what is held on the whole account or on some things of it, and Whole
	// what is held on the whole account (A13.16).
	Anywhere, Whole catalogue.Set
}

// HeldBy expands a membership as a decision at that time does.
func HeldBy(p *policy.Policy, m portal.MembershipFacts, now time.Time) Held {
	h := Held{State: grantState(m, exactly(now))}
	if h.State == stateActive {
		held := holdingBy(p, m)
		h.Anywhere, h.Whole = held.all, held.wide
	}
	return h
}

// holdingBy expands the grant of a membership in force.
func holdingBy(p *policy.Policy, m portal.MembershipFacts) holding {
	h := holdingOf(p, unlimited(m))
	if !m.Owner {
		h.withoutOwners(p)
	}
	return h
}

// unlimited is the grant of a membership. The owner's has no scope, whatever was
// stored (req 7).
func unlimited(m portal.MembershipFacts) *portal.Grant {
	if !m.Owner || m.Grant == nil || len(m.Grant.Scope) == 0 {
		return m.Grant
	}
	whole := *m.Grant
	whole.Scope = nil
	return &whole
}

// holds tells whether what guards the action is held, wherever. A preset that
// denies a mail denies it to whoever chose it.
func (h *holding) holds(a *catalogue.Action) bool {
	if a.Mail == "" {
		return h.all.Contains(a.Guard)
	}
	return !h.denied.Has(a.MailBit) && (h.all.Contains(a.Guard) || a.ByRole && h.byPreset.Has(a.MailBit))
}

// hasHere tells whether the category with that bit is held where the action is
// done, which is in_scope of the grant.
func (h *holding) hasHere(bit int, inScope string) bool {
	return h.wide.Has(bit) || h.all.Has(bit) && (inScope == scopeYes || inScope == scopeListed)
}

// How a grant's scope covers the resource, as rules see it.
const (
	scopeYes    = "yes"
	scopeNo     = "no"
	scopeListed = "listed"
	scopeWhole  = "whole_account"
)

// inScope tells whether the grant covers the resource (A13.16): on the whole
// account; else only an action with a scope, on a listed resource of that type; or
// the action lists such resources, and those listed in the grant are meant.
func (c *consideration) inScope(g *portal.Grant) string {
	a := c.plan.action
	switch {
	case g == nil || len(g.Scope) == 0 || a.Class == catalogue.Self || a.Class == catalogue.Staff:
		return scopeWhole
	case !a.Guard.IsEmpty() && c.holding.wide.Contains(a.Guard):
		return scopeWhole
	case a.Scope == catalogue.ScopeNone:
		return scopeNo
	}
	return covered(a, c.question.Resource.Ref, g.Scope)
}

// covered tells how a list of resources covers the one that a is done to.
func covered(a *catalogue.Action, resource portal.Ref, listed []portal.Ref) string {
	switch {
	case resource.Type == a.Scope && slices.Contains(listed, resource):
		return scopeYes
	case a.List && resource.Type == portal.TypeAccount && len(ofType(a.Scope, listed)) > 0:
		return scopeListed
	}
	return scopeNo
}

// ofType returns the refs of that type, in order.
func ofType(typ string, refs []portal.Ref) []portal.Ref {
	var some []portal.Ref
	for _, r := range refs {
		if r.Type == typ {
			some = append(some, r)
		}
	}
	return some
}

// Covers tells whether whoever holds g holds all that other gives, wherever it gives
// it, and for as long (A13.7, invariant 7). Mail is no right and does not count.
func Covers(p *policy.Policy, g, other *portal.Grant) bool {
	mine, theirs := holdingOf(p, g), holdingOf(p, other)
	mine.withoutOwners(p)
	if g == nil || other == nil || !lasts(g, other) {
		return false
	}
	for i := range p.Catalogue.Categories {
		if theirs.all.Has(i) && !mine.wide.Has(i) {
			within := mine.all.Has(i) && !theirs.wide.Has(i) && subset(other.Scope, g.Scope)
			if !within {
				return false
			}
		}
	}
	return true
}

// lasts tells whether g is in force as long as other.
func lasts(g, other *portal.Grant) bool {
	return g.NotAfter.IsZero() || !other.NotAfter.IsZero() && !other.NotAfter.After(g.NotAfter)
}

func subset(some, all []portal.Ref) bool {
	return !slices.ContainsFunc(some, func(r portal.Ref) bool { return !slices.Contains(all, r) })
}
