package decision_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

// What a membership gives is what decisions go by: only in force (invariant 1), the owner's whole (req 7), nobody
// else's what is the owner's alone (A13.2), and a scope's not on the whole account (A13.16).
func TestHeldBy(t *testing.T) {
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	services := []portal.Ref{{Type: "service", ID: "5"}}
	active := func(g portal.Grant) portal.MembershipFacts {
		return portal.MembershipFacts{State: portal.MembershipActive, Grant: &g}
	}
	owner := active(portal.Grant{Presets: []string{"owner"}, Scope: services})
	owner.Owner = true
	for _, c := range []struct {
		what            string
		m               portal.MembershipFacts
		state           string
		anywhere, whole []string
	}{
		{"nothing", portal.MembershipFacts{}, "none", nil, nil},
		{"removed", portal.MembershipFacts{State: portal.MembershipRemoved, Grant: &portal.Grant{Categories: []string{"tickets"}}}, "removed", nil, nil},
		{"ended", active(portal.Grant{Categories: []string{"tickets"}, NotAfter: at}), "expired", nil, nil},
		{"not begun", active(portal.Grant{Categories: []string{"tickets"}, NotBefore: at.Add(1)}), "pending", nil, nil},
		{"in force", active(portal.Grant{Categories: []string{"tickets", "ownership"}, NotBefore: at, NotAfter: at.Add(1)}), "active", []string{"tickets"}, []string{"tickets"}},
		{"scoped", active(portal.Grant{Categories: []string{"products"}, AccountWide: []string{"tickets"}, Scope: services}), "active",
			[]string{"products", "tickets"}, []string{"tickets"}},
		{"owner", owner, "active", p.Catalogue.Objects(), p.Catalogue.Objects()},
	} {
		got := decision.HeldBy(p, c.m, at)
		anywhere, whole := p.Catalogue.Names(got.Anywhere), p.Catalogue.Names(got.Whole)
		if got.State != c.state || !cmp.Equal(anywhere, c.anywhere) || !cmp.Equal(whole, c.whole) {
			t.Errorf("%s: got %s, %v, %v", c.what, got.State, anywhere, whole)
		}
	}
}
