package decision_test

import (
	"testing"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// The category of a denial is what the person lacks: a guard, the second guard,
// the subscription to a mail, or what a rule asks for besides. Of any other
// answer it is the first guard.
func TestTheCategoryIsTheMissingOne(t *testing.T) {
	w := world{}.with("su", "support").with("ad", "administrator").with("de", "developer").with("ow", "owner")
	w[portal.FactKey{Account: "42", Subject: user("di")}] = portal.Facts{
		Account:    portal.AccountFacts{Status: portal.AccountActive},
		User:       portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Categories: []string{"tickets"}}},
	}
	d := decider(t, w)
	for _, c := range []struct {
		who, action string
		reason      decision.Reason
		want        string
	}{
		{"su", "invoice.list", decision.CategoryMissing, "invoices"},
		{"ad", "quote.accept", decision.CategoryMissing, "orders"}, // holds quotes
		{"su", "quote.accept", decision.CategoryMissing, "quotes"},
		{"su", "mail.invoice.receive", decision.CategoryMissing, "invoices"},
		{"di", "mail.support.receive", decision.CategoryMissing, "mail:support"}, // holds tickets
		{"di", "mail.product.receive", decision.CategoryMissing, "products"},
		{"de", "mail.general.receive", decision.CategoryMissing, "mail:general"},
		{"de", "mail.product.receive", decision.CategoryMissing, "mail:product"}, // by default, and notify.users is explicit
		{"su", "ticket.list", "", "tickets"},
		{"ow", "service.cancel", "", "cancellations"},
		{"de", "ownership.transfer.request", decision.OwnerOnly, "ownership"},
	} {
		got, err := d.Decide(t.Context(), question(c.who, c.action))
		if err != nil || got.Reason != c.reason || got.Category != c.want {
			t.Errorf("%s %s: got %q about %q, %v; want %q about %q", c.who, c.action, got.Reason, got.Category, err, c.reason, c.want)
		}
	}
}
