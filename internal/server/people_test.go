package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/staff"
)

// ask asks a running server and returns "allow" or the reason why not.
func ask(t *testing.T, url, subject, action, resource, context string) string {
	t.Helper()
	entity := func(s string) string {
		ref, err := portal.ParseRef(s)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"type":%q,"id":%q,"properties":{"account":"acme"}}`, ref.Type, ref.ID)
	}
	body := fmt.Sprintf(`{"subject":%s,"action":{"name":%q},"resource":%s,"context":{%s}}`, entity(subject), action, entity(resource), context)
	response, text := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", body, asJSON)
	var answer struct {
		Decision bool
		Context  struct{ Reason string }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %d %s, %v", body, response.StatusCode, text, err)
	}
	if answer.Decision {
		return "allow"
	}
	return answer.Context.Reason
}

// elsewhere is the directory of a running server as another process has it.
func elsewhere(t *testing.T, c config.Config) directory.Store {
	t.Helper()
	store, err := server.OpenDirectory(t.Context(), c, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func change(t *testing.T, store directory.Store, fn func(directory.Tx) error) {
	t.Helper()
	_, err := store.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "cli:test", Action: "test.change"})
		return fn(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// req 16, req 22, req 23: a contact is sent what it subscribed to, and does nothing else.
// req 17: nothing in another account. req 32: and nothing once it is removed.
func TestAContactOfARunningServer(t *testing.T) {
	c := local(t)
	url, store := start(t, c).urls[0], elsewhere(t, c)
	p, err := server.LoadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range p.Catalogue.Actions() {
		got := ask(t, url, "contact:books", action.Name, "account:acme", "")
		if want := action.Name == "mail.invoice.receive"; (got == "allow") != want {
			t.Errorf("%s: %s", action.Name, got)
		}
	}
	for subject, want := range map[string]string{"contact:Books": "contact_never_acts", "user:books": "subject_unknown"} { // S14
		if got := ask(t, url, subject, "mail.invoice.receive", "account:acme", ""); got != want {
			t.Errorf("%s: %s", subject, got)
		}
	}
	if got := ask(t, url, "contact:books", "mail.invoice.receive", "account:bakery", ""); got != "contact_never_acts" {
		t.Errorf("in another account: %s", got)
	}
	books, err := store.Contact(t.Context(), "books")
	if err != nil {
		t.Fatal(err)
	}
	put := func() { change(t, store, func(tx directory.Tx) error { return tx.PutContact(t.Context(), books) }) }
	books.Mails = []string{"domain"}
	books.Scope = []portal.Ref{{Type: "domain", ID: "acme.example"}}
	put()
	for resource, want := range map[string]string{"domain:acme.example": "allow", "domain:other.example": "contact_never_acts"} { // req 25
		if got := ask(t, url, "contact:books", "mail.domain.receive", resource, ""); got != want {
			t.Errorf("mail about %s: %s", resource, got)
		}
	}
	books.Status = portal.ContactRemoved
	put()
	if got := ask(t, url, "contact:books", "mail.domain.receive", "domain:acme.example", ""); got != "contact_never_acts" {
		t.Errorf("after the removal: %s", got)
	}
}

// A13.19: staff read, act for an owner within limits, and stop at the next question
// once they are staff no more.
func TestStaffOfARunningServer(t *testing.T) {
	c := local(t)
	url, store := start(t, c).urls[0], elsewhere(t, c)
	actor := func(id string, until time.Time) string {
		return fmt.Sprintf(`"actor":{"type":"user","id":%q,"properties":{"ticket":"T-1","expires_at":%d}}`, id, until.Unix())
	}
	hour := time.Now().Add(time.Hour)
	type question struct{ subject, action, resource, context, want string }
	expect := func(all ...question) {
		t.Helper()
		for _, q := range all {
			if got := ask(t, url, q.subject, q.action, q.resource, q.context); got != q.want {
				t.Errorf("%s %s %s %s: got %s, want %s", q.subject, q.action, q.resource, q.context, got, q.want)
			}
		}
	}
	expect(
		question{"user:tess", "invoice.view", "account:bakery", "", "allow"},
		question{"user:tess", "invoice.pay", "account:bakery", "", "not_member"},
		question{"user:tess", "invoice.view", "account:nowhere", "", "not_member"},
		question{"user:tess", "staff.login_as", "account:acme", "", "allow"},
		question{"user:tess", "staff.2fa.reset", "account:acme", "", "staff_only"},
		question{"user:anna", "staff.login_as", "account:acme", "", "staff_only"},
		question{"user:anna", "invoice.view", "account:acme", actor("tess", hour), "allow"},
		question{"user:anna", "invoice.view", "account:acme", actor("tess", time.Now().Add(-time.Hour)), "expired"},
		question{"user:anna", "invoice.view", "account:acme", actor("bea", hour), "staff_only"},
		question{"user:carl", "invoice.view", "account:acme", actor("tess", hour), "owner_only"},
		question{"user:anna", "password.reveal", "service:5", actor("tess", hour), "not_in_the_owners_name"},
		question{"user:anna", "password.reveal", "service:5", "", "allow"},
		question{"user:anna", "invoice.view", "account:acme", `"actor":{"type":"user","id":"tess"}`, "bad_input"},
	)
	admin := staff.Admin{Store: store, Actor: "cli:test"}
	if _, err := admin.Remove(t.Context(), "tess"); err != nil {
		t.Fatal(err)
	}
	expect(
		question{"user:tess", "invoice.view", "account:bakery", "", "not_member"},
		question{"user:tess", "staff.login_as", "account:acme", "", "staff_only"},
		question{"user:anna", "invoice.view", "account:acme", actor("tess", hour), "staff_only"},
		question{"user:anna", "invoice.view", "account:acme", "", "allow"},
	)
}

// D2, A13.16: what a member chose to be sent, and holds on the whole account, counts at
// the next question.
func TestChoicesAndAccountWideCategoriesOfARunningServer(t *testing.T) {
	c := local(t)
	url, store := start(t, c).urls[0], elsewhere(t, c)
	carl, err := store.Membership(t.Context(), "acme", "carl")
	if err != nil {
		t.Fatal(err)
	}
	may := func(action string) string { t.Helper(); return ask(t, url, "user:carl", action, "account:acme", "") }
	for _, step := range []struct {
		mail portal.MailChoices
		want string
	}{{carl.Mail, "allow"}, {portal.MailChoices{Off: []string{"invoice"}}, "category_missing"}, {portal.MailChoices{On: []string{"invoice"}}, "allow"}} {
		carl.Mail = step.mail
		change(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), carl) })
		if got := may("mail.invoice.receive"); got != step.want {
			t.Errorf("%+v: %s", step.mail, got)
		}
	}
	carl.Grant.Scope = []portal.Ref{{Type: "service", ID: "5"}}
	change(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), carl) })
	if got := may("invoice.view"); got != "out_of_scope" {
		t.Errorf("limited to a service: %s", got)
	}
	carl.Grant.AccountWide = []string{"invoices"}
	change(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), carl) })
	if got := may("invoice.view"); got != "allow" {
		t.Errorf("with invoices on the whole account: %s", got)
	}
}
