package reference

import (
	"slices"
	"strings"
)

// An action is one row of the catalogue as the requirements have it.
type action struct {
	name      string
	class     string   // guarded, self, staff or mail
	guards    []string // all are needed (A13.17)
	mail      string   // which mail, for mail.<category>.receive
	reads     bool
	scope     string // service, domain or "": about the account (A13.16)
	sensitive bool   // invariant 13
}

// actions reads the tables.
func actions() map[string]action {
	all := map[string]action{}
	add := func(a action) {
		words := strings.Split(a.name, ".")
		a.reads = a.class == "mail" || has(readingWords, words[len(words)-1]) && !has(pretenders, a.name)
		a.sensitive = has(sensitive, a.name)
		switch {
		case has(ofService, a.name):
			a.scope = "service"
		case has(ofDomain, a.name):
			a.scope = "domain"
		}
		all[a.name] = a
	}
	for _, c := range categories {
		for _, name := range strings.Fields(c.actions) {
			guards := []string{c.name}
			if second := secondGuard[name]; second != "" {
				guards = append(guards, second)
			}
			add(action{name: name, class: "guarded", guards: guards})
		}
	}
	for _, name := range strings.Fields(ownAffairs) {
		add(action{name: name, class: "self"})
	}
	for _, name := range strings.Fields(staffActions) {
		add(action{name: name, class: "staff"})
	}
	for name, m := range mails { // A13.14
		a := action{name: "mail." + name + ".receive", class: "mail", mail: name}
		if m.guard != "" {
			a.guards = []string{m.guard}
		}
		add(a)
	}
	return all
}

// lists tells whether an action lists services or domains (A13.16).
func (a action) lists() bool { return a.scope != "" && strings.HasSuffix(a.name, ".list") }

// guardedBy tells whether a category guards the action.
func (a action) guardedBy(category string) bool { return slices.Contains(a.guards, category) }
