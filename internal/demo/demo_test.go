package demo

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/importer"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/portal"
)

// shipped are the catalogue and the presets that ship with Doorward.
func shipped(t *testing.T) (*catalogue.Catalogue, *presets.Table) {
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

func loaded(t *testing.T) (directory.Store, importer.Report) {
	t.Helper()
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	cat, table := shipped(t)
	report, err := Load(ctx, store, cat, table)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(ctx, store, cat, table)
	if err != nil || again.Position != report.Position {
		t.Errorf("loading the demo again: %v, from %v to %v", err, report.Position, again.Position)
	}
	return store, report
}

// The demo has the people it says it has: an owner-only shop, an agency over
// nine accounts, one person of each role, and everybody who is refused.
func TestTheDemoIsAsDescribed(t *testing.T) {
	ctx := context.Background()
	store, report := loaded(t)
	if len(report.Warnings)+len(report.Ignored)+report.Quarantine.Total() > 0 {
		t.Errorf("the demo's import has remarks: %+v", report)
	}
	if got := report.Users.New + report.Contacts.New; got != len(People()) {
		t.Errorf("%d users and contacts, and %d people described", got, len(People()))
	}
	for _, p := range People() {
		if err := find(ctx, store, p.Subject); err != nil || p.Who == "" {
			t.Errorf("%s, %q: %v", p.Subject, p.Who, err)
		}
	}
	describedBesides(t, store)
	for _, c := range []struct {
		account portal.AccountID
		user    portal.UserID
		holds   func(portal.Facts) bool
	}{
		{"acme", "anna", owner},
		{"acme", "adam", preset("administrator")},
		{"acme", "coco", preset("all")},
		{"acme", "carl", preset("billing")},
		{"clinic", "carl", preset("billing")},
		{"acme", "sam", preset("support")},
		{"acme", "eddy", func(f portal.Facts) bool {
			return preset("developer")(f) && f.Membership.Grant.NotAfter.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		}},
		{"acme", "dan", func(f portal.Facts) bool { return preset("administrator")(f) && f.User.Status == portal.UserDisabled }},
		{"bakery", "bea", owner},
		{"hotel", "hanna", func(f portal.Facts) bool { return owner(f) && f.Account.Status == portal.AccountSuspended }},
		{"clinic", "mia", func(f portal.Facts) bool { return owner(f) && f.Account.MFARequired }},
		{"clinic", "dora", preset("developer")},
	} {
		facts, _, err := store.Facts(ctx, []portal.FactKey{{Account: c.account, Subject: portal.Ref{Type: portal.TypeUser, ID: string(c.user)}}})
		if err != nil {
			t.Fatal(err)
		}
		if !c.holds(facts[0]) {
			t.Errorf("%s in %s is not as described: %+v", c.user, c.account, facts[0])
		}
	}
	if n := accountsOf(t, store, "dora"); n != 9 {
		t.Errorf("the agency is in %d accounts, want 9", n)
	}
	if members, err := store.Members(ctx, "bakery"); err != nil || len(members) != 1 {
		t.Errorf("the owner-only shop has %d members: %v", len(members), err)
	}
}

// Besides members the demo has a mailbox and one of the provider's own people (A13.19);
// the accountant chose his mail.
func describedBesides(t *testing.T, store directory.Store) {
	t.Helper()
	ctx := context.Background()
	if there, err := Loaded(ctx, store); err != nil || !there {
		t.Errorf("everybody is there: %v, %v", there, err)
	}
	books, err := store.Contact(ctx, "books")
	if err != nil || books.Account != "acme" || !slices.Equal(books.Mails, []string{"invoice"}) {
		t.Errorf("books: %+v, %v", books, err)
	}
	people, err := store.Staff(ctx)
	if err != nil || len(people) != 1 || people[0].ID != "tess" || people[0].Staff != portal.NewStaffRights("staff.read", "staff.login_as") {
		t.Errorf("staff: %+v, %v", people, err)
	}
	if n := accountsOf(t, store, "tess"); n != 0 {
		t.Errorf("tess is a member of %d accounts", n)
	}
	carl, err := store.Membership(ctx, "acme", "carl")
	if err != nil || !slices.Equal(carl.Mail.On, []string{"invoice"}) {
		t.Errorf("carl: %+v, %v", carl, err)
	}
}

func owner(f portal.Facts) bool { return f.Membership.Owner }

func preset(name string) func(portal.Facts) bool {
	return func(f portal.Facts) bool {
		g := f.Membership.Grant
		return g != nil && !f.Membership.Owner && slices.Equal(g.Presets, []string{name}) && len(g.Categories)+len(g.Scope) == 0
	}
}

// accountsOf counts the demo's accounts that the user is a member of.
func accountsOf(t *testing.T, store directory.Store, user portal.UserID) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(file) {
		var record struct{ Kind, ID string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Kind != "account" {
			continue
		}
		if _, err := store.Membership(context.Background(), portal.AccountID(record.ID), user); err == nil {
			n++
		}
	}
	return n
}

// A shell takes each command as it is printed, and it asks a question that JSON
// and the catalogue know.
func TestCurlsCanBePasted(t *testing.T) {
	cat, _ := shipped(t)
	examples := Curls("http://127.0.0.1:8080/")
	if len(examples) != 3 {
		t.Fatalf("%d examples, want an allow, a deny and a batch", len(examples))
	}
	for _, e := range examples {
		script := `curl() { for a in "$@"; do printf '%s\n' "$a"; done; }` + "\n" + e.Command
		out, err := exec.Command("sh", "-c", script).Output()
		if err != nil {
			t.Fatalf("%s: %v", e.Command, err)
		}
		args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(args) != 7 || !strings.HasPrefix(args[2], "http://127.0.0.1:8080/access/v1/evaluation") {
			t.Fatalf("%s: the shell sees %q", e.Command, args)
		}
		var body struct {
			Action      struct{ Name string }
			Evaluations []struct{ Action struct{ Name string } }
		}
		if err := json.Unmarshal([]byte(args[6]), &body); err != nil {
			t.Fatalf("%s: %v", e.Command, err)
		}
		for _, item := range append(body.Evaluations, struct{ Action struct{ Name string } }{body.Action}) {
			if _, known := cat.Action(item.Action.Name); !known && (item.Action.Name != "" || len(body.Evaluations) == 0) {
				t.Errorf("%s: no action %q", e.Command, item.Action.Name)
			}
		}
		if len(e.Expect) == 0 || e.Title == "" {
			t.Errorf("%s: nothing is expected", e.Command)
		}
	}
}
