package importer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/directory/sqlite"
	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

// shipped are the catalogue and the presets that ship with Doorward.
func shipped(t testing.TB) (*catalogue.Catalogue, *presets.Table) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("../../policies", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cat, err := catalogue.Load("catalogue.yaml", read("catalogue.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := presets.Load(cat, "model.conf", read("presets/model.conf"), "presets.csv", read("presets/presets.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return cat, table
}

const metaLine = `{"kind":"meta","format":"doorward-import/1","source":"whmcs","version":"8.13","timezone":"Europe/London","invite_ttl":"168h"}`

// whmcs is the origin of what these files bring.
var whmcs = portal.Origin{Source: "whmcs"}

// file joins lines below a meta line: the first of them is line 2.
func file(lines ...string) string {
	return metaLine + "\n" + strings.Join(lines, "\n") + "\n"
}

const (
	userAnna    = `{"kind":"user","id":"1","email":"anna@acme.example"}`
	userDee     = `{"kind":"user","id":"7","email":"dev@agency.example","first_name":"Dee","last_name":"V","language":"english","second_factor":"totp","created_at":"2020-12-15 15:29:49"}`
	accountAcme = `{"kind":"account","id":"42","name":"Acme Ltd","status":"Active","created_at":"2020-07-01 12:00:00"}`
	annaOwns    = `{"kind":"membership","id":"310","user":"1","account":"42","owner":true,"permissions":null}`
)

// deeHas is Dee's membership with more members.
func deeHas(members string) string {
	return `{"kind":"membership","id":"311","user":"7","account":"42",` + members + `}`
}

// read reads a file in the words of the shipped policy.
func read(t testing.TB, text string) (*Plan, error) {
	t.Helper()
	cat, table := shipped(t)
	return Read(context.Background(), "export.jsonl", strings.NewReader(text), Words{Catalogue: cat, Presets: table}, Options{})
}

func plan(t testing.TB, text string) *Plan {
	t.Helper()
	p, err := read(t, text)
	if err != nil {
		t.Fatalf("a sound file is refused:\n%v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// planned returns the accounts of a plan with everybody in them, by id.
func planned(t testing.TB, p *Plan) []accountPlan {
	t.Helper()
	var all []accountPlan
	err := p.accounts(context.Background(), func(s part) error {
		all = append(all, s.accounts...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func openStore(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func emptyStore(t testing.TB) *sqlite.Store {
	return openStore(t, filepath.Join(t.TempDir(), "doorward.db"))
}

func apply(t testing.TB, p *Plan, store *sqlite.Store) Report {
	t.Helper()
	r, err := p.Apply(context.Background(), store, Carry{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Holds req 9, req 10 and req 13: one person over accounts, permissions by user
// and account, personal details with the user.
func TestAnExportArrives(t *testing.T) {
	store := emptyStore(t)
	report := apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns,
		deeHas(`"owner":0,"permissions":"products, ManageProducts,productsso,tickets","invite":"55","last_login":"2025-12-30 08:11:02","created_at":"2024-07-01T00:00:00Z"`),
		`{"kind":"account","id":"43","name":"Dee's Agency","status":"Inactive","mfa_required":true}`,
		`{"kind":"membership","user":"7","account":"43","owner":1}`)), store)

	ctx := context.Background()
	dee, err := store.User(ctx, "7")
	if err != nil {
		t.Fatal(err)
	}
	wantDee := portal.User{
		ID: "7", Status: portal.UserActive, MFA: true, Origin: whmcs,
		Person:    portal.Person{Email: "dev@agency.example", FirstName: "Dee", LastName: "V", Locale: "english"},
		CreatedAt: time.Date(2020, 12, 15, 15, 29, 49, 0, time.UTC),
	}
	if diff := cmp.Diff(wantDee, dee); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	agency, err := store.Account(ctx, "43")
	if err != nil {
		t.Fatal(err)
	}
	if want := (portal.Account{ID: "43", Origin: whmcs, Name: "Dee's Agency", Status: portal.AccountActive, MFARequired: true}); agency != want {
		t.Errorf("account: got %+v, want %+v (A13.15)", agency, want)
	}
	acme, err := store.Account(ctx, "42")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2020, 7, 1, 11, 0, 0, 0, time.UTC); !acme.CreatedAt.Equal(want) {
		t.Errorf("12:00 in a London summer became %v, want %v", acme.CreatedAt, want)
	}
	member, err := store.Membership(ctx, "42", "7")
	if err != nil {
		t.Fatal(err)
	}
	wantMember := portal.Membership{
		Account: "42", User: "7", State: portal.MembershipActive, Origin: whmcs,
		Grant:     portal.Grant{Categories: []string{"products", "product_passwords", "product_manage", "sso", "tickets"}},
		LastLogin: time.Date(2025, 12, 30, 8, 11, 2, 0, time.UTC),
		CreatedAt: time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(wantMember, member); diff != "" {
		t.Errorf("membership (-want +got):\n%s", diff)
	}
	wantCounts := Report{Users: Count{New: 2}, Accounts: Count{New: 2}, Memberships: Count{New: 3}}
	if report.Users != wantCounts.Users || report.Accounts != wantCounts.Accounts || report.Memberships != wantCounts.Memberships {
		t.Errorf("counted %+v, want %+v", report, wantCounts)
	}
}

func TestOrderOfLinesDoesNotMatter(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"invoices"`))), "\n")
	slices.Reverse(lines)
	store := emptyStore(t)
	apply(t, plan(t, strings.Join(lines, "\r\n")), store)
	acme, err := store.Account(context.Background(), "42")
	if err != nil {
		t.Fatal(err)
	}
	if acme.CreatedAt.Hour() != 11 {
		t.Errorf("the meta line's zone was not used for a line before it: %v", acme.CreatedAt)
	}
}

func TestWHMCSPermissions(t *testing.T) {
	for _, c := range []struct {
		permissions string
		want        []string
		warning     string
	}{
		{`"invoices,emails"`, []string{"invoices", "payment_methods", "emails"}, ""},
		{`["invoices","emails"]`, []string{"invoices", "payment_methods", "emails"}, ""},
		{`"[\"tickets\", \"quotes\"]"`, []string{"quotes", "tickets"}, ""},
		{`"managedomains"`, []string{"domains", "domain_manage"}, ""}, // A13.17
		{`"orders"`, []string{"products", "orders", "renewals", "cancellations"}, "the permission orders also gives cancellations, as it does in WHMCS"},
		{`"tickets,frobnicate"`, []string{"tickets"}, `there is no permission "frobnicate"; it grants nothing`},
		{`""`, nil, "a member without permissions gets none (never all of them)"},
		{`null`, nil, "a member without permissions gets none (never all of them)"},
	} {
		p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":`+c.permissions)))
		got := planned(t, p)[0].members[0].Grant
		if diff := cmp.Diff(portal.Grant{Categories: c.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.permissions, diff)
		}
		var warnings []string
		for _, w := range p.notes.list() {
			warnings = append(warnings, w.Message)
		}
		if got := strings.Join(warnings, "|"); got != c.warning {
			t.Errorf("%s: warned %q, want %q", c.permissions, got, c.warning)
		}
	}
}

// E3: a set that is a preset's gets its name. That of support also brings mail which
// tickets alone do not, and all of WHMCS's keys are not the preset of all (A13.2).
func TestPresetsAreRecognised(t *testing.T) {
	const all = "profile,contacts,products,manageproducts,productsso,domains,managedomains,invoices,quotes,tickets,affiliates,emails,orders"
	for permissions, want := range map[string]portal.Grant{
		`"permissions":"invoices"`:                         {Presets: []string{"billing"}},
		`"permissions":"INVOICES","scope":["service:5"]`:   {Presets: []string{"billing"}, Scope: []portal.Ref{{Type: "service", ID: "5"}}},
		`"permissions":"tickets"`:                          {Categories: []string{"tickets"}},
		`"permissions":"invoices","categories":["quotes"]`: {Categories: []string{"invoices", "payment_methods", "quotes"}},
		`"categories":["invoices","payment_methods"]`:      {Categories: []string{"invoices", "payment_methods"}},
	} {
		p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(permissions)))
		if diff := cmp.Diff(want, planned(t, p)[0].members[0].Grant); diff != "" {
			t.Errorf("%s (-want +got):\n%s", permissions, diff)
		}
	}
	p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"`+all+`"`)))
	if got := planned(t, p)[0].members[0].Grant; got.Presets != nil || len(got.Categories) < 13 {
		t.Errorf("all keys became %+v", got)
	}
}

// A13.2: a catalogue may name a permission at a category that is the owner's alone; it
// gives the others with that key, and not this one.
func TestWHMCSPermissionsGiveNothingOfTheOwners(t *testing.T) {
	_, table := shipped(t)
	text, err := os.ReadFile("../../policies/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const kept = "    delegable: false                                # A13.2; narrows 74 by 8\n"
	edited := strings.Replace(string(text), kept, kept+"    whmcs: [tickets]\n", 1)
	cat, err := catalogue.Load("catalogue.yaml", []byte(edited))
	if err != nil || edited == string(text) {
		t.Fatalf("the catalogue is not edited: %v", err)
	}
	text2 := file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"tickets"`))
	p, err := Read(t.Context(), "export.jsonl", strings.NewReader(text2), Words{Catalogue: cat, Presets: table}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if diff := cmp.Diff(portal.Grant{Categories: []string{"tickets"}}, planned(t, p)[0].members[0].Grant); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	want := []Warning{{Message: `the permission "tickets" does not give ownership, which belongs to the owner alone`, Count: 1, Lines: []int{6}}}
	if diff := cmp.Diff(want, p.notes.list()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Our own members: req 50, req 77 and A13.16.
func TestGrantsInOurOwnWords(t *testing.T) {
	p := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support","billing","support"],`+
		`"categories":["domain_manage"],"scope":["domain:acme.example","service:5","service:5"],"state":"Pending",`+
		`"not_before":"2026-01-01T00:00:00+01:00","not_after":"2026-06-30 18:00:00.25"`)))
	m := planned(t, p)[0].members[0]
	want := portal.Grant{
		Presets:    []string{"billing", "support"},
		Categories: []string{"domains", "domain_manage"},
		Scope:      []portal.Ref{{Type: "domain", ID: "acme.example"}, {Type: "service", ID: "5"}},
		NotBefore:  time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC),
		NotAfter:   time.Date(2026, 6, 30, 17, 0, 0, 250e6, time.UTC),
	}
	if diff := cmp.Diff(want, m.Grant); diff != "" {
		t.Errorf("grant (-want +got):\n%s", diff)
	}
	if m.State != portal.MembershipPending {
		t.Errorf("state is %q", m.State)
	}
}

func TestWhatMeansNothingIsCounted(t *testing.T) {
	r := compare(t, plan(t, file(userAnna,
		`{"kind":"account","id":"44","name":"B","state":"Kent","uuid":"f08e","groupid":3}`,
		`{"kind":"membership","user":"1","account":"44","owner":true}`)), emptyStore(t))
	if diff := cmp.Diff(map[string]int{"account/state": 1, "account/groupid": 1}, r.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestAddressesThatDifferInCaseAreReported(t *testing.T) {
	r := plan(t, file(userAnna, `{"kind":"user","id":"2","email":"Anna@ACME.example"}`,
		`{"kind":"user","id":"3","email":"anna@acme.example"}`,                                                         // not anna
		`{"kind":"user","id":"4","email":"mıke@acme.example"}`, `{"kind":"user","id":"5","email":"mike@acme.example"}`, // S33
	)).notes.list()
	want := []Warning{{Message: "a user with the same email address as another", Count: 2, Lines: []int{3, 4}}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// faultsOf returns what is wrong with a file, as a person sees it.
func faultsOf(t testing.TB, text string) []string {
	t.Helper()
	_, err := read(t, text)
	var list fault.List
	if err == nil || !errors.As(err, &list) {
		t.Fatalf("want faults, got %v", err)
	}
	var lines []string
	for _, f := range list {
		lines = append(lines, f.Error())
	}
	return lines
}
