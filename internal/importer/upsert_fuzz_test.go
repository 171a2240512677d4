package importer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// FuzzUpsert: any list of records is refused with places, or is of things that the
// directory keeps (S40). Nobody becomes staff (A13.19), nobody but an owner holds what is
// theirs, and what is shown of a thing reads as the same thing.
func FuzzUpsert(f *testing.F) {
	for _, seed := range [][]string{
		{userAnna, userDee, acmeOwned, booksOfAcme, deeHas(`"permissions":"invoices","scope":["service:5"]`)},
		{userAnna, accountAcme, annaOwns, `{"kind":"signin","user":"1","account":"42","ip":"192.0.2.7"}`},
		{`{"kind":"account","id":"42","owner":"1","email_preferences":{"domain":false}}`, userAnna, `{"kind":"signin","user":"1","at":"2026-01-01 00:00:00"}`},
		{`{"kind":"user","id":"1","source":"x"}`, `null`, `{"kind":"membership","presets":["owner"],"categories":["security"],"owner":1}`},
		{deeHas(`"account_wide":["tickets"],"scope":["domain:x"],"not_after":"2030-01-01T00:00:00.5+05:00","state":"pending","source":"whmcs"`)},
	} {
		f.Add([]byte("[" + strings.Join(seed, ",") + "]"))
	}
	cat, table := shipped(f)
	words := Words{Catalogue: cat, Presets: table}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ijson.ParseAny(text)
		if err != nil {
			return
		}
		u, err := ReadUpsert(list.Items(), words, UpsertOptions{Now: noon})
		if faulty, ok := errors.AsType[*FaultyError](err); ok {
			for _, f := range faulty.Findings {
				if f.Record < 0 || f.Record >= len(list.Items()) || f.Text == "" || f.Pointer != "" && f.Pointer[0] != '/' {
					t.Fatalf("%+v", f)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range u.entries {
			shown := checkChange(t, e.change)
			if shown.Kind() == ijson.Absent {
				continue
			}
			again, err := ReadUpsert([]ijson.Value{shown}, words, UpsertOptions{Now: noon})
			if err != nil {
				t.Fatalf("%s: %v", shown.Append(nil), err)
			}
			if back := checkChange(t, again.entries[0].change); string(back.Append(nil)) != string(shown.Append(nil)) {
				t.Fatalf("%s reads as %s", shown.Append(nil), back.Append(nil))
			}
		}
	})
}

// checkChange checks what a change makes where nothing is, and returns it as it is shown.
func checkChange(t *testing.T, c change) ijson.Value {
	var err error
	var shown ijson.Value
	switch c := c.(type) {
	case userChange:
		u := c.over(portal.User{}, false)
		if u.Staff != "" || u.Person.Email == "" {
			t.Fatalf("%+v", u)
		}
		err, shown = directory.CheckUser(u), userWords(u)
	case accountChange:
		a := c.over(portal.Account{}, false)
		err, shown = directory.CheckAccount(a), accountWords(a, nil)
	case memberChange:
		m := c.over(portal.Membership{}, false)
		held := slices.Concat(m.Grant.Presets, m.Grant.Categories, m.Grant.AccountWide)
		if !m.Owner && slices.ContainsFunc(held, func(s string) bool { return s == "owner" || s == "security" || s == "ownership" }) {
			t.Fatalf("%+v", m)
		}
		err, shown = directory.CheckMembership(m), membershipWords(m)
	case contactChange:
		n := c.over(portal.Contact{}, false)
		err, shown = directory.CheckContact(n), contactWords(n)
	case signin:
		if c.at.IsZero() || c.at.After(noon.Add(maxAhead)) || !portal.ValidID(string(c.user)) || c.account != "" && !portal.ValidID(string(c.account)) {
			t.Fatalf("%+v", c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return shown
}
