package importer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

// E3, C1: what became of an invitation, and when one that is open ends.
func TestInvitesArrive(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 1, 3, hour, 0, 0, 0, time.UTC) }
	invite := func(members string) string {
		return `{"kind":"invite","id":"56","account":"42","email":"new@acme.example",` + members + `}`
	}
	want := portal.Invitation{ID: "56", Account: "42", Email: "new@acme.example", State: portal.InvitationPending, Origin: whmcs}
	for _, c := range []struct {
		members string
		change  func(*portal.Invitation)
	}{
		{`"permissions":"invoices","invited_by":"1","created_at":"2026-01-03 12:00:00"`, func(i *portal.Invitation) {
			i.Grant.Presets, i.InvitedBy, i.ExpiresAt, i.CreatedAt = []string{"billing"}, "1", at(12+168), at(12)
		}},
		{`"created_at":"2026-01-03 12:00:00","updated_at":"2026-01-03 14:00:00","by_staff":1,"invited_by":null`, func(i *portal.Invitation) { // sent again
			i.ByStaff, i.ExpiresAt, i.CreatedAt = true, at(14+168), at(12)
		}},
		{`"expires_at":"2026-01-03T20:00:00Z","presets":["support"],"scope":["service:5"]`, func(i *portal.Invitation) {
			i.ExpiresAt, i.Grant = at(20), portal.Grant{Presets: []string{"support"}, Scope: []portal.Ref{{Type: "service", ID: "5"}}}
		}},
		{`"created_at":"2026-01-03 12:00:00","accepted_at":"2026-01-03 13:00:00","deleted_at":null`, func(i *portal.Invitation) {
			i.State, i.ExpiresAt, i.CreatedAt, i.EndedAt = portal.InvitationAccepted, at(12+168), at(12), at(13)
		}},
		{`"created_at":"2026-01-03 12:00:00","accepted_at":"0000-00-00 00:00:00","deleted_at":"2026-01-03 13:00:00"`, func(i *portal.Invitation) {
			i.State, i.ExpiresAt, i.CreatedAt, i.EndedAt = portal.InvitationRevoked, at(12+168), at(12), at(13)
		}},
	} {
		store := emptyStore(t)
		text := file(userAnna, accountAcme, annaOwns, invite(c.members))
		if r := apply(t, plan(t, text), store); r.Invites != (Count{New: 1}) {
			t.Errorf("%s: %+v", c.members, r)
		}
		want := want
		c.change(&want)
		got, err := store.Invitation(t.Context(), "56")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.members, err, diff)
		}
		if r := apply(t, plan(t, text), store); r.Invites != (Count{Unchanged: 1}) {
			t.Errorf("%s, again: %+v", c.members, r)
		}
	}
}

// req 97: an invitation that was revoked here is not opened by an older export, and no
// access exists until somebody accepts (req 84).
func TestAnOldExportOpensNoInvitation(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	text := file(userAnna, accountAcme, annaOwns, inviteNew)
	apply(t, plan(t, text), store)
	if members, err := store.Members(ctx, "42"); err != nil || len(members) != 1 {
		t.Errorf("%+v, %v", members, err)
	}
	putHere(t, store, func(tx directory.Tx) error {
		i, err := tx.Invitation(ctx, "56")
		if err != nil {
			return err
		}
		i.State = portal.InvitationRevoked
		return tx.PutInvitation(ctx, i)
	})
	if r := apply(t, plan(t, text), store); r.Invites != (Count{Unchanged: 1}) {
		t.Errorf("%+v", r)
	}
	if i, err := store.Invitation(ctx, "56"); err != nil || i.State != portal.InvitationRevoked {
		t.Errorf("%+v, %v", i, err)
	}
}

// E3: history comes as it is, also of what is no longer there, and no secret is read.
func TestHistoryArrives(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	text := file(userAnna, accountAcme, annaOwns,
		`{"kind":"history","id":"1","at":"2026-01-03 12:00:00","account":"42","user":"404","staff":"3","actor":"Ann (admin)","ip":"192.0.2.1","text":"Ord\ner\u0000 <b>"}`,
		`{"kind":"history","id":"2","account":"404","text":"x"}`)
	if r := apply(t, plan(t, text), store); r.History != (Count{New: 2}) || r.Quarantine.Total() != 0 {
		t.Errorf("%+v", r)
	}
	want := portal.HistoryLine{Source: "whmcs", ID: "1", At: time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC), Account: "42", User: "404",
		Staff: "3", Actor: "Ann (admin)", IP: "192.0.2.1", Text: "Ord\ner\ufffd <b>"}
	got, err := store.History(ctx, "42", portal.HistoryLine{}, 10)
	if diff := cmp.Diff([]portal.HistoryLine{want}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	again := apply(t, plan(t, text), store)
	if dry := compare(t, plan(t, text), store); again.History != (Count{Unchanged: 2}) || dry.History != again.History {
		t.Errorf("again: %+v, %+v", again, dry)
	}
	for _, line := range trail(t, store) {
		if strings.Contains(line.Object, "history") {
			t.Errorf("in the trail: %+v", line)
		}
	}
}

// E3, req 35: who could log in as a contact before WHMCS 8 becomes a user besides.
func TestSubaccountsBecomeUsers(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	sub := func(id, email string) string {
		return `{"kind":"contact","id":"` + id + `","account":"42","first_name":"Sue","email":"` + email + `","subaccount":1,"permissions":"tickets","emails":{"support":true},"password":"secret"}`
	}
	r := apply(t, plan(t, file(userAnna, accountAcme, annaOwns, sub("9", "sue@acme.example"), sub("10", "Anna@acme.example"))), store)
	want := []string{
		"user contact-10: its address is that of user 1, who can be given a membership instead",
		"membership of user contact-10 in account 42: user contact-10 is in quarantine",
	}
	if diff := cmp.Diff(want, heldOf(r)); diff != "" || r.Contacts.New != 2 {
		t.Errorf("%+v (-want +got):\n%s", r, diff)
	}
	m, err := store.Membership(ctx, "42", "contact-9")
	if diff := cmp.Diff([]string{"tickets"}, m.Grant.Categories); err != nil || diff != "" || m.State != portal.MembershipActive {
		t.Errorf("%+v, %v", m, err)
	}
	if sue, err := store.User(ctx, "contact-9"); err != nil || sue.Person.Email != "sue@acme.example" || sue.Person.FirstName != "Sue" {
		t.Errorf("%+v, %v", sue, err)
	}
	if r.Ignored["contact/password"] != 2 {
		t.Errorf("%+v", r.Ignored)
	}
}

// req 97: with the contact goes the membership that was made of it. It comes back when the
// contact can log in again, but not by silence about one that was removed; one that the
// file has of that user stays.
func TestALoginEndsWithItsContact(t *testing.T) {
	ctx := context.Background()
	sue := func(members string) string {
		return `{"kind":"contact","id":"9","account":"42","email":"sue@acme.example","permissions":"tickets",` + members + `}`
	}
	const active, removed = portal.MembershipActive, portal.MembershipRemoved
	const user, member = `{"kind":"user","id":"contact-9","email":"sue@acme.example"}`, `{"kind":"membership","user":"contact-9","account":"42"}`
	for _, c := range []struct {
		lines []string
		want  portal.MembershipState
		back  portal.MembershipState // after the first file once more
	}{
		{[]string{sue(`"subaccount":true`)}, active, active},
		{[]string{sue(`"x":1`)}, active, active}, // nothing is said of it
		{[]string{sue(`"subaccount":false`)}, removed, active},
		{[]string{sue(`"subaccount":true,"status":"Removed"`)}, removed, removed},
		{[]string{sue(`"subaccount":true,"status":"removed"`), user, member}, active, active},
	} {
		store := emptyStore(t)
		whole := file(userAnna, accountAcme, annaOwns, sue(`"subaccount":true`))
		apply(t, plan(t, whole), store)
		p := plan(t, file(append(c.lines, userAnna, accountAcme, annaOwns)...))
		dry, wet := compare(t, p, store), apply(t, p, store)
		if dry.Memberships != wet.Memberships || (wet.Memberships.Pruned == 1) != (c.want == removed) {
			t.Errorf("%s: %+v, %+v", c.lines[0], dry.Memberships, wet.Memberships)
		}
		if m, err := store.Membership(ctx, "42", "contact-9"); err != nil || m.State != c.want {
			t.Errorf("%s: %+v, %v", c.lines[0], m, err)
		}
		if again := apply(t, p, store); again.Position != wet.Position {
			t.Errorf("%s, again: %+v", c.lines[0], again)
		}
		apply(t, plan(t, whole), store)
		if m, err := store.Membership(ctx, "42", "contact-9"); err != nil || m.State != c.back {
			t.Errorf("%s, and back: %+v, %v", c.lines[0], m, err)
		}
	}
	store := emptyStore(t)
	apply(t, plan(t, file(userAnna, accountAcme, annaOwns, sue(`"subaccount":true,"status":"removed"`))), store)
	if u, err := store.User(ctx, "contact-9"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("somebody is let in as a contact that is removed: %+v, %v", u, err)
	}
}
