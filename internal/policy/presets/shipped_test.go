package presets_test

import (
	"os"
	"slices"
	"testing"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
)

// shippedFolder is the policy folder, which a test may read but the package
// never does.
const shippedFolder = "../../../policies/"

func shippedFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(shippedFolder + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func shippedCatalogue(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	cat, err := catalogue.Load("catalogue.yaml", shippedFile(t, "catalogue.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func shipped(t testing.TB) (*catalogue.Catalogue, *presets.Table) {
	t.Helper()
	cat := shippedCatalogue(t)
	table, err := presets.Load(cat, "model.conf", shippedFile(t, "presets/model.conf"), "presets.csv", shippedFile(t, "presets/presets.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return cat, table
}

// Part D's table, column by column, as amended by A13.2, A13.3 and A13.6; the
// mails are D2's defaults.
func TestShippedPresetsAreThePartDColumns(t *testing.T) {
	cat, table := shipped(t)
	columns := map[string][]string{
		"owner": cat.Objects(), // req 7, req 60
		"administrator": { // req 72, req 73, req 74; not req 75, req 76, req 8
			"profile", "contacts", "users", "products", "product_passwords", "product_manage", "sso", "domains",
			"domain_manage", "renewals", "invoices", "payment_methods", "quotes", "tickets", "affiliates", "emails",
			"audit", "mail:invoice", "mail:support", "mail:product", "mail:domain", "mail:general",
		},
		"billing":   {"invoices", "payment_methods", "mail:invoice"},                     // req 62, req 63, req 64
		"support":   {"tickets", "mail:support", "mail:product"},                         // req 67, req 68, req 69
		"developer": {"products", "product_passwords", "sso", "tickets", "mail:product"}, // req 56, req 57, req 58
		"all": { // req 49, A13.2
			"profile", "contacts", "products", "product_passwords", "product_manage", "sso", "domains",
			"domain_manage", "orders", "renewals", "invoices", "payment_methods", "quotes", "tickets", "affiliates",
			"emails", "audit", "mail:invoice", "mail:support", "mail:product", "mail:domain",
		},
	}
	for name, want := range columns {
		if got := table.Holds([]string{name}, nil); got != cat.Set(want...) {
			t.Errorf("%s holds %v, want %v", name, cat.Names(got), want)
		}
	}
	if got, want := table.Names(), []string{"administrator", "all", "billing", "developer", "owner", "support"}; !slices.Equal(got, want) {
		t.Errorf("presets are %v, want %v", got, want)
	}
}

// req 77, req 78: both roles together are their union and nothing more.
func TestUnionOfBillingAndSupport(t *testing.T) {
	cat, table := shipped(t)
	want := cat.Set("invoices", "payment_methods", "mail:invoice", "tickets", "mail:support", "mail:product")
	if got := table.Holds([]string{"support", "billing"}, nil); got != want {
		t.Errorf("got %v", cat.Names(got))
	}
}

// req 79: categories besides presets.
func TestHoldsAddsDirectCategories(t *testing.T) {
	cat, table := shipped(t)
	if got, want := table.Holds([]string{"support"}, []string{"invoices"}), cat.Set("invoices", "tickets", "mail:support", "mail:product"); got != want {
		t.Errorf("got %v", cat.Names(got))
	}
}

// invariant 4 of part D: an allow never comes from a name nobody defined.
func TestUnknownNamesGiveNothing(t *testing.T) {
	_, table := shipped(t)
	for _, name := range []string{"Owner", "owner ", "", "*", "__probe", "__union_1", "user:7"} {
		if got := table.Holds([]string{name}, []string{name}); !got.IsEmpty() || table.Known(name) {
			t.Errorf("%q holds %v", name, got)
		}
	}
}

func TestHoldsDoesNotAllocate(t *testing.T) {
	_, table := shipped(t)
	names, objects := []string{"billing", "support", "nobody"}, []string{"products", "mail:domain", "nothing"}
	var held catalogue.Set
	if n := testing.AllocsPerRun(100, func() { held = table.Holds(names, objects) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if held.IsEmpty() {
		t.Error("held nothing")
	}
}

func BenchmarkLoad(b *testing.B) {
	cat, model, csv := shippedCatalogue(b), shippedFile(b, "presets/model.conf"), shippedFile(b, "presets/presets.csv")
	for b.Loop() {
		if _, err := presets.Load(cat, "model.conf", model, "presets.csv", csv); err != nil {
			b.Fatal(err)
		}
	}
}
