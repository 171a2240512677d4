package catalogue_test

import (
	"os"
	"slices"
	"testing"

	"doorward/internal/policy/catalogue"
)

// shippedFile is the catalogue of the policy folder, which a test may read but
// the package never does.
const shippedFile = "../../../policies/catalogue.yaml"

func shipped(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	data, err := os.ReadFile(shippedFile)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalogue.Load("catalogue.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// req 37-46: article 002 names its categories in these words.
func TestCategoriesCarryTheArticlesWords(t *testing.T) {
	labels := map[string]string{
		"profile":           "Modify Master Account Profile",      // req 37
		"contacts":          "View & Manage Contacts",             // req 38
		"products":          "View Products & Services",           // req 39
		"product_passwords": "View & Modify Product Passwords",    // req 40
		"sso":               "Perform Single Sign-On",             // req 41
		"domains":           "View Domains",                       // req 42
		"domain_manage":     "Manage Domain Settings",             // req 43
		"orders":            "Place New Orders/Upgrades",          // req 44
		"invoices":          "View & Pay Invoices",                // req 45
		"tickets":           "View & Open Support Tickets",        // req 46
		"renewals":          "Renew Services & Domains",           // A13.3
		"payment_methods":   "Manage Payment Methods & Credit",    // A13.4
		"ownership":         "Transfer Ownership & Close Account", // req 8
	}
	for _, c := range shipped(t).Categories {
		if want, ok := labels[c.Name]; ok && c.Label != want {
			t.Errorf("%s is called %q, want %q", c.Name, c.Label, want)
		}
		delete(labels, c.Name)
	}
	for name := range labels {
		t.Errorf("category %s is missing", name)
	}
}

// R9: these may never be decided from facts that might be old; the others may.
func TestStrictCategories(t *testing.T) {
	strict := []string{
		"users", "security", "ownership", "cancellations", "payment_methods", "orders",
		"product_passwords", "sso", "domain_manage", "profile", "contacts",
	}
	for _, c := range shipped(t).Categories {
		if got, want := c.Freshness == catalogue.Strict, slices.Contains(strict, c.Name); got != want {
			t.Errorf("%s is strict: %v, want %v", c.Name, got, want)
		}
	}
}

// invariant 5 of part D, A13.17.
func TestImplications(t *testing.T) {
	cat := shipped(t)
	for name, want := range map[string]string{
		"domain_manage": "domains", "product_passwords": "products", "product_manage": "products",
		"sso": "products", "cancellations": "products", "orders": "products",
	} {
		if got := cat.Implied(cat.Set(name)); got != cat.Set(name, want) {
			t.Errorf("%s brings %v, want it and %s", name, cat.Names(got), want)
		}
	}
}

// A13.2: nobody but the owner can be given these.
func TestOnlySecurityAndOwnershipStayWithTheOwner(t *testing.T) {
	var kept []string
	for _, c := range shipped(t).Categories {
		if !c.Delegable {
			kept = append(kept, c.Name)
		}
	}
	if want := []string{"security", "ownership"}; !slices.Equal(kept, want) {
		t.Errorf("not delegable: %v, want %v", kept, want)
	}
}

// invariant 13 of part D names these; reads among them count as well.
func TestSensitiveActions(t *testing.T) {
	cat := shipped(t)
	for _, name := range []string{
		"password.reveal", "domain.epp.reveal", "card.update", "service.cancel",
		"ownership.transfer.request", "ownership.transfer.confirm", "ownership.transfer.withdraw", "ownership.transfer.accept",
		"user.list", "user.permissions.view", "user.invite", "user.permissions.update", "user.remove",
	} {
		if a, ok := cat.Action(name); !ok || !a.Sensitive {
			t.Errorf("%s is not sensitive", name)
		}
	}
}

func TestActionsAreGuardedAsDecided(t *testing.T) {
	cat := shipped(t)
	for name, want := range map[string][]string{
		"quote.accept":     {"quotes", "orders"}, // A13.17
		"service.renew":    {"renewals"},         // A13.3
		"domain.renew":     {"renewals"},         // A13.3
		"invoice.masspay":  {"invoices"},         // A13.4
		"transaction.list": {"invoices"},         // A13.4
		"funds.add":        {"payment_methods"},  // A13.4
		"credit.apply":     {"payment_methods"},  // A13.4
		"paymethod.add":    {"payment_methods"},  // A13.4
		"paymethod.delete": {"payment_methods"},  // A13.4
		"card.update":      {"payment_methods"},  // req 63
		"service.cancel":   {"cancellations"},    // req 61
		"account.close":    {"ownership"},
	} {
		a, ok := cat.Action(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		if !slices.Equal(a.Guards, want) || a.Guard != cat.Set(want...) || a.Category != want[0] || a.Class != catalogue.Guarded {
			t.Errorf("%s is %+v, want guards %v", name, *a, want)
		}
	}
}

// A13.18
func TestSelfActionsNameTheirOwnObject(t *testing.T) {
	want := map[string]string{
		"self.profile.update": "user", "self.email.change": "user", "self.password.change": "user",
		"self.2fa.enable": "user", "self.2fa.disable": "user", "self.sessions.revoke": "user",
		"self.linked_login.update": "user", "self.notifications.update": "user", "account.list": "user",
		"account.switch": "account", "account.summary.view": "account", "membership.leave": "account",
		"invite.accept": "invitation", "invite.decline": "invitation", "ownership.transfer.accept": "transfer",
	}
	for _, a := range shipped(t).Actions() {
		if a.Self != want[a.Name] || (a.Self != "") != (a.Class == catalogue.Self) {
			t.Errorf("%s is on one's own %q, want %q", a.Name, a.Self, want[a.Name])
		}
		delete(want, a.Name)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

// D2 and A13.14: six categories of WHMCS and security, one action each. Product
// mail is sent by role, too: req 69, the support preset gets login details.
func TestMailCategories(t *testing.T) {
	cat := shipped(t)
	guards := map[string]string{
		"invoice": "invoices", "support": "tickets", "product": "products", "domain": "domains",
		"general": "", "affiliate": "affiliates", "security": "",
	}
	if len(cat.Mails) != len(guards) {
		t.Errorf("%d mail categories, want %d", len(cat.Mails), len(guards))
	}
	for _, m := range cat.Mails {
		if want, ok := guards[m.Name]; !ok || m.Guard != want {
			t.Errorf("mail %s is guarded by %q, want %q", m.Name, m.Guard, want)
		}
		if m.ByRole != (m.Name == "product") {
			t.Errorf("mail %s is by role: %v", m.Name, m.ByRole)
		}
		if want := m.Name + "emails"; m.WHMCS != want && m.Name != "security" {
			t.Errorf("mail %s is WHMCS's %q, want %q", m.Name, m.WHMCS, want)
		}
		a, ok := cat.Action("mail." + m.Name + ".receive")
		if !ok || a.Class != catalogue.Receive || a.Mail != m.Name || a.ByRole != m.ByRole || !cat.Set("mail:"+m.Name).Has(a.MailBit) {
			t.Errorf("the action of mail %s is %+v", m.Name, a)
			continue
		}
		wantScope := catalogue.ScopeNone
		if m.Name == "domain" {
			wantScope = catalogue.ScopeDomain
		}
		if a.Effect != catalogue.Read || a.Scope != wantScope {
			t.Errorf("%s is %s with scope %s", a.Name, a.Effect, a.Scope)
		}
	}
}

// Every category guards something, every action has a class, an effect and a scope.
func TestNothingIsLeftUnsaid(t *testing.T) {
	cat := shipped(t)
	var guarding catalogue.Set
	names := make([]string, 0, len(cat.Actions()))
	for _, a := range cat.Actions() {
		names = append(names, a.Name)
		if a.Class == catalogue.Guarded {
			guarding = guarding.Union(a.Guard)
		}
		if a.Class == "" || a.Category == "" || a.Effect == "" || a.Scope == "" {
			t.Errorf("%s leaves something unsaid: %+v", a.Name, *a)
		}
		if a.Class != catalogue.Receive && a.MailBit != -1 {
			t.Errorf("%s has the mail bit %d", a.Name, a.MailBit)
		}
	}
	if !slices.IsSorted(names) {
		t.Error("actions are not in order")
	}
	for _, c := range cat.Categories {
		if !guarding.Contains(cat.Set(c.Name)) {
			t.Errorf("category %s guards nothing", c.Name)
		}
	}
}
