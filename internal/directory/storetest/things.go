package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// S14: collations, in databases, have made two people one.
func exactIDs(t *testing.T, s directory.Store) {
	ids := []portal.UserID{"user:foo", "User:Foo", "user:fo", "user:foo.", "USER:FOO"}
	things := []any{account("a:b"), account("A:b"), owner("a:b", ids[0]), owner("A:b", ids[1])}
	for i, id := range ids {
		u := user(id)
		u.MFA = i%2 == 1
		things = append([]any{u}, things...)
	}
	commit(t, s, things...)
	for i, id := range ids {
		u, err := s.User(t.Context(), id)
		if err != nil || u.ID != id || u.MFA != (i%2 == 1) {
			t.Errorf("%q reads as %+v, %v", id, u, err)
		}
	}
	for account, want := range map[portal.AccountID]portal.UserID{"a:b": ids[0], "A:b": ids[1]} {
		members, err := s.Members(t.Context(), account)
		if err != nil || len(members) != 1 || members[0].User != want {
			t.Errorf("members of %q: %v %v", account, members, err)
		}
	}
	for _, id := range []portal.UserID{"user:fOo", "user:foo ", "ｕser:foo", "user:foo\x00"} {
		if _, err := s.User(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q is somebody: %v", id, err)
		}
	}
}

// pruned is the origin of what was imported and then taken out of use.
var pruned = portal.Origin{Source: "größe,ü", Pruned: true}

var noon = time.Date(2026, 8, 1, 12, 0, 0, 123456000, time.UTC)

func fullAccount() portal.Account {
	return portal.Account{
		ID: acme, UUID: "f08e-\u00e9", Name: "Ærø & Söhne 株式会社 \U0001F6AA <b>\"'", Status: portal.AccountClosed, MFARequired: true,
		Origin: pruned, CreatedAt: noon,
	}
}

func fullUser() portal.User {
	return portal.User{
		ID: anna, Status: portal.UserDisabled, MFA: true, CreatedAt: noon, Origin: pruned, EmailVerifiedAt: noon, LastLogin: noon,
		Staff:  portal.NewStaffRights("staff.read", "staff.login_as"),
		Person: portal.Person{Email: "mıke@exämple.org", FirstName: "e\u0301", LastName: "\u00e9", Locale: "de-CH"},
	}
}

func fullMembership() portal.Membership {
	m := owner(acme, anna)
	m.Grant = portal.Grant{
		Presets: []string{"support", "billing"}, Categories: []string{"in\"voices", "größe,ü", "]"},
		Scope:       []portal.Ref{{Type: "service", ID: "5"}, {Type: "domain", ID: "a:b@c"}},
		AccountWide: []string{"tickets", "größe,ü"},
		NotBefore:   time.UnixMicro(-1).UTC(), NotAfter: noon,
	}
	m.Mail = portal.MailChoices{On: []string{"invoice", "]"}, Off: []string{"domain", "a\"b"}}
	m.Origin, m.LastLogin, m.CreatedAt = portal.Origin{Source: "whmcs"}, time.UnixMicro(0).UTC(), noon
	return m
}

func fullToken() directory.Token {
	return directory.Token{ID: "t1", Name: "Läden", Digest: [32]byte{1, 255}, Scopes: []string{"decide", "manage"}, CreatedAt: noon, RevokedAt: noon,
		Limits: &portal.Limits{Accounts: []portal.AccountID{"acme", "B:2"}, Types: []string{"account", "größe,ü"}}}
}

// Every field differs from its zero value, so a forgotten column shows.
func roundTrip(t *testing.T, s directory.Store) {
	a, u, m, c, tok := fullAccount(), fullUser(), fullMembership(), fullContact(), fullToken()
	commit(t, s, account(acme), user(anna), owner(acme, anna), contact(acme, books))
	commit(t, s, a, u, m, c, tok) // replaced, every field
	ctx := t.Context()
	gotA, err := s.Account(ctx, acme)
	if diff := cmp.Diff(a, gotA); err != nil || diff != "" {
		t.Errorf("account: %v\n%s", err, diff)
	}
	gotU, err := s.User(ctx, anna)
	if diff := cmp.Diff(u, gotU); err != nil || diff != "" {
		t.Errorf("user: %v\n%s", err, diff)
	}
	gotM, err := s.Membership(ctx, acme, anna)
	if diff := cmp.Diff(m, gotM); err != nil || diff != "" {
		t.Errorf("membership: %v\n%s", err, diff)
	}
	gotC, err := s.Contact(ctx, books)
	if diff := cmp.Diff(c, gotC); err != nil || diff != "" {
		t.Errorf("contact: %v\n%s", err, diff)
	}
	facts, _, err := s.Facts(ctx, []portal.FactKey{key(acme, anna)})
	if diff := cmp.Diff([]portal.Facts{factsOf(a, u, m)}, facts); err != nil || diff != "" {
		t.Errorf("facts: %v\n%s", err, diff)
	}
	gotT, err := s.Tokens(ctx)
	if diff := cmp.Diff([]directory.Token{tok}, gotT); err != nil || diff != "" {
		t.Errorf("tokens: %v\n%s", err, diff)
	}
	commit(t, s, account(acme), user(anna), owner(acme, anna), contact(acme, books)) // and back to zero
	gotC, err = s.Contact(ctx, books)
	if diff := cmp.Diff(contact(acme, books), gotC); err != nil || diff != "" {
		t.Errorf("contact, emptied: %v\n%s", err, diff)
	}
	gotA, errA := s.Account(ctx, acme)
	gotU, errU := s.User(ctx, anna)
	if errA != nil || errU != nil || gotA != account(acme) || gotU != user(anna) {
		t.Errorf("emptied: %+v, %v, %+v, %v", gotA, errA, gotU, errU)
	}
	gotM, err = s.Membership(ctx, acme, anna)
	if diff := cmp.Diff(owner(acme, anna), gotM); err != nil || diff != "" {
		t.Errorf("membership, emptied: %v\n%s", err, diff)
	}
}

// Nanoseconds and zones are not kept, and putting others changes nothing.
func timePrecision(t *testing.T, s directory.Store) {
	ctx := t.Context()
	things := func(at time.Time) []any {
		a, u, m, c, tok := fullAccount(), fullUser(), fullMembership(), fullContact(), fullToken()
		a.CreatedAt, u.CreatedAt, m.CreatedAt, c.CreatedAt, tok.CreatedAt = at, at, at, at, at
		u.EmailVerifiedAt, u.LastLogin = at, at
		m.LastLogin, m.Grant.NotBefore, m.Grant.NotAfter, tok.RevokedAt = at, at, at, at
		return []any{a, u, m, c, tok}
	}
	east := time.Date(2026, 8, 1, 17, 0, 0, 123456789, time.FixedZone("east", 5*3600))
	p := commit(t, s, things(east)...)
	gotA, errA := s.Account(ctx, acme)
	gotU, errU := s.User(ctx, anna)
	gotM, errM := s.Membership(ctx, acme, anna)
	gotC, errC := s.Contact(ctx, books)
	gotT, errT := s.Tokens(ctx)
	if err := errors.Join(errA, errU, errM, errC, errT); err != nil || len(gotT) != 1 {
		t.Fatal(gotT, err)
	}
	if diff := cmp.Diff(things(noon), []any{gotA, gotU, gotM, gotC, gotT[0]}); diff != "" {
		t.Error(diff)
	}
	again, err := s.Update(ctx, func(tx directory.Tx) error { return put(ctx, tx, things(east.Add(10))...) })
	if err != nil || again != p {
		t.Errorf("a change of nanoseconds committed: %v, %v", again, err)
	}
	old := user(ben)
	old.CreatedAt = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	commit(t, s, old)
	if got, err := s.User(ctx, ben); err != nil || got != old {
		t.Errorf("got %+v, %v, want %+v", got, err, old)
	}
}

func notFound(t *testing.T, s directory.Store) {
	ctx := t.Context()
	found(t, s)
	_, account := s.Account(ctx, "nobody")
	_, user := s.User(ctx, "nobody")
	_, membership := s.Membership(ctx, acme, "nobody")
	_, contact := s.Contact(ctx, "nobody")
	for what, err := range map[string]error{"account": account, "user": user, "membership": membership, "contact": contact} {
		if !errors.Is(err, directory.ErrNotFound) || !strings.Contains(err.Error(), "nobody") {
			t.Errorf("%s: got %v, want ErrNotFound that names it", what, err)
		}
	}
	if members, err := s.Members(ctx, "nobody"); len(members) != 0 || err != nil {
		t.Errorf("members of no account: %v, %v", members, err)
	}
}

// A wrong thing is one that no store keeps.
type wrong struct {
	why   string
	thing any
}

func invalid(t *testing.T, s directory.Store) {
	found(t, s)
	was := everything(t, s)
	grant := func(g portal.Grant) portal.Membership {
		m := member(acme, ben)
		m.Grant = g
		return m
	}
	for _, c := range append([]wrong{
		{"no account id", portal.Account{Status: portal.AccountActive}},
		{"space in id", portal.User{ID: "a b", Status: portal.UserActive}},
		{"slash in id", portal.User{ID: "a/b", Status: portal.UserActive}},
		{"letter beyond ASCII in id", portal.User{ID: "ä", Status: portal.UserActive}},
		{"id of 129 bytes", portal.User{ID: portal.UserID(strings.Repeat("a", 129)), Status: portal.UserActive}},
		{"no status", portal.Account{ID: acme}},
		{"unknown status", portal.User{ID: ben, Status: "Active"}},
		{"unknown state", portal.Membership{Account: acme, User: ben, State: "expired"}},
		{"name not UTF-8", portal.Account{ID: acme, Status: portal.AccountActive, Name: "\xff"}},
		{"NUL in a name", portal.User{ID: ben, Status: portal.UserActive, Person: portal.Person{Email: "a\x00b"}}},
		{"year beyond 9999", portal.User{ID: ben, Status: portal.UserActive, CreatedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"empty preset", grant(portal.Grant{Presets: []string{""}})},
		{"category not UTF-8", grant(portal.Grant{Categories: []string{"\xff"}})},
		{"scope without id", grant(portal.Grant{Scope: []portal.Ref{{Type: "service"}}})},
		{"scope with a colon in its type", grant(portal.Grant{Scope: []portal.Ref{{Type: "a:b", ID: "c"}}})},
		{"membership without its account", member("nowhere", ben)},
		{"membership without its user", member(acme, "nobody")},
		{"token without digest", directory.Token{ID: "t"}},
		{"token limited to nothing", directory.Token{ID: "t", Digest: [32]byte{1}, Limits: &portal.Limits{}}},
		{"token limited to what is no account", directory.Token{ID: "t", Digest: [32]byte{1}, Limits: &portal.Limits{Accounts: []portal.AccountID{""}}}},
		{"token limited to what is no type", directory.Token{ID: "t", Digest: [32]byte{1}, Limits: &portal.Limits{Types: []string{"a\n"}}}},
		{"pending owner", portal.Membership{Account: acme, User: anna, State: portal.MembershipPending, Owner: true}},
	}, append(wrongPeople(), wrongImports()...)...) {
		if p, err := try(t.Context(), s, c.thing); !errors.Is(err, directory.ErrInvalid) || p != (portal.Position{}) {
			t.Errorf("%s: got %v, %v, want ErrInvalid", c.why, p, err)
		}
	}
	if _, _, err := s.Changes(t.Context(), portal.Position{}, 0); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("no changes at all asked for: %v", err)
	}
	unchanged(t, s, was)
}

func memberOrder(t *testing.T, s directory.Store) {
	things := []any{account(acme), account("acme2"), user("z"), owner("acme2", "z")}
	for _, id := range []portal.UserID{"a", "B", "_", "b", "10", "9", "a.b", "a:b"} {
		m := member(acme, id)
		m.Owner = id == "b"
		things = append(things, user(id), m)
	}
	commit(t, s, things...)
	members, err := s.Members(t.Context(), acme)
	got := make([]portal.UserID, len(members))
	for i, m := range members {
		got[i] = m.User
	}
	want := []portal.UserID{"10", "9", "B", "_", "a", "a.b", "a:b", "b"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func tokens(t *testing.T, s directory.Store) {
	one := directory.Token{ID: "b", Name: "shop", Digest: [32]byte{1}}
	two := directory.Token{ID: "B", Digest: [32]byte{2}, Scopes: []string{"decide"}, RevokedAt: noon}
	commit(t, s, one, two)
	one.RevokedAt = noon
	three := directory.Token{ID: "c", Digest: [32]byte{3}, Scopes: []string{"decide"}, Limits: &portal.Limits{Accounts: []portal.AccountID{acme}}}
	four := directory.Token{ID: "d", Digest: [32]byte{4}, Limits: &portal.Limits{Types: []string{"service"}}}
	commit(t, s, one, three, four)
	got, err := s.Tokens(t.Context())
	if diff := cmp.Diff([]directory.Token{two, one, three, four}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func erased(t *testing.T, s directory.Store) {
	u := fullUser()
	commit(t, s, u)
	u.Person = portal.Person{}
	commit(t, s, u)
	if got, err := s.User(t.Context(), u.ID); err != nil || got != u {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := directory.Verify(t.Context(), s, nil); err != nil {
		t.Errorf("the trail is broken: %v", err)
	}
}
