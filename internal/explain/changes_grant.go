package explain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/portal"
)

// ofCategories gives and takes single categories. What only an owner may hold is given
// to nobody.
func (s subject) ofCategories() []candidate {
	if !s.granted() || s.People.Subject.Membership.Owner {
		return nil
	}
	g, scoped := s.People.Subject.Membership.Grant, len(s.People.Subject.Membership.Grant.Scope) > 0
	var list []candidate
	for _, c := range s.delegable() {
		if !slices.Contains(g.Categories, c) {
			list = append(list, grant("give the category "+c, func(g *portal.Grant) { g.Categories = append(g.Categories, c) }))
		}
		if scoped && !slices.Contains(g.AccountWide, c) {
			list = append(list, grant("give the category "+c+" on the whole account", func(g *portal.Grant) { g.AccountWide = append(g.AccountWide, c) }))
		}
	}
	for _, c := range union(g.Categories, g.AccountWide) {
		list = append(list, grant("take away the category "+c, func(g *portal.Grant) {
			g.Categories, g.AccountWide = without(g.Categories, c), without(g.AccountWide, c)
		}))
	}
	return list
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// delegable are the categories that can be given to others (A13.2).
func (s subject) delegable() []string {
	var names []string
	for _, c := range s.Policy.Catalogue.Categories {
		if c.Delegable {
			names = append(names, c.Name)
		}
	}
	return names
}

// ofPresets gives and takes single presets.
func (s subject) ofPresets() []candidate {
	m := s.People.Subject.Membership
	if !s.granted() || m.Owner {
		return nil
	}
	var list []candidate
	for _, name := range m.Grant.Presets {
		list = append(list, grant("take away the preset "+name+s.because(name, true), func(g *portal.Grant) { g.Presets = without(g.Presets, name) }))
	}
	for _, name := range s.offered(m.Grant.Presets) {
		list = append(list, grant("give the preset "+name+s.because(name, false), func(g *portal.Grant) { g.Presets = append(g.Presets, name) }))
	}
	return list
}

// ofOwnership makes the subject the owner, or another; who was it keeps the preset all
// (A13.12).
func (s subject) ofOwnership() []candidate {
	to := func(text string, owner bool, preset string) []candidate {
		return []candidate{{ofGrant, text, func(c *decision.Case) {
			c.People.Subject.Membership = portal.MembershipFacts{
				State: portal.MembershipActive, Owner: owner, Grant: &portal.Grant{Presets: []string{preset}},
				Mail: c.People.Subject.Membership.Mail,
			}
		}}}
	}
	switch {
	case s.Account == "" || s.Question.Subject.Type != portal.TypeUser:
		return nil
	case s.People.Subject.Membership.Owner:
		return to("hand the account over to another owner, keeping the preset "+presets.All, false, presets.All)
	}
	return to("make them the owner of the account", true, presets.Owner)
}

// offered are the presets that are not held, the one that gives least first. An
// owner's is given with ownership only.
func (s subject) offered(held []string) []string {
	names := slices.DeleteFunc(s.Policy.Presets.Names(), func(name string) bool {
		return name == presets.Owner || slices.Contains(held, name)
	})
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(s.gives(a), s.gives(b)) })
	return names
}

func (s subject) gives(preset string) int {
	return len(s.Policy.Catalogue.Names(s.Policy.Presets.Holds([]string{preset}, nil)))
}

// because names the line by which a preset gives, or denies, a permission that was
// missing.
func (s subject) because(preset string, denies bool) string {
	for _, g := range s.guards {
		if g.Held {
			continue
		}
		for _, l := range s.Policy.Presets.Lines(preset, g.Object) {
			switch {
			case l.Deny && denies:
				return fmt.Sprintf(": %s:%d denies %s", l.File, l.Number, g.Object)
			case !l.Deny && !denies:
				return fmt.Sprintf(" (%s:%d gives %s)", l.File, l.Number, g.Object)
			}
		}
	}
	return ""
}

// ofScope widens and narrows what the grant covers (A13.16).
func (s subject) ofScope() []candidate {
	if !s.granted() || s.People.Subject.Membership.Owner {
		return nil
	}
	scope, resource := s.People.Subject.Membership.Grant.Scope, s.Question.Resource.Ref
	if len(scope) == 0 {
		return []candidate{grant("limit the grant to other services and domains", func(g *portal.Grant) {
			g.Scope = []portal.Ref{{Type: catalogue.ScopeService, ID: elsewhere}, {Type: catalogue.ScopeDomain, ID: elsewhere}}
		})}
	}
	limit := scope[0].String()
	if len(scope) > 1 {
		limit = fmt.Sprintf("%d listed things", len(scope))
	}
	list := []candidate{grant("lift the limit to "+limit, func(g *portal.Grant) { g.Scope = nil })}
	switch listed := slices.Contains(scope, resource); {
	case listed && len(scope) > 1:
		list = append(list, grant("take "+resource.String()+" out of the scope", func(g *portal.Grant) { g.Scope = without(g.Scope, resource) }))
	case !listed && resource.Type == s.action.Scope:
		list = slices.Insert(list, 0, grant("add "+resource.String()+" to the scope", func(g *portal.Grant) { g.Scope = append(g.Scope, resource) }))
	}
	return list
}

// elsewhere is the id of a thing that is no other.
const elsewhere = "\x00elsewhere"

// ofTime moves the bounds of the grant.
func (s subject) ofTime() []candidate {
	if !s.granted() || s.People.Subject.Membership.Owner {
		return nil
	}
	g := s.People.Subject.Membership.Grant
	var list []candidate
	if !g.NotAfter.IsZero() && !s.Now.Before(g.NotAfter) {
		list = append(list, grant("prolong the grant, which ended at "+timeText(g.NotAfter), func(g *portal.Grant) { g.NotAfter = time.Time{} }))
	} else {
		list = append(list, grant("let the grant end", func(g *portal.Grant) { g.NotAfter = s.Now }))
	}
	if s.Now.Before(g.NotBefore) {
		list = append(list, grant("let the grant begin at once, not at "+timeText(g.NotBefore), func(g *portal.Grant) { g.NotBefore = time.Time{} }))
	}
	return list
}
