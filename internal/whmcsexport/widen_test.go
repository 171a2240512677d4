package whmcsexport_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
	"doorward/internal/whmcsexport"
)

// Nothing widens in silence, whatever a membership grants and whatever the provider
// chose: what WHMCS allows by a permission that is written, as the catalogue says, the
// engine allows too, or the row says that it is gained. And nothing narrows in silence:
// what is held is in a permission, or lost. The engine is asked about actions on the
// account; the departments of tickets are no part of the question (A13.5).
func TestNothingWidensOrNarrowsInSilence(t *testing.T) {
	for _, switches := range []map[string]string{
		nil,
		{"cancellations": "owner_only"},
		{"cancellations": "with_orders", "billing.pay": "false"},
		{"presets.all_adds": "[users, cancellations]", "billing.pay": "false", "cancellations": "owner_only"},
	} {
		p := load(t, "", switches)
		d := dice{rand.New(rand.NewPCG(7, 7)), p}
		store := open(t)
		var seats []seat
		for i := range 200 {
			seats = append(seats, seated("42", fmt.Sprintf("u%03d", i), d.grant()))
		}
		putSeats(t, store, seats...)
		rows, _ := exported(t, store, p)
		ask := newAsker(p)
		if len(rows) != len(seats) {
			t.Fatalf("%d rows of %d", len(rows), len(seats))
		}
		gained, full := 0, 0
		for i, row := range rows {
			compare(t, p.Catalogue, ask, seats[i].member, row)
			gained += min(1, len(row.Gained))
			full += min(1, len(row.Permissions))
		}
		if gained < 40 || full < 100 {
			t.Errorf("%v: of 200 rows only %d have permissions and %d gain: the grants try nothing", switches, full, gained)
		}
	}
}

func compare(t *testing.T, c *catalogue.Catalogue, ask *asker, m portal.Membership, row whmcsexport.Row) {
	t.Helper()
	given := given(c, row.Permissions)
	for _, a := range c.Actions() {
		if a.Class != catalogue.Guarded || !given[a.Guards[0]] {
			continue
		}
		if !ask.allowed(t, m, a.Name) && !slices.Contains(row.Gained, a.Name) && !gains(row, a.Guards) {
			t.Errorf("%+v: %s gives %s, which is not allowed, and gained is %v", m.Grant, row.Permissions, a.Name, row.Gained)
		}
	}
	for _, a := range c.Actions() {
		if a.Class != catalogue.Guarded || given[a.Guards[0]] || slices.Contains(row.Lost, a.Guards[0]) {
			continue
		}
		if ask.allowed(t, m, a.Name) {
			t.Errorf("%+v: %s is allowed, %s does not give it, and lost is %v", m.Grant, a.Name, row.Permissions, row.Lost)
		}
	}
	for _, name := range row.Gained {
		if a, action := c.Action(name); action && ask.allowed(t, m, a.Name) {
			t.Errorf("%+v: %s is gained, and allowed before", m.Grant, name)
		}
	}
}

// given are the categories that WHMCS's permissions give on import.
func given(c *catalogue.Catalogue, permissions string) map[string]bool {
	given := map[string]bool{}
	for _, category := range c.Categories {
		for _, key := range category.WHMCS {
			if slices.Contains(strings.Split(permissions, ","), key) {
				given[category.Name] = true
			}
		}
	}
	return given
}

func gains(row whmcsexport.Row, categories []string) bool {
	return slices.ContainsFunc(categories, func(c string) bool { return slices.Contains(row.Gained, c) })
}

// An asker asks the engine about one member at a time.
type asker struct {
	*decision.Decider
	facts portal.Facts
}

func newAsker(p *policy.Policy) *asker {
	a := new(asker)
	a.Decider = decision.New(p, a, decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute})
	return a
}

// Read satisfies decision's facts.
func (a *asker) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return a.facts, portal.Position{}, nil
}

// ReadAll satisfies decision's facts.
func (a *asker) ReadAll(_ context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	return slices.Repeat([]portal.Facts{a.facts}, len(keys)), portal.Position{}, nil
}

// allowed asks whether the member may do it on the whole account.
func (a *asker) allowed(t *testing.T, m portal.Membership, action string) bool {
	t.Helper()
	a.facts = portal.Facts{
		Account:    portal.AccountFacts{Status: portal.AccountActive},
		User:       portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: m.State, Grant: &m.Grant},
	}
	q := decision.Question{Action: decision.Action{Name: action}}
	q.Subject.Ref = portal.Ref{Type: portal.TypeUser, ID: string(m.User)}
	q.Resource.Ref = portal.Ref{Type: portal.TypeAccount, ID: string(m.Account)}
	q.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(string(m.Account))})
	answer, err := a.Decide(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Allow
}

// dice draw grants in the words of a policy.
type dice struct {
	*rand.Rand
	policy *policy.Policy
}

func (d dice) grant() portal.Grant {
	var g portal.Grant
	for range d.IntN(3) {
		g.Presets = append(g.Presets, pick(d, slices.DeleteFunc(d.policy.Presets.Names(), func(n string) bool { return n == "owner" })))
	}
	for range d.IntN(5) {
		g.Categories = append(g.Categories, pick(d, d.policy.Catalogue.Categories).Name)
	}
	if d.IntN(4) == 0 {
		g.Scope = []portal.Ref{{Type: "service", ID: "5"}}
		for range d.IntN(3) {
			g.AccountWide = append(g.AccountWide, pick(d, d.policy.Catalogue.Categories).Name)
		}
	}
	return g
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }
