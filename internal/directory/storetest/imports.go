package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// importPromises are about what imports bring besides people.
func importPromises() []promise {
	return []promise{
		{"invitations are read back, and listed by id", invitations},
		{"an invitation is to one account for ever", oneInviter},
		{"history is read back in the order of its time", history},
		{"history is replaced line by line, and no update without an entry", historyAgain},
	}
}

func invitation(a portal.AccountID, id portal.InvitationID) portal.Invitation {
	return portal.Invitation{ID: id, Account: a, Email: "new@acme.example", State: portal.InvitationPending, ExpiresAt: noon}
}

func fullInvitation() portal.Invitation {
	return portal.Invitation{
		ID: "i1", Account: acme, Email: "büro@exämple.org", State: portal.InvitationRevoked, Grant: fullMembership().Grant,
		InvitedBy: ben, ByStaff: true, ExpiresAt: noon, EndedAt: noon.Add(time.Microsecond), Origin: pruned, CreatedAt: noon,
	}
}

func invitations(t *testing.T, s directory.Store) {
	found(t, s)
	other(t, s)
	accepted := invitation(acme, "I1") // S14
	accepted.State, accepted.Email = portal.InvitationAccepted, ""
	want := []portal.Invitation{invitation(acme, "10"), accepted, fullInvitation()}
	commit(t, s, invitation(acme, "i1"), want[1], want[0], invitation("other", "x"))
	commit(t, s, fullInvitation()) // replaced, every field
	got, err := s.Invitations(t.Context(), acme)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	one, err := s.Invitation(t.Context(), "i1")
	if diff := cmp.Diff(fullInvitation(), one); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := s.Invitation(t.Context(), "nobody"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	p := head(t, s)
	east := fullInvitation()
	east.CreatedAt, east.Grant.NotAfter = noon.Add(10), noon.In(time.FixedZone("east", 5*3600))
	again, err := s.Update(t.Context(), func(tx directory.Tx) error { return put(t.Context(), tx, east) })
	if err != nil || again != p {
		t.Errorf("putting what is there: %v, %v", again, err)
	}
}

func oneInviter(t *testing.T, s directory.Store) {
	found(t, s)
	other(t, s)
	commit(t, s, invitation(acme, "i1"))
	was := everything(t, s)
	for _, i := range []portal.Invitation{invitation("other", "i1"), invitation("nowhere", "new")} {
		if _, err := try(t.Context(), s, i); !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%+v: %v", i, err)
		}
	}
	unchanged(t, s, was)
}

// line is a line about acme, of a second as its id says.
func line(id string) portal.HistoryLine {
	return portal.HistoryLine{Source: "whmcs", ID: id, At: noon, Account: acme, User: "gone", Staff: "3", Actor: "Ann", IP: "2001:db8::1", Text: "Größe\n<b>"}
}

func history(t *testing.T, s directory.Store) {
	early, timeless, elsewhere := line("9"), line("8"), line("7")
	early.At, timeless.At, elsewhere.Account = noon.Add(-time.Hour), time.Time{}, "nowhere"
	alike := line("1")
	alike.Source = "a"
	want := []portal.HistoryLine{timeless, early, alike, line("1"), line("2")}
	commit(t, s, line("2"), alike, elsewhere, early, line("1"), timeless)
	for limit := 1; limit < 7; limit++ {
		var got []portal.HistoryLine
		for after := (portal.HistoryLine{}); ; after = got[len(got)-1] {
			part, err := s.History(t.Context(), acme, after, limit)
			if err != nil || len(part) > limit {
				t.Fatal(part, err)
			}
			if len(part) == 0 {
				break
			}
			got = append(got, part...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in parts of %d:\n%s", limit, diff)
		}
	}
	if _, err := s.History(t.Context(), acme, portal.HistoryLine{}, 0); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("no lines at all asked for: %v", err)
	}
}

func historyAgain(t *testing.T, s directory.Store) {
	p := commit(t, s, line("1"))
	again, err := s.Update(t.Context(), func(tx directory.Tx) error { return put(t.Context(), tx, line("1")) })
	if err != nil || again != p {
		t.Errorf("putting what is there: %v, %v", again, err)
	}
	other := line("1")
	other.Text = "mended"
	if _, err := s.Update(t.Context(), func(tx directory.Tx) error { return put(t.Context(), tx, other) }); !errors.Is(err, directory.ErrUnaudited) {
		t.Errorf("got %v", err)
	}
	commit(t, s, other)
	if l, err := s.HistoryLine(t.Context(), "whmcs", "1"); err != nil || l != other {
		t.Errorf("%+v, %v", l, err)
	}
	for _, source := range []string{"WHMCS", "", "1"} {
		if l, err := s.HistoryLine(t.Context(), source, "1"); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %+v, %v", source, l, err)
		}
	}
	got, err := s.History(t.Context(), acme, portal.HistoryLine{}, 10)
	if diff := cmp.Diff([]portal.HistoryLine{other}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// wrongImports are invitations, lines of history and origins that no store keeps.
func wrongImports() []wrong {
	invited := func(change func(*portal.Invitation)) portal.Invitation {
		i := invitation(acme, "i1")
		change(&i)
		return i
	}
	said := func(change func(*portal.HistoryLine)) portal.HistoryLine {
		l := line("1")
		change(&l)
		return l
	}
	kept, open, nowhere := member(acme, ben), account(acme), user(ben)
	kept.Origin, open.Origin, nowhere.Status, nowhere.Origin = pruned, pruned, portal.UserDisabled, portal.Origin{Pruned: true}
	return []wrong{
		{"membership pruned and active", kept},
		{"account pruned and active", open},
		{"user pruned of no source", nowhere},
		{"source with a line break", portal.User{ID: ben, Status: portal.UserActive, Origin: portal.Origin{Source: "a\n"}}},
		{"uuid not UTF-8", portal.Account{ID: acme, Status: portal.AccountActive, UUID: "\xff"}},
		{"invitation without id", invited(func(i *portal.Invitation) { i.ID = "" })},
		{"invitation without state", invited(func(i *portal.Invitation) { i.State = "" })},
		{"invitation of nobody's", invited(func(i *portal.Invitation) { i.InvitedBy = "a b" })},
		{"pending invitation without address", invited(func(i *portal.Invitation) { i.Email = "" })},
		{"pending invitation for ever", invited(func(i *portal.Invitation) { i.ExpiresAt = time.Time{} })},
		{"NUL in an invitation's address", invited(func(i *portal.Invitation) { i.Email = "a\x00" })},
		{"invitation to an empty preset", invited(func(i *portal.Invitation) { i.Grant.Presets = []string{""} })},
		{"invitation ended in the year 0", invited(func(i *portal.Invitation) { i.EndedAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) })},
		{"history of no source", said(func(l *portal.HistoryLine) { l.Source = "" })},
		{"history without id", said(func(l *portal.HistoryLine) { l.ID = "" })},
		{"history of what is no account", said(func(l *portal.HistoryLine) { l.Account = "a b" })},
		{"history with NUL", said(func(l *portal.HistoryLine) { l.Text = "\x00" })},
	}
}
