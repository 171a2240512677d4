package whmcsexport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
	"doorward/internal/whmcsexport"
)

func presets(names ...string) portal.Grant { return portal.Grant{Presets: names} }

func categories(names ...string) portal.Grant { return portal.Grant{Categories: names} }

// The list of section D, "Preset → WHMCS csv", whatever the profile; and what each
// preset loses and gains by it under provider.yaml.
func TestPresetsAreThePartDLists(t *testing.T) {
	table := []struct{ what, presets, permissions, lost, gained string }{
		{"req 72, req 73, req 74; not inviting (73), but accepting quotes", "administrator",
			"profile,contacts,products,manageproducts,productsso,domains,managedomains,invoices,quotes,tickets,affiliates,emails",
			"users,renewals,audit", "quote.accept"},
		{"req 62, req 63", "billing", "invoices", "", ""},
		{"req 67, req 68", "support", "tickets", "", ""},
		{"req 77, req 78", "billing+support", "invoices,tickets", "", ""},
		{"req 56, req 57, req 58; WHMCS manages products with their passwords", "developer",
			"products,manageproducts,productsso,tickets", "", "product_manage"},
		{"req 49, C5: all thirteen", "all",
			"profile,contacts,products,manageproducts,productsso,domains,managedomains,orders,invoices,quotes,tickets,affiliates,emails",
			"audit", ""},
	}
	store := open(t)
	for _, c := range table {
		putSeats(t, store, seated("42", strings.ReplaceAll(c.presets, "+", "-"), presets(strings.Split(c.presets, "+")...)))
	}
	slices.SortFunc(table, func(a, b struct{ what, presets, permissions, lost, gained string }) int {
		return strings.Compare(a.presets, b.presets)
	})
	for _, profile := range []string{"", "simple", "four-roles", "webops", "indichosts", "mixed"} {
		rows, _ := exported(t, store, load(t, profile, nil))
		if len(rows) != len(table) {
			t.Fatalf("profile %q: %d rows", profile, len(rows))
		}
		for i, c := range table {
			lost, gained := strings.Join(rows[i].Lost, ","), strings.Join(rows[i].Gained, ",")
			if rows[i].Permissions != c.permissions || profile == "" && (lost != c.lost || gained != c.gained) {
				t.Errorf("%s (%s) under %q: %+v", c.presets, c.what, profile, rows[i])
			}
		}
	}
}

// What a row says of one membership besides presets.
func TestRows(t *testing.T) {
	shipped := load(t, "", nil)
	in := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	scoped := portal.Grant{Presets: []string{"support"}, Categories: []string{"products"}, Scope: []portal.Ref{{Type: "service", ID: "5"}, {Type: "domain", ID: "a.example"}}}
	wide := scoped
	wide.AccountWide = []string{"invoices", "quotes"}
	for _, c := range []struct {
		what                      string
		grant                     portal.Grant
		switches                  string
		permissions, lost, gained string
	}{
		{"nothing", portal.Grant{}, "", "", "", ""},
		{"the first category of a permission decides: req 50", categories("product_manage", "products"), "", "products", "product_manage", ""},
		{"one of the others is lost without it", categories("payment_methods", "renewals"), "", "", "renewals; payment_methods", ""},
		{"A13.4: what comes along is gained", categories("invoices"), "", "invoices", "", "payment_methods"},
		{"A13.4: paying is one thing more where seeing is not paying", presets("billing"), "billing.pay=false", "invoices", "", "invoice.masspay; invoice.pay"},
		{"C5: who orders cancels", categories("orders", "renewals"), "cancellations=with_orders", "orders", "", ""},
		{"C5: who orders does not cancel", categories("orders", "renewals"), "cancellations=owner_only", "orders", "", "cancellations"},
		{"C5: who cancels only", categories("cancellations"), "", "", "cancellations", ""},
		{"A13.17: quotes are accepted with orders", categories("quotes", "orders", "renewals"), "", "orders,quotes", "", ""},
		{"A13.17: WHMCS accepts them without", categories("quotes"), "", "quotes", "", "quote.accept"},
		{"A13.2: what is the owner's alone was never held", categories("ownership", "security", "tickets"), "", "tickets", "", ""},
		{"A13.16: a scope cannot be said", scoped, "", "", "products; tickets; scope service:5,domain:a.example", ""},
		{"A13.16: but what is held on the whole account", wide, "", "invoices,quotes",
			"products; tickets; scope service:5,domain:a.example", "payment_methods; quote.accept"},
		{"an end cannot be said", portal.Grant{Presets: []string{"support"}, NotBefore: in(0), NotAfter: in(1)}, "", "tickets", "ends 2026-11-22T12:00:01Z", ""},
		{"invariant 12: a name that means nothing gives nothing", portal.Grant{Presets: []string{"trainee", "billing"}, Categories: []string{"teapots", "tickets"}}, "",
			"invoices,tickets", "unknown preset trainee; unknown category teapots", ""},
	} {
		p := shipped
		if name, value, set := strings.Cut(c.switches, "="); set {
			p = load(t, "", map[string]string{name: value})
		}
		store := open(t)
		putSeats(t, store, seated("42", "8", c.grant))
		rows, _ := exported(t, store, p)
		if len(rows) != 1 {
			t.Errorf("%s: %d rows", c.what, len(rows))
			continue
		}
		want := whmcsexport.Row{Client: "42", User: "8", Permissions: c.permissions, Lost: split(c.lost), Gained: split(c.gained)}
		if diff := cmp.Diff(want, rows[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// split splits what is lost or gained.
func split(texts string) []string {
	if texts == "" {
		return []string{}
	}
	return strings.Split(texts, "; ")
}

// Who is no active member now is not listed, and owners cannot be set (req 7, invariant 1).
func TestWhoIsLeftOut(t *testing.T) {
	changed := func(user string, change func(*seat)) seat {
		s := seated("42", user, presets("support"))
		change(&s)
		return s
	}
	store := open(t)
	putSeats(t, store,
		changed("active", func(*seat) {}),
		changed("pending", func(s *seat) { s.member.State = portal.MembershipPending }),
		changed("removed", func(s *seat) { s.member.State = portal.MembershipRemoved }),
		changed("early", func(s *seat) { s.member.Grant.NotBefore = now.Add(time.Second) }),
		changed("late", func(s *seat) { s.member.Grant.NotAfter = now }),
		changed("disabled", func(s *seat) { s.user.Status = portal.UserDisabled }),
		changed("ends", func(s *seat) { s.member.Grant.NotAfter = now.Add(time.Hour) }),
	)
	rows, summary := exported(t, store, load(t, "", nil))
	var users []portal.UserID
	for _, row := range rows {
		users = append(users, row.User)
	}
	if want := []portal.UserID{"active", "ends"}; !slices.Equal(users, want) {
		t.Errorf("listed %v, want %v", users, want)
	}
	want := `listed    2 members of 1 accounts, 0 without any permission
left out  disabled 1, expired 1, owner 1, pending 2, removed 1
lost      ends 1
gained    nothing
`
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// The summary counts members, not things.
func TestTheSummaryCountsMembers(t *testing.T) {
	store := open(t)
	putSeats(t, store, seated("42", "8", presets("trainee", "intern", "billing")), seated("43", "8", presets("intern", "developer")))
	want := `listed    2 members of 2 accounts, 0 without any permission
left out  owner 2
lost      unknown preset 2
gained    product_manage 1
`
	if _, summary := exported(t, store, load(t, "", nil)); summary != want {
		t.Errorf("got\n%swant\n%s", summary, want)
	}
}

// The limits of an account are lost, too.
func TestLimitsOfAccounts(t *testing.T) {
	strict, closed := seated("a", "8", presets("support")), seated("b", "8", presets("support"))
	strict.account.Status, strict.account.MFARequired = portal.AccountSuspended, true
	closed.account.Status = portal.AccountClosed
	store := open(t)
	putSeats(t, store, strict, closed)
	rows, _ := exported(t, store, load(t, "", nil))
	want := [][]string{{"mfa_required", "account suspended"}, {"account closed"}}
	if got := [][]string{rows[0].Lost, rows[1].Lost}; !cmp.Equal(got, want) {
		t.Errorf("lost %v, want %v", got, want)
	}
}

// Deny lines of presets take away what other presets and categories give (A13.6).
func TestDenyLinesAreHonoured(t *testing.T) {
	p := loadWith(t, "p, restricted, invoices, deny\np, restricted, tickets, allow\n")
	store := open(t)
	putSeats(t, store, seated("42", "8", portal.Grant{Presets: []string{"restricted", "billing"}, Categories: []string{"invoices"}}))
	rows, _ := exported(t, store, p)
	want := []whmcsexport.Row{{Client: "42", User: "8", Permissions: "tickets", Lost: []string{"payment_methods"}, Gained: []string{}}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Rows come in byte order, a part of the directory at a time.
func TestManyMembers(t *testing.T) {
	store := open(t)
	var seats []seat
	var want []string
	for _, account := range []string{"10", "9", "A", "a"} {
		for i := range 130 {
			user := fmt.Sprintf("u%d", i)
			seats = append(seats, seated(account, user, presets("billing")))
			want = append(want, account+"/"+user)
		}
	}
	for i := range 510 {
		seats = append(seats, seated("z", fmt.Sprintf("u%d", i), portal.Grant{}))
		want = append(want, fmt.Sprintf("z/u%d", i))
	}
	putSeats(t, store, seats...)
	reads := &counting{Reader: store}
	rows, summary := exported(t, reads, load(t, "", nil))
	var got []string
	for _, row := range rows {
		got = append(got, string(row.Client)+"/"+string(row.User))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d rows, want %d in order", len(got), len(want))
	}
	if reads.most > 500 {
		t.Errorf("%d memberships were read at once", reads.most)
	}
	if !strings.HasPrefix(summary, "listed    1030 members of 5 accounts, 510 without any permission\n") {
		t.Errorf("summary: %s", summary)
	}
}

// counting counts what is read at once.
type counting struct {
	directory.Reader
	most  int
	after func()
}

// Facts reads on.
func (c *counting) Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	c.most = max(c.most, len(keys))
	facts, position, err := c.Reader.Facts(ctx, keys)
	if c.after != nil {
		c.after()
	}
	return facts, position, err
}

// A directory that changes while it is read is told.
func TestADirectoryThatChanges(t *testing.T) {
	store := open(t)
	putSeats(t, store, seated("a", "8", presets("support")), seated("b", "8", presets("support")))
	busy := &counting{Reader: store, after: func() { putSeats(t, store, seated("a", "9", presets("support"))) }}
	if _, summary := exported(t, busy, load(t, "", nil)); !strings.Contains(summary, "changed   the directory, while it was read") {
		t.Errorf("summary: %s", summary)
	}
	if _, summary := exported(t, store, load(t, "", nil)); strings.Contains(summary, "changed") {
		t.Errorf("summary: %s", summary)
	}
}

func TestErrorsAreTold(t *testing.T) {
	store := open(t)
	putSeats(t, store, seated("a", "8", presets("support")))
	e := &whmcsexport.Exporter{Directory: store, Policy: load(t, "", nil), Now: now}
	full := errors.New("disk full")
	if _, err := e.Write(t.Context(), failing{full}); !errors.Is(err, full) {
		t.Errorf("writing: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := e.Write(ctx, io.Discard); err == nil {
		t.Error("an interrupt is no error")
	}
}

// failing cannot be written.
type failing struct{ err error }

// Write fails.
func (f failing) Write([]byte) (int, error) { return 0, f.err }
