package importer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

const booksOfAcme = `{"kind":"contact","id":"9","account":"42","first_name":"Ann","email":"books@acme.example","emails":{"invoice":true,"domain":false},"subaccount":false}`

func contactOf(t testing.TB, store *sqlite.Store, id portal.ContactID) portal.Contact {
	t.Helper()
	c, err := store.Contact(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// req 17, req 20, req 21: contacts of an account, as WHMCS exports them and in our own
// words.
func TestContactsArrive(t *testing.T) {
	store := emptyStore(t)
	report := apply(t, plan(t, file(userAnna, accountAcme, annaOwns, booksOfAcme,
		`{"kind":"contact","id":"10","account":"42","email":"dns@acme.example","language":"en","scope":["domain:acme.example"],`+
			`"emails":{"domain":1,"support":true,"affiliate":null,"general":0},"created_at":"2020-07-01 12:00:00"}`,
		`{"kind":"contact","id":"11","account":"42","email":"books@acme.example"}`,
		`{"kind":"contact","id":"12","account":"42","status":"removed"}`)), store)
	if report.Contacts != (Count{New: 4}) {
		t.Errorf("counted %+v", report.Contacts)
	}
	want := []portal.Contact{
		{
			ID: "10", Account: "42", Origin: whmcs, Status: portal.ContactActive, Person: portal.Person{Email: "dns@acme.example", Locale: "en"},
			Mails: []string{"support", "domain"}, Scope: []portal.Ref{{Type: "domain", ID: "acme.example"}},
			CreatedAt: time.Date(2020, 7, 1, 11, 0, 0, 0, time.UTC),
		},
		{ID: "11", Account: "42", Origin: whmcs, Status: portal.ContactActive, Person: portal.Person{Email: "books@acme.example"}},
		{ID: "12", Account: "42", Origin: whmcs, Status: portal.ContactRemoved},
		{
			ID: "9", Account: "42", Origin: whmcs, Status: portal.ContactActive, Person: portal.Person{Email: "books@acme.example", FirstName: "Ann"},
			Mails: []string{"invoice"},
		},
	}
	got, err := store.Contacts(context.Background(), "42")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// D2: what a member chose to be sent; what the account's preferences decline, its
// owner declines.
func TestChoicesOfMailArrive(t *testing.T) {
	const preferences = `{"kind":"account","id":"42","email_preferences":{"general":true,"invoice":false,"domain":false}}`
	for _, c := range []struct {
		account, owner, member string
		wantOwner, wantMember  portal.MailChoices
	}{
		{account: accountAcme, owner: annaOwns, member: deeHas(`"emails":{"domain":false,"invoice":true,"support":null}`),
			wantMember: portal.MailChoices{On: []string{"invoice"}, Off: []string{"domain"}}},
		{account: preferences, owner: annaOwns, member: deeHas(`"presets":["billing"]`),
			wantOwner: portal.MailChoices{Off: []string{"invoice", "domain"}}},
		{account: preferences, owner: strings.Replace(annaOwns, `"permissions":null`, `"emails":{"support":false}`, 1), member: deeHas(`"emails":{}`),
			wantOwner: portal.MailChoices{Off: []string{"support"}}},
	} {
		members := planned(t, plan(t, file(userAnna, userDee, c.account, c.owner, c.member)))[0].members
		got := []portal.MailChoices{members[1].Mail, members[0].Mail}
		if diff := cmp.Diff([]portal.MailChoices{c.wantOwner, c.wantMember}, got); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", c.account, c.owner, c.member, diff)
		}
	}
}

// A13.16, A13.17
func TestAccountWideCategories(t *testing.T) {
	p := plan(t, file(userAnna, userDee, accountAcme, annaOwns,
		deeHas(`"presets":["developer"],"scope":["service:5"],"account_wide":["tickets","domain_manage"]`)))
	want := portal.Grant{
		Presets: []string{"developer"}, Scope: []portal.Ref{{Type: "service", ID: "5"}},
		AccountWide: []string{"domains", "domain_manage", "tickets"},
	}
	if diff := cmp.Diff(want, planned(t, p)[0].members[0].Grant); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A second import changes nothing; what a file says wins, and what it does not say
// stays: what was chosen, when a contact was made, who is staff (A13.19).
func TestContactsAndChoicesAgain(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	carl := deeHas(`"presets":["billing"],"scope":["service:5"],"account_wide":["tickets"],"emails":{"invoice":true}`)
	full := plan(t, file(userAnna, userDee, accountAcme, annaOwns, carl, booksOfAcme))
	first := apply(t, full, store)
	for _, again := range []Report{apply(t, full, store), compare(t, full, store)} {
		if again.Contacts != (Count{Unchanged: 1}) || again.Memberships != (Count{Unchanged: 2}) || again.Position != first.Position {
			t.Errorf("the second time: %+v", again)
		}
	}
	books := contactOf(t, store, "9")
	books.Mails, books.CreatedAt = []string{"support"}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := store.Update(ctx, func(tx directory.Tx) error {
		anna, err := tx.User(ctx, "1")
		if err != nil {
			return err
		}
		anna.Staff = "staff.read"
		tx.Log(audit.Entry{Actor: "test", Action: "test"})
		return errors.Join(tx.PutUser(ctx, anna), tx.PutContact(ctx, books))
	})
	if err != nil {
		t.Fatal(err)
	}
	silent := plan(t, file(userAnna, userDee, accountAcme, annaOwns, strings.Replace(carl, `,"emails":{"invoice":true}`, "", 1),
		strings.Replace(booksOfAcme, `"emails":{"invoice":true,"domain":false},`, "", 1)))
	if r := apply(t, silent, store); r.Contacts != (Count{Unchanged: 1}) || r.Memberships != (Count{Unchanged: 2}) || r.Users != (Count{Unchanged: 2}) {
		t.Errorf("a file that says nothing of it: %+v", r)
	}
	if r := apply(t, full, store); r.Contacts != (Count{Changed: 1}) {
		t.Errorf("a file that says it: %+v", r.Contacts)
	}
	books.Mails = []string{"invoice"}
	if diff := cmp.Diff(books, contactOf(t, store, "9")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wide := strings.Replace(carl, `["tickets"]`, `["quotes"]`, 1)
	for _, other := range []string{wide, strings.Replace(wide, `true`, `false`, 1)} {
		if r := apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, other)), store); r.Memberships != (Count{Changed: 1, Unchanged: 1}) {
			t.Errorf("%s: %+v", other, r.Memberships)
		}
	}
	if anna, err := store.User(ctx, "1"); err != nil || anna.Staff != "staff.read" {
		t.Errorf("%+v, %v", anna, err)
	}
}

// req 32: a contact ends with its status, and what is personal may go with it.
func TestAContactIsRemoved(t *testing.T) {
	store := emptyStore(t)
	apply(t, plan(t, file(userAnna, accountAcme, annaOwns, booksOfAcme)), store)
	apply(t, plan(t, file(userAnna, accountAcme, annaOwns, `{"kind":"contact","id":"9","account":"42","status":"removed"}`)), store)
	want := portal.Contact{ID: "9", Account: "42", Origin: whmcs, Status: portal.ContactRemoved, Mails: []string{"invoice"}}
	if diff := cmp.Diff(want, contactOf(t, store, "9")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// req 17: a file that moves a contact is refused, in a dry run too.
func TestAContactDoesNotMove(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, accountAcme, annaOwns, booksOfAcme)), store)
	moved := plan(t, file(userAnna, `{"kind":"account","id":"43"}`, `{"kind":"membership","account":"43","user":"1","owner":true}`,
		strings.Replace(booksOfAcme, `"42"`, `"43"`, 1)))
	for how, r := range map[string]Report{"dry run": compare(t, moved, store), "import": apply(t, moved, store)} {
		if len(r.Quarantine.Records) != 3 || r.Quarantine.Records[0].Reason != "contact 9 belongs to account 42 for ever" {
			t.Errorf("%s: %+v", how, r.Quarantine)
		}
	}
	if _, err := store.Account(ctx, "43"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("its new account is there: %v", err)
	}
}

// req 113
func TestContactsAreInTheTrail(t *testing.T) {
	store := emptyStore(t)
	p := plan(t, file(userAnna, accountAcme, annaOwns, booksOfAcme))
	apply(t, p, store)
	lines := trail(t, store)
	want := map[string]string{
		"source": "whmcs", "sha256": p.Digest, "new": "1", "changed": "0", "contacts_new": "1", "contacts_changed": "0",
	}
	if diff := cmp.Diff(want, lines[len(lines)-1].Detail); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestContactsToLookAt(t *testing.T) {
	warnings := plan(t, file(userAnna, userDee, accountAcme, annaOwns,
		`{"kind":"contact","id":"9","account":"42","email":"Anna@ACME.example"}`,
		`{"kind":"contact","id":"10","account":"42","email":"dev@agency.example"}`, // not a member of this account
		`{"kind":"contact","id":"11","account":"42","email":"x@acme.example","subaccount":1,"permissions":"invoices"}`)).notes.list()
	want := []Warning{
		{Message: "a contact with the email address of a member of its account", Count: 1, Lines: []int{6}},
		{Message: "a contact that could log in before WHMCS 8; a user is made of it, whose id begins with contact-", Count: 1, Lines: []int{8}},
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
