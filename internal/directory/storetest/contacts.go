package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// books is the contact that these tests put into acme.
const books portal.ContactID = "books"

func contact(a portal.AccountID, id portal.ContactID) portal.Contact {
	return portal.Contact{
		ID: id, Account: a, Status: portal.ContactActive,
		Person: portal.Person{Email: "books@acme.example"}, Mails: []string{"invoice"},
	}
}

func fullContact() portal.Contact {
	return portal.Contact{
		ID: books, Account: acme, Status: portal.ContactRemoved, CreatedAt: noon,
		Person: portal.Person{Email: "bücher@exämple.org", FirstName: "e\u0301", LastName: "\u00e9", Locale: "de-CH"},
		Mails:  []string{"support", "in\"voice"},
		Scope:  []portal.Ref{{Type: "domain", ID: "a:b@c"}, {Type: "service", ID: "5"}},
	}
}

func contactKey(a portal.AccountID, id portal.ContactID) portal.FactKey {
	return portal.FactKey{Account: a, Subject: portal.Ref{Type: portal.TypeContact, ID: string(id)}}
}

func contactFacts(c portal.Contact) *portal.ContactFacts {
	return &portal.ContactFacts{Status: c.Status, Mails: c.Mails, Scope: c.Scope}
}

// other puts another account, owned by ben.
func other(t *testing.T, s directory.Store) {
	t.Helper()
	commit(t, s, account("other"), owner("other", ben))
}

// S14, like exactIDs.
func exactContactIDs(t *testing.T, s directory.Store) {
	found(t, s)
	ids := []portal.ContactID{"books", "Books", "books.", "BOOKS"}
	for _, id := range ids {
		c := contact(acme, id)
		c.Person.FirstName = string(id)
		commit(t, s, c)
	}
	for _, id := range ids {
		if c, err := s.Contact(t.Context(), id); err != nil || c.ID != id || c.Person.FirstName != string(id) {
			t.Errorf("%q reads as %+v, %v", id, c, err)
		}
	}
	for _, id := range []portal.ContactID{"bOoks", "books ", "books\x00", ""} {
		if _, err := s.Contact(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q is a contact: %v", id, err)
		}
		if facts, _, err := s.Facts(t.Context(), []portal.FactKey{contactKey(acme, id)}); err != nil || facts[0].Contact != nil {
			t.Errorf("%q has facts: %+v, %v", id, facts, err)
		}
	}
}

func contactOrder(t *testing.T, s directory.Store) {
	found(t, s)
	other(t, s)
	gone := contact(acme, "b")
	gone.Status = portal.ContactRemoved
	commit(t, s, gone, contact("other", "a"), contact(acme, "10"), contact(acme, "B"), contact(acme, "9"))
	contacts, err := s.Contacts(t.Context(), acme)
	var got []portal.ContactID
	for _, c := range contacts {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]portal.ContactID{"10", "9", "B", "b"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if contacts, err := s.Contacts(t.Context(), "nobody"); len(contacts) != 0 || err != nil {
		t.Errorf("contacts of no account: %v, %v", contacts, err)
	}
}

// req 17: whatever else changes, the account does not. req 18: the address may.
func oneAccount(t *testing.T, s directory.Store) {
	found(t, s)
	other(t, s)
	commit(t, s, contact(acme, books), contact("other", "books2")) // of the same address
	was := everything(t, s)
	for why, c := range map[string]portal.Contact{
		"moved": contact("other", books), "without its account": contact("nowhere", "new"),
	} {
		if _, err := try(t.Context(), s, c); !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", why, err)
		}
	}
	unchanged(t, s, was)
	gone := contact(acme, books)
	gone.Status, gone.Person = portal.ContactRemoved, portal.Person{}
	commit(t, s, gone)
	if _, err := try(t.Context(), s, contact("other", books)); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("moved after it was removed: got %v, want ErrInvalid", err)
	}
}

// req 15, req 17, req 32.
func factsOfContacts(t *testing.T, s directory.Store) {
	found(t, s)
	other(t, s)
	active, gone := contact(acme, books), fullContact()
	gone.ID = "gone"
	at := commit(t, s, active, gone, contact(acme, "anna"))
	ofAcme := portal.AccountFacts{Status: portal.AccountActive}
	for _, c := range []struct {
		key  portal.FactKey
		want portal.Facts
	}{
		{contactKey(acme, books), portal.Facts{Account: ofAcme, Contact: contactFacts(active)}},
		{contactKey(acme, "gone"), portal.Facts{Account: ofAcme, Contact: contactFacts(gone)}},
		{contactKey(acme, "nobody"), portal.Facts{Account: ofAcme}},
		{contactKey("other", books), portal.Facts{Account: ofAcme}}, // of another account
		{contactKey("nowhere", books), portal.Facts{}},
		{contactKey("", books), portal.Facts{}},
		{contactKey("Acme", books), portal.Facts{}},
		{contactKey("' OR 1=1 --", "%\x00_"), portal.Facts{}},
		// A contact with a user's id is not the user, nor the other way round.
		{contactKey(acme, "anna"), portal.Facts{Account: ofAcme, Contact: contactFacts(contact(acme, "anna"))}},
		{key(acme, anna), factsOf(account(acme), user(anna), owner(acme, anna))},
		{key(acme, portal.UserID(books)), portal.Facts{Account: ofAcme}},
		{portal.FactKey{Account: acme, Subject: portal.Ref{Type: "Contact", ID: string(books)}}, portal.Facts{Account: ofAcme}},
	} {
		got, p, err := s.Facts(t.Context(), []portal.FactKey{c.key})
		if diff := cmp.Diff([]portal.Facts{c.want}, got); err != nil || p != at || diff != "" {
			t.Errorf("%v at %v: %v\n%s", c.key, p, err, diff)
		}
	}
}

// What is personal of a removed contact can be erased; that it was there stays.
func erasedContact(t *testing.T, s directory.Store) {
	found(t, s)
	c := fullContact()
	commit(t, s, c)
	c.Person = portal.Person{}
	commit(t, s, c)
	got, err := s.Contact(t.Context(), books)
	if diff := cmp.Diff(c, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := directory.Verify(t.Context(), s, nil); err != nil {
		t.Errorf("the trail is broken: %v", err)
	}
}

// A13.19
func staff(t *testing.T, s directory.Store) {
	found(t, s)
	tess, cid := user("tess"), user("cid")
	tess.Staff = portal.NewStaffRights("staff.read", "staff.login_as")
	tess.Person.Email = "tess@host.example"
	cid.Staff, cid.Status = portal.NewStaffRights("staff.read"), portal.UserDisabled
	commit(t, s, tess, cid)
	got, err := s.Staff(t.Context())
	if diff := cmp.Diff([]portal.User{cid, tess}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, account := range []portal.AccountID{"", acme} {
		facts, _, err := s.Facts(t.Context(), []portal.FactKey{key(account, "tess")})
		if err != nil || facts[0].User != (portal.UserFacts{Status: portal.UserActive, Staff: tess.Staff}) {
			t.Errorf("in %q: %+v, %v", account, facts, err)
		}
	}
	tess.Staff = ""
	commit(t, s, tess)
	if got, err := s.Staff(t.Context()); err != nil || len(got) != 1 || got[0] != cid {
		t.Errorf("afterwards %+v, %v", got, err)
	}
	if facts, _, err := s.Facts(t.Context(), []portal.FactKey{key("", "tess")}); err != nil || facts[0].User.Staff != "" {
		t.Errorf("afterwards %+v, %v", facts, err)
	}
}

// D2: what was not chosen is not in the facts, and one list alone is.
func mailChoices(t *testing.T, s directory.Store) {
	found(t, s)
	for _, want := range []*portal.MailChoices{
		{On: []string{"invoice"}, Off: []string{"domain", "support"}},
		{On: []string{"invoice"}},
		nil,
		{Off: []string{"invoice"}},
	} {
		m := member(acme, ben)
		if want != nil {
			m.Mail = *want
		}
		commit(t, s, m)
		facts, _, err := s.Facts(t.Context(), []portal.FactKey{key(acme, ben)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, facts[0].Membership.Mail); diff != "" {
			t.Error(diff)
		}
	}
}

// wrongPeople are contacts, rights of staff and choices of mail that no store keeps.
func wrongPeople() []wrong {
	wide, mail := member(acme, ben), func(on, off string) portal.Membership {
		m := member(acme, ben)
		m.Mail = portal.MailChoices{On: []string{on}, Off: []string{off}}
		return m
	}
	wide.Grant.AccountWide = []string{""}
	rights := func(r portal.StaffRights) portal.User {
		return portal.User{ID: ben, Status: portal.UserActive, Staff: r}
	}
	contact := func(change func(*portal.Contact)) portal.Contact {
		c := contact(acme, books)
		change(&c)
		return c
	}
	return []wrong{
		{"empty account-wide category", wide},
		{"mail chosen and declined", mail("invoice", "invoice")},
		{"mail not UTF-8", mail("\xff", "invoice")},
		{"empty mail declined", mail("invoice", "")},
		{"rights of staff not sorted", rights("staff.read,staff.login_as")},
		{"a right of staff twice", rights("staff.read,staff.read")},
		{"an empty right of staff", rights(",staff.read")},
		{"a right of staff with a line break", rights("staff.read\n")},
		{"contact without id", contact(func(c *portal.Contact) { c.ID = "" })},
		{"contact without account", contact(func(c *portal.Contact) { c.Account = "" })},
		{"contact without status", contact(func(c *portal.Contact) { c.Status = "" })},
		{"contact without address (req 20)", contact(func(c *portal.Contact) { c.Person.Email = "" })},
		{"NUL in a contact's name", contact(func(c *portal.Contact) { c.Person.LastName = "a\x00b" })},
		{"contact of an empty mail", contact(func(c *portal.Contact) { c.Mails = []string{""} })},
		{"contact limited to nothing", contact(func(c *portal.Contact) { c.Scope = []portal.Ref{{Type: "domain"}} })},
		{"contact of the year 0", contact(func(c *portal.Contact) { c.CreatedAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) })},
	}
}
