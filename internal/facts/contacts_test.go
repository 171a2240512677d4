package facts_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/facts"
	"doorward/internal/portal"
)

func contactKey(id portal.ContactID) portal.FactKey {
	return portal.FactKey{Account: acme, Subject: portal.Ref{Type: portal.TypeContact, ID: string(id)}}
}

func contact(id portal.ContactID) portal.Contact {
	return portal.Contact{
		ID: id, Account: acme, Status: portal.ContactActive,
		Person: portal.Person{Email: "books@acme.example"}, Mails: []string{"invoice"},
	}
}

// req 32, req 52: a contact is asked for in vain, made, changed and removed, and each
// time the next read sees it.
func TestEveryChangeOfAContactIsSeen(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	subscribed, limited, removed := contact("books"), contact("books"), contact("books")
	subscribed.Mails = []string{"invoice", "domain"}
	limited.Scope = []portal.Ref{{Type: "domain", ID: "acme.example"}}
	removed.Status = portal.ContactRemoved
	if f, _, err := cache.Read(t.Context(), contactKey("books")); err != nil || f.Contact != nil || f.Account.Status != portal.AccountActive {
		t.Fatalf("beforehand %+v, %v", f, err)
	}
	for i, c := range []portal.Contact{contact("books"), subscribed, limited, removed} {
		position := update(t, store, func(tx directory.Tx) error { return tx.PutContact(t.Context(), c) })
		want := portal.Facts{
			Account: portal.AccountFacts{Status: portal.AccountActive},
			Contact: &portal.ContactFacts{Status: c.Status, Mails: c.Mails, Scope: c.Scope},
		}
		for range 2 { // from the directory, then from memory
			got, at, err := cache.Read(t.Context(), contactKey("books"))
			if diff := cmp.Diff(want, got); err != nil || at != position || diff != "" {
				t.Errorf("after change %d at %v, want %v: %v\n%s", i, at, position, err, diff)
			}
		}
	}
	update(t, store, func(tx directory.Tx) error {
		return tx.PutAccount(t.Context(), portal.Account{ID: acme, Status: portal.AccountClosed})
	})
	if f, _, err := cache.Read(t.Context(), contactKey("books")); err != nil || f.Account.Status != portal.AccountClosed {
		t.Errorf("the account's change was not seen: %+v, %v", f, err)
	}
}

// Facts that differ in one part alone are not taken for each other, and equal ones
// are kept once.
func TestSharedFactsAreEqual(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	base := portal.Grant{Presets: []string{"a"}, Scope: []portal.Ref{{Type: "service", ID: "5"}}}
	wide, category := base, base
	wide.AccountWide, category.Categories = []string{"b"}, []string{"b"}
	kinds := []portal.Membership{
		{Grant: base}, {Grant: wide}, {Grant: category},
		{Grant: base, Mail: portal.MailChoices{On: []string{"invoice"}}},
		{Grant: base, Mail: portal.MailChoices{Off: []string{"invoice"}}},
		{Grant: base, State: portal.MembershipRemoved},
	}
	var keys []portal.FactKey
	update(t, store, func(tx directory.Tx) (err error) {
		for i := range 2 * len(kinds) {
			m := kinds[i%len(kinds)]
			m.Account, m.User = acme, portal.UserID(fmt.Sprint("u", i))
			if m.State == "" {
				m.State = portal.MembershipActive
			}
			keys = append(keys, key(m.User))
			err = errors.Join(err, tx.PutUser(t.Context(), portal.User{ID: m.User, Status: portal.UserActive}), tx.PutMembership(t.Context(), m))
		}
		return errors.Join(err, tx.PutContact(t.Context(), contact("books")), tx.PutContact(t.Context(), contact("more")))
	})
	want, _, err := store.Facts(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	var got []portal.Facts
	for range 2 { // the second time from memory
		if got, _, err = cache.ReadAll(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for i := range kinds {
		a, b := got[i].Membership, got[i+len(kinds)].Membership
		if a.Grant != b.Grant || a.Mail != b.Mail {
			t.Errorf("facts of kind %d are kept twice", i)
		}
	}
	cache.ReadAll(t.Context(), []portal.FactKey{contactKey("books"), contactKey("more")})
	contacts, _, err := cache.ReadAll(t.Context(), []portal.FactKey{contactKey("books"), contactKey("more")})
	if err != nil || contacts[0].Contact != contacts[1].Contact {
		t.Errorf("equal contacts are kept twice, %v", err)
	}
}

// What a question costs when it was asked before (docs/performance.md).
func TestAHitAllocatesNothing(t *testing.T) {
	store := open(t)
	update(t, store, func(tx directory.Tx) error {
		m := member(portal.MembershipActive)
		m.Mail.On, m.Grant.AccountWide = []string{"invoice"}, []string{"tickets"}
		return errors.Join(tx.PutMembership(t.Context(), m), tx.PutContact(t.Context(), contact("books")))
	})
	cache := facts.NewCache(store, facts.Options{})
	for name, key := range map[string]portal.FactKey{"member": key(anna), "contact": contactKey("books"), "no contact": contactKey("none")} {
		read := func() {
			if _, _, err := cache.Read(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		read()
		if n := testing.AllocsPerRun(100, read); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
