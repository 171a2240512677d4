package policytool

import (
	"fmt"
	"slices"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/strictyaml"
)

// aboutNames is the requirement that a row cites to use names that nothing has: an
// allow never comes from a name. In any other row such a name is misspelt, and the row
// would pass for the wrong reason.
const aboutNames = "invariant 12"

// reasonUnknownAction is what a row wants that asks for an action there is not.
const reasonUnknownAction = "action_unknown"

// checkNames refuses rows that name presets, categories or actions that there are not,
// unless that is what they are about.
func (s *suite) checkNames(faults *fault.List) {
	for i := range s.tables {
		t := &s.tables[i]
		if p := s.policies[t.setting().key()]; p != nil {
			n := newNames(p)
			for j := range t.Rows {
				n.check(t.File, &t.Rows[j], faults)
			}
		}
	}
}

// names are what a policy has names for.
type names struct{ presets, categories, actions []string }

func newNames(p *policy.Policy) names {
	n := names{presets: p.Presets.Names()}
	for _, c := range p.Catalogue.Categories {
		n.categories = append(n.categories, c.Name)
	}
	for _, a := range p.Catalogue.Actions() {
		n.actions = append(n.actions, a.Name)
	}
	return n
}

func (n names) check(file string, row *Row, faults *fault.List) {
	refuse := func(what string, used, known []string) {
		for _, name := range used {
			if !slices.Contains(known, name) {
				faults.Add(fault.Fault{File: file, Line: row.Line,
					Message: fmt.Sprintf("no %s is called %q", what, name), Fix: strictyaml.Suggest(name, known)})
			}
		}
	}
	if row.Want != reasonUnknownAction {
		refuse("action", row.Do, n.actions)
	}
	if slices.Contains(row.Req, aboutNames) {
		return
	}
	for _, who := range []*Who{&row.Who, row.Member, row.Actor} {
		if who != nil {
			refuse("preset", who.Presets, n.presets)
			refuse("category", slices.Concat(who.Categories, who.Wide), n.categories)
		}
	}
}
