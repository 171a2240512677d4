package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/fault"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

// closed is what a directory says of who is kept out.
type closed struct {
	User    portal.UserStatus
	Factor  bool
	Account portal.AccountStatus
	MFA     bool
	State   portal.MembershipState
	Contact portal.ContactStatus
}

func closedIn(t testing.TB, store *sqlite.Store) closed {
	t.Helper()
	ctx := context.Background()
	u, err := store.User(ctx, "7")
	a, err2 := store.Account(ctx, "42")
	m, err3 := store.Membership(ctx, "42", "7")
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return closed{u.Status, u.MFA, a.Status, a.MFARequired, m.State, contactOf(t, store, "9").Status}
}

// portalOf is Acme with Dee and the bookkeeping, each line with more members.
func portalOf(user, account, member, contact string) string {
	return file(userAnna, annaOwns,
		`{"kind":"user","id":"7","email":"dev@agency.example"`+user+`}`,
		`{"kind":"account","id":"42","name":"Acme Ltd"`+account+`}`,
		deeHas(`"presets":["support"]`+member),
		`{"kind":"contact","id":"9","account":"42","email":"books@acme.example"`+contact+`}`)
}

// Silence opens nothing that was closed (req 4, req 32), in a dry run as in the import.
func TestWhatALineLeavesOutStays(t *testing.T) {
	shut := closed{portal.UserDisabled, true, portal.AccountSuspended, true, portal.MembershipRemoved, portal.ContactRemoved}
	open := closed{User: portal.UserActive, Account: portal.AccountActive, State: portal.MembershipActive, Contact: portal.ContactActive}
	const (
		userShut, accountShut  = `,"status":"disabled","second_factor":"totp"`, `,"status":"suspended","mfa_required":true`
		memberShut, bookkeeper = `,"state":"removed"`, `,"status":"removed"`
	)
	all := portalOf(userShut, accountShut, memberShut, bookkeeper)
	for name, c := range map[string]struct {
		text    string
		want    closed
		changed int
	}{
		"the same":    {all, shut, 0},
		"left out":    {portalOf("", "", "", ""), shut, 0},
		"null":        {portalOf(`,"status":null,"second_factor":null`, `,"status":null,"mfa_required":null`, `,"state":null`, `,"status":null`), shut, 0},
		"empty words": {portalOf(`,"status":""`, `,"status":""`, `,"state":""`, `,"status":""`), shut, 0},
		"said": {portalOf(`,"status":"active","second_factor":""`, `,"status":"inactive","mfa_required":0`, `,"state":"active"`, `,"status":"active"`),
			open, 4},
		"said of some": {portalOf(`,"status":"active"`, `,"mfa_required":false`, "", ""),
			closed{portal.UserActive, true, portal.AccountSuspended, false, portal.MembershipRemoved, portal.ContactRemoved}, 2},
	} {
		store := emptyStore(t)
		apply(t, plan(t, all), store)
		p := plan(t, c.text)
		for how, r := range map[string]Report{"dry run": compare(t, p, store), "import": apply(t, p, store)} {
			if got := r.Users.Changed + r.Accounts.Changed + r.Memberships.Changed + r.Contacts.Changed; got != c.changed {
				t.Errorf("%s, %s: %d changed, want %d", name, how, got, c.changed)
			}
		}
		if diff := cmp.Diff(c.want, closedIn(t, store)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if r := apply(t, p, store); r.Users.Changed+r.Accounts.Changed+r.Memberships.Changed+r.Contacts.Changed != 0 {
			t.Errorf("%s, again: %+v", name, r)
		}
	}
	store := emptyStore(t)
	apply(t, plan(t, portalOf("", "", "", "")), store)
	if diff := cmp.Diff(open, closedIn(t, store)); diff != "" {
		t.Errorf("new records (-want +got):\n%s", diff)
	}
}

// S32: an address that somebody changes to is not theirs for having proved the one before.
func TestProofIsOfOneAddress(t *testing.T) {
	store := emptyStore(t)
	dee := func(members string) string { return file(`{"kind":"user","id":"7",` + members + `}`) }
	proved := time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		members string
		want    time.Time
	}{
		{`"email":"dev@agency.example","email_verified_at":"2025-03-01T09:00:00Z"`, proved},
		{`"email":"dev@agency.example"`, proved},
		{`"email":"dev@agency.example","email_verified_at":null`, proved},
		{`"email":"victim@acme.example","email_verified_at":null`, time.Time{}},
		{`"email":"dev@agency.example"`, time.Time{}},
	} {
		apply(t, plan(t, dee(c.members)), store)
		if u, err := store.User(t.Context(), "7"); err != nil || !u.EmailVerifiedAt.Equal(c.want) {
			t.Errorf("%s: proved at %v, want %v, %v", c.members, u.EmailVerifiedAt, c.want, err)
		}
	}
}

// req 4: whoever becomes the owner is active, be it that they were removed before.
func TestARemovedMemberBecomesTheOwner(t *testing.T) {
	store := emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"state":"removed"`))), store)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, strings.Replace(annaOwns, "true", "false", 1), deeHas(`"owner":true`))), store)
	m, err := store.Membership(context.Background(), "42", "7")
	if err != nil || !m.Owner || m.State != portal.MembershipActive {
		t.Errorf("%+v, %v", m, err)
	}
}

// A grant is replaced whole, limits too, as docs/import.md says.
func TestAGrantIsReplacedWhole(t *testing.T) {
	store := emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns,
		deeHas(`"presets":["support"],"categories":["quotes"],"scope":["service:5"],"account_wide":["tickets"],"not_after":"2030-01-01T00:00:00Z"`))), store)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["billing"]`))), store)
	m, err := store.Membership(context.Background(), "42", "7")
	if diff := cmp.Diff(portal.Grant{Presets: []string{"billing"}}, m.Grant); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// makeStaff gives a user a right of staff.
func makeStaff(t testing.TB, store *sqlite.Store, id portal.UserID) {
	t.Helper()
	ctx := context.Background()
	_, err := store.Update(ctx, func(tx directory.Tx) error {
		u, err := tx.User(ctx, id)
		if err != nil {
			return err
		}
		u.Staff = "staff.read"
		tx.Log(audit.Entry{Actor: "test", Action: "test"})
		return tx.PutUser(ctx, u)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A13.19: an import does not touch the login of staff, and nothing else of such a file
// is taken in.
func TestAnImportDoesNotTouchStaff(t *testing.T) {
	const anna = `{"kind":"user","id":"1","email":"anna@acme.example"`
	rest := []string{accountAcme, annaOwns}
	for _, c := range []struct {
		user    string
		refused bool
	}{
		{anna + `}`, false},
		{anna + `,"status":"active"}`, false},
		{anna + `,"created_at":"2020-01-01T00:00:00Z"}`, false},
		{anna + `,"status":"disabled"}`, true},
		{anna + `,"first_name":"Anna"}`, true},
		{anna + `,"language":"en"}`, true},
		{`{"kind":"user","id":"1","email":"mallory@acme.example"}`, true},
	} {
		ctx, store := context.Background(), emptyStore(t)
		apply(t, plan(t, file(append(rest, userAnna)...)), store)
		makeStaff(t, store, "1")
		before := head(t, store)
		p := plan(t, file(append([]string{userDee, c.user}, rest...)...))
		_, dry := p.Compare(ctx, store, Carry{})
		if head(t, store) != before {
			t.Errorf("%s: the dry run changed something", c.user)
		}
		_, wet := p.Apply(ctx, store, Carry{})
		for how, err := range map[string]error{"dry run": dry, "import": wet} {
			if _, faulty := errors.AsType[fault.List](err); faulty != c.refused || !c.refused && err != nil {
				t.Errorf("%s of %s: %v", how, c.user, err)
			}
			const want = `export.jsonl:3: user 1 is staff, whose login no import changes. Take the staff rights away first (doorward staff remove).`
			if c.refused && fmt.Sprint(err) != want {
				t.Errorf("%s of %s:\n got %v\nwant %s", how, c.user, err, want)
			}
		}
		if moved := head(t, store) != before; moved == c.refused {
			t.Errorf("%s: the directory moved: %v", c.user, moved)
		}
	}
}

// Somebody may be made staff while an import runs; the commit looks again.
func TestStaffMadeMeanwhileIsNotTouched(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, accountAcme, annaOwns)), store)
	makeStaff(t, store, "1")
	p := plan(t, file(strings.Replace(userAnna, "anna@", "mallory@", 1), accountAcme, annaOwns))
	before := head(t, store)
	r := &run{Plan: p, read: store, store: store}
	err := p.users(ctx, func(s part) error { return r.take(ctx, s) })
	if !errors.Is(err, directory.ErrInvalid) || !strings.Contains(fmt.Sprint(err), "user:1 is staff") {
		t.Errorf("got %v", err)
	}
	if head(t, store) != before {
		t.Error("something was written")
	}
}
