package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A model is what a directory is, in maps.
type model struct {
	accounts map[portal.AccountID]portal.Account
	users    map[portal.UserID]portal.User
	members  map[portal.FactKey]portal.Membership
	contacts map[portal.ContactID]portal.Contact
	changes  []directory.Change
	revision portal.Revision
}

func (m *model) clone() *model {
	return &model{maps.Clone(m.accounts), maps.Clone(m.users), maps.Clone(m.members), maps.Clone(m.contacts), slices.Clone(m.changes), m.revision}
}

// put is what Put does, and the change that it makes, if it makes any.
func (m *model) put(thing any) (c directory.Change, changed bool, err error) {
	switch thing := thing.(type) {
	case portal.Account:
		old, ok := m.accounts[thing.ID]
		m.accounts[thing.ID] = thing
		return directory.Change{Kind: directory.ChangedAccount, Account: thing.ID}, !ok || old != thing, nil
	case portal.User:
		old, ok := m.users[thing.ID]
		m.users[thing.ID] = thing
		return directory.Change{Kind: directory.ChangedUser, User: thing.ID}, !ok || old != thing, nil
	case portal.Contact:
		return m.putContact(thing)
	}
	put := thing.(portal.Membership)
	_, account := m.accounts[put.Account]
	_, user := m.users[put.User]
	if !account || !user || put.Owner && put.State != portal.MembershipActive {
		return c, false, directory.ErrInvalid
	}
	old, ok := m.members[key(put.Account, put.User)]
	m.members[key(put.Account, put.User)] = put
	return directory.Change{Kind: directory.ChangedMembership, Account: put.Account, User: put.User}, !ok || !reflect.DeepEqual(old, put), nil
}

func (m *model) putContact(put portal.Contact) (c directory.Change, changed bool, err error) {
	_, account := m.accounts[put.Account]
	old, ok := m.contacts[put.ID]
	if !account || ok && old.Account != put.Account {
		return c, false, directory.ErrInvalid
	}
	m.contacts[put.ID] = put
	return directory.Change{Kind: directory.ChangedContact, Account: put.Account, Contact: put.ID}, !ok || !reflect.DeepEqual(old, put), nil
}

// update is what an update with these puts and so many entries should come to.
func (m *model) update(things []any, entries int) (*model, error) {
	next, changed := m.clone(), map[directory.Change]bool{}
	for _, thing := range things {
		c, did, err := next.put(thing)
		if err != nil {
			return m, err
		}
		if c.Revision = m.revision + 1; did && !changed[c] {
			changed[c] = true
			next.changes = append(next.changes, c)
		}
	}
	switch {
	case len(changed) > 0 && entries == 0:
		return m, directory.ErrUnaudited
	case len(changed)+entries == 0:
		return m, nil
	case !next.owned():
		return m, directory.ErrInvalid
	case len(changed) == 0:
		next.changes = append(next.changes, directory.Change{Revision: m.revision + 1, Kind: directory.ChangedNothing})
	}
	next.revision++
	return next, nil
}

// owned tells whether every account has exactly one owner.
func (m *model) owned() bool {
	owners := map[portal.AccountID]int{}
	for _, member := range m.members {
		if member.Owner {
			owners[member.Account]++
		}
	}
	for id := range m.accounts {
		if owners[id] != 1 {
			return false
		}
	}
	return true
}

// A world is the few accounts, users and contacts that one check is about.
type world struct {
	accounts []portal.AccountID
	users    []portal.UserID
	contacts []portal.ContactID
}

func newWorld(n int) (w world) {
	for _, s := range []string{"a", "A"} {
		w.accounts = append(w.accounts, portal.AccountID(fmt.Sprint(s, n)))
	}
	for _, s := range []string{"U", "u", "v"} {
		w.users = append(w.users, portal.UserID(fmt.Sprint(s, n)))
	}
	for _, s := range []string{"C", "c"} {
		w.contacts = append(w.contacts, portal.ContactID(fmt.Sprint(s, n)))
	}
	return w
}

func (w world) drawThing(t *rapid.T) any {
	account := w.accounts[rapid.IntRange(0, 1).Draw(t, "account")]
	user := w.users[rapid.IntRange(0, 2).Draw(t, "user")]
	switch rapid.SampledFrom([]string{"account", "user", "contact", "member", "member"}).Draw(t, "kind") {
	case "account":
		return portal.Account{
			ID: account, MFARequired: rapid.Bool().Draw(t, "mfa"),
			Status: rapid.SampledFrom([]portal.AccountStatus{portal.AccountActive, portal.AccountClosed}).Draw(t, "status"),
		}
	case "user":
		return portal.User{
			ID: user, Status: rapid.SampledFrom([]portal.UserStatus{portal.UserActive, portal.UserDisabled}).Draw(t, "status"),
			Person: portal.Person{Email: rapid.SampledFrom([]string{"", "a@example.org"}).Draw(t, "email")},
			Staff:  rapid.SampledFrom([]portal.StaffRights{"", "staff.read"}).Draw(t, "staff"),
		}
	case "contact":
		return portal.Contact{
			ID: w.contacts[rapid.IntRange(0, 1).Draw(t, "contact")], Account: account, Person: portal.Person{Email: "a@example.org"},
			Status: rapid.SampledFrom([]portal.ContactStatus{portal.ContactActive, portal.ContactRemoved}).Draw(t, "status"),
			Mails:  rapid.SampledFrom([][]string{nil, {"invoice"}}).Draw(t, "mails"),
		}
	}
	return portal.Membership{
		Account: account, User: user, Owner: rapid.Bool().Draw(t, "owner"),
		State: rapid.SampledFrom([]portal.MembershipState{portal.MembershipActive, portal.MembershipActive, portal.MembershipRemoved}).Draw(t, "state"),
		Grant: portal.Grant{
			Presets:     rapid.SampledFrom([][]string{nil, {"billing"}}).Draw(t, "presets"),
			AccountWide: rapid.SampledFrom([][]string{nil, {"tickets"}}).Draw(t, "account-wide"),
		},
		Mail: portal.MailChoices{Off: rapid.SampledFrom([][]string{nil, nil, {"invoice"}}).Draw(t, "mail off")},
	}
}

// RunModel checks that whatever is done, s is what the model is: same errors, same
// contents, same changes, one revision for each commit.
func RunModel(t *testing.T, s directory.Store) {
	start, n := head(t, s).Revision, 0
	rapid.Check(t, func(r *rapid.T) { // each check has people of its own
		n++
		w := newWorld(n)
		m := &model{
			accounts: map[portal.AccountID]portal.Account{}, users: map[portal.UserID]portal.User{},
			members: map[portal.FactKey]portal.Membership{}, contacts: map[portal.ContactID]portal.Contact{}, revision: head(t, s).Revision,
		}
		first := head(t, s)
		for range 4 {
			m = w.step(r, s, m)
			w.agree(r, s, m, first)
		}
	})
	if _, err := directory.Verify(t.Context(), s, nil); err != nil {
		t.Error(err)
	}
	if commits := head(t, s).Revision - start; commits < 100 {
		t.Errorf("only %d commits came of it", commits)
	}
}

// step makes one update of both.
func (w world) step(r *rapid.T, s directory.Store, m *model) *model {
	things := rapid.SliceOfN(rapid.Custom(w.drawThing), 0, 4).Draw(r, "things")
	if rapid.Bool().Draw(r, "whole account") {
		things = append(w.wholeAccount(r), things...)
	}
	entries := rapid.IntRange(0, 2).Draw(r, "entries")
	next, want := m.update(things, entries)
	p, err := s.Update(r.Context(), func(tx directory.Tx) error {
		for range entries {
			tx.Log(entry("test.put"))
		}
		return put(r.Context(), tx, things...)
	})
	if !errors.Is(err, want) {
		r.Fatalf("got %v, want %v", err, want)
	}
	if err == nil && p.Revision != next.revision {
		r.Fatalf("got %v, want revision %d", p, next.revision)
	}
	return next
}

// wholeAccount is an account with its users and its owner, so that enough of the
// updates succeed.
func (w world) wholeAccount(r *rapid.T) []any {
	account, owner := w.accounts[rapid.IntRange(0, 1).Draw(r, "whole")], w.users[rapid.IntRange(0, 2).Draw(r, "owner")]
	things := []any{portal.Account{ID: account, Status: portal.AccountActive}}
	for _, id := range w.users {
		things = append(things, portal.User{ID: id, Status: portal.UserActive},
			portal.Membership{Account: account, User: id, State: portal.MembershipActive, Owner: id == owner})
	}
	return things
}

func (w world) agree(r *rapid.T, s directory.Store, m *model, after portal.Position) {
	ctx := r.Context()
	for _, account := range w.accounts {
		want := []portal.Membership{}
		for _, member := range m.members {
			if member.Account == account {
				want = append(want, member)
			}
		}
		slices.SortFunc(want, func(a, b portal.Membership) int { return cmp.Compare(a.User, b.User) })
		got, err := s.Members(ctx, account)
		if diff := gocmp.Diff(want, append([]portal.Membership{}, got...)); err != nil || diff != "" {
			r.Fatalf("members of %s: %v\n%s", account, err, diff)
		}
		if got, err := s.Account(ctx, account); got != m.accounts[account] || err != nil && !errors.Is(err, directory.ErrNotFound) {
			r.Fatalf("account %s: %+v, %v", account, got, err)
		}
	}
	for _, user := range w.users {
		if got, err := s.User(ctx, user); got != m.users[user] || err != nil && !errors.Is(err, directory.ErrNotFound) {
			r.Fatalf("user %s: %+v, %v", user, got, err)
		}
	}
	for _, id := range w.contacts {
		got, err := s.Contact(ctx, id)
		if diff := gocmp.Diff(m.contacts[id], got); diff != "" || err != nil && !errors.Is(err, directory.ErrNotFound) {
			r.Fatalf("contact %s: %v\n%s", id, err, diff)
		}
	}
	w.agreeOnFacts(r, s, m)
	got, _, err := s.Changes(ctx, after, 1000)
	if diff := gocmp.Diff(m.changes, got); err != nil || diff != "" {
		r.Fatalf("changes: %v\n%s", err, diff)
	}
}

func (w world) agreeOnFacts(r *rapid.T, s directory.Store, m *model) {
	var keys []portal.FactKey
	var want []portal.Facts
	for _, account := range w.accounts {
		for _, user := range w.users {
			of := key(account, user)
			f := portal.Facts{User: portal.UserFacts{Status: m.users[user].Status, Staff: m.users[user].Staff}}
			f.Account = portal.AccountFacts{Status: m.accounts[account].Status, MFARequired: m.accounts[account].MFARequired}
			if member, ok := m.members[of]; ok {
				f.Membership = portal.MembershipFacts{State: member.State, Owner: member.Owner, Grant: &member.Grant}
				if len(member.Mail.Off) > 0 {
					f.Membership.Mail = &member.Mail
				}
			}
			keys, want = append(keys, of), append(want, f)
		}
		for _, id := range w.contacts {
			f := portal.Facts{Account: portal.AccountFacts{Status: m.accounts[account].Status, MFARequired: m.accounts[account].MFARequired}}
			if c := m.contacts[id]; c.Account == account {
				f.Contact = &portal.ContactFacts{Status: c.Status, Mails: c.Mails, Scope: c.Scope}
			}
			keys = append(keys, contactKey(account, id))
			want = append(want, f)
		}
	}
	got, p, err := s.Facts(r.Context(), keys)
	if diff := gocmp.Diff(want, got); err != nil || p.Revision != m.revision || diff != "" {
		r.Fatalf("facts at %v: %v\n%s", p, err, diff)
	}
}
