package reference

import (
	"slices"
	"strings"

	"doorward/internal/portal"
)

// holds tells whether a grant gives a category: by a preset, or directly (C13, 50).
func (m *Model) holds(g portal.Grant, category string) bool {
	if slices.Contains(g.Categories, category) || slices.Contains(g.AccountWide, category) {
		return true
	}
	return slices.ContainsFunc(g.Presets, func(preset string) bool { return m.presetHolds(preset, category) })
}

// presetHolds reads part D's table.
func (m *Model) presetHolds(preset, category string) bool {
	if preset == "all" && slices.Contains(m.AllAdds, category) {
		return true // A13.2
	}
	for _, c := range categories {
		if c.name == category {
			return columns[preset] != "" && strings.Contains(c.presets, columns[preset])
		}
	}
	return false
}

// holdsWide tells whether a grant gives a category on the whole account (A13.16).
func (m *Model) holdsWide(g portal.Grant, category string) bool {
	if len(g.Scope) == 0 {
		return m.holds(g, category)
	}
	return slices.Contains(g.AccountWide, category)
}

// ownersOnly tells what nobody but the owner holds, however they came by it (A13.2).
func (s *situation) ownersOnly(category string) bool {
	return !s.owner() && (category == "ownership" || category == "security")
}

// held tells whether the grant gives a category, wherever.
func (s *situation) held(category string) bool {
	return s.holds(s.grant, category) && !s.ownersOnly(category)
}

// wide tells whether it gives it on the whole account.
func (s *situation) wide(category string) bool {
	return s.holdsWide(s.grant, category) && !s.ownersOnly(category)
}

// here tells whether it gives it where the action is done.
func (s *situation) here(category string) bool {
	return s.wide(category) || s.held(category) && s.listed()
}

// listed tells whether the resource is of the kind the action is done on, and in
// the grant's scope.
func (s *situation) listed() bool {
	return s.scope != "" && s.Resource.Type == s.scope && slices.Contains(s.grant.Scope, s.Resource)
}

// ordersCancel tells whether orders stand for a category (C5).
func (s *situation) ordersCancel(category string) bool {
	return category == "cancellations" && s.Cancellations == "with_orders"
}

// guardsHeld tells whether no guard is missing (47, A13.17).
func (s *situation) guardsHeld() bool {
	for _, g := range s.guards {
		if !s.held(g) && !(s.ordersCancel(g) && s.here("orders")) {
			return false
		}
	}
	return true
}

// inScope tells whether the grant covers the resource, and sets the filter of a
// list (A13.16). All guards are held.
func (s *situation) inScope() bool {
	switch {
	case len(s.grant.Scope) == 0, s.guardsOn(s.wide), s.guardsOn(s.here):
		return true
	case !s.lists() || s.Resource.Type != portal.TypeAccount:
		return false
	}
	for _, r := range s.grant.Scope {
		if r.Type == s.scope {
			s.filter = append(s.filter, r)
		}
	}
	return len(s.filter) > 0
}

// guardsOn tells whether there are guards and all are held at a place.
func (s *situation) guardsOn(place func(string) bool) bool {
	for _, g := range s.guards {
		if !place(g) && !(s.ordersCancel(g) && place("orders")) {
			return false
		}
	}
	return len(s.guards) > 0
}
