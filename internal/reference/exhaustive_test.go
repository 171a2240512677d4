package reference

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// states are the accounts of the exhaustive comparison.
var states = map[string]portal.AccountFacts{
	"active":    {Status: portal.AccountActive},
	"suspended": {Status: portal.AccountSuspended},
	"closed":    {Status: portal.AccountClosed},
	"demanding": {Status: portal.AccountActive, MFARequired: true},
}

// A granted is one union of presets with one category besides.
type granted struct {
	user    portal.Ref
	presets []string
	added   string
}

// unions are all unions of the six presets, each with no category and with each
// category besides (77, 79, C13).
func unions() []granted {
	names := []string{"owner", "administrator", "billing", "support", "developer", "all"}
	var all []granted
	for set := range 1 << len(names) {
		var presets []string
		for i, name := range names {
			if set>>i&1 == 1 {
				presets = append(presets, name)
			}
		}
		for i := -1; i < len(categories); i++ {
			g := granted{user: portal.Ref{Type: portal.TypeUser, ID: fmt.Sprintf("u%d-%d", set, i)}, presets: presets}
			if i >= 0 {
				g.added = categories[i].name
			}
			all = append(all, g)
		}
	}
	return all
}

// facts are those of the grant in an account.
func (g granted) facts(account portal.AccountFacts) portal.Facts {
	grant := &portal.Grant{Presets: g.presets}
	if g.added != "" {
		grant.Categories = []string{g.added}
	}
	return portal.Facts{
		Account: account, User: portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: grant,
			Owner: slices.Equal(g.presets, []string{"owner"})},
	}
}

// Every union of presets with every category besides, every action, in an account
// of every state, with and without a second factor, under every profile: req 36, req 47, req 49, req 50, req 56, req 57, req 58, req 60,
// req 61, req 62, req 63, req 65, req 66, req 67, req 68, req 71, req 72, req 75,
// req 76, req 77, req 78, req 79, C4, C5, C13, A13.2, A13.3, A13.4, A13.15,
// A13.17, invariant 2, invariant 10, invariant 11.
func TestEveryUnionOfPresetsIsAnsweredAsRequired(t *testing.T) {
	all := unions()
	w := &world{Directory{}}
	for state, account := range states {
		for _, g := range all {
			w.known[portal.FactKey{Account: portal.AccountID(state), Subject: g.user}] = g.facts(account)
			w.known[portal.FactKey{Subject: g.user}] = portal.Facts{User: portal.UserFacts{Status: portal.UserActive}}
		}
	}
	var mu sync.Mutex
	differ, asked := differences{}, 0
	t.Run("settings", func(t *testing.T) {
		for _, setting := range settings {
			t.Run("setting "+setting, func(t *testing.T) {
				t.Parallel()
				switches, _ := Profile(setting)
				p := newPair(setting, switches, load(t, setting, nil), w)
				p.askAll(t, all)
				mu.Lock()
				defer mu.Unlock()
				differ.merge(p.differ)
				asked += p.asked
			})
		}
	})
	differ.report(t)
	// 64 unions, 1 + 21 categories, over 120 actions, 4 states and once more with a
	// second factor.
	if asked < 64*22*120*5*len(settings) {
		t.Errorf("only %d questions were asked", asked)
	}
	t.Logf("%d questions", asked)
}

// askAll asks about all grants, actions and states.
func (p *pair) askAll(t *testing.T, all []granted) {
	for state, account := range states {
		logins := []map[string]any{nil}
		if account.MFARequired {
			logins = append(logins, map[string]any{"amr": []any{"pwd", "otp"}})
		}
		for _, login := range logins {
			for name, a := range p.model.actions {
				p.askEach(t, all, name, a, state, login)
			}
		}
	}
}

func (p *pair) askEach(t *testing.T, all []granted, name string, a action, state string, login map[string]any) {
	q := Question{Action: name, Resource: portal.Ref{Type: portal.TypeAccount, ID: state}, Context: login}
	asked := asDecided(q)
	ownUser := a.class == "self" && (strings.HasPrefix(name, "self.") || name == "account.list")
	for _, g := range all {
		q.Subject = g.user
		if ownUser {
			q.Resource = g.user
		}
		asked.Subject, asked.Resource.Ref = decision.Entity{Ref: q.Subject}, q.Resource
		p.ask(t, q, asked)
	}
}
