package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

func key(a portal.AccountID, u portal.UserID) portal.FactKey {
	return portal.FactKey{Account: a, Subject: portal.Ref{Type: portal.TypeUser, ID: string(u)}}
}

func factsOf(a portal.Account, u portal.User, m portal.Membership) portal.Facts {
	f := portal.Facts{
		Account:    portal.AccountFacts{Status: a.Status, MFARequired: a.MFARequired},
		User:       portal.UserFacts{Status: u.Status, Staff: u.Staff},
		Membership: portal.MembershipFacts{State: m.State, Owner: m.Owner, Grant: &m.Grant},
	}
	if len(m.Mail.On)+len(m.Mail.Off) > 0 {
		f.Membership.Mail = &m.Mail
	}
	return f
}

func factsOfKeys(t *testing.T, s directory.Store) {
	want := found(t, s)
	known := factsOf(account(acme), user(anna), owner(acme, anna))
	onlyAccount := portal.Facts{Account: known.Account}
	onlyUser := portal.Facts{User: known.User}
	cases := []struct {
		key   portal.FactKey
		facts portal.Facts
	}{
		{key(acme, anna), known},
		{key(acme, "nobody"), onlyAccount},
		{key("nowhere", anna), onlyUser},
		{key("", anna), onlyUser},
		{key("nowhere", "nobody"), portal.Facts{}},
		{key("Acme", "Anna"), portal.Facts{}}, // S14
		{portal.FactKey{Account: acme, Subject: portal.Ref{Type: portal.TypeContact, ID: string(anna)}}, onlyAccount},
		{portal.FactKey{Account: acme, Subject: portal.Ref{Type: "User", ID: string(anna)}}, onlyAccount},
		{portal.FactKey{Account: acme}, onlyAccount},
		{portal.FactKey{}, portal.Facts{}},
		{key("' OR 1=1 --", "%\x00_"), portal.Facts{}},
		{key(acme, ben), factsOf(account(acme), user(ben), member(acme, ben))},
		{key(acme, anna), known}, // twice
	}
	var keys []portal.FactKey
	var all []portal.Facts
	for _, c := range cases {
		keys, all = append(keys, c.key), append(all, c.facts)
		got, p, err := s.Facts(t.Context(), []portal.FactKey{c.key})
		if diff := gocmp.Diff([]portal.Facts{c.facts}, got); err != nil || p != want || diff != "" {
			t.Errorf("%v at %v: %v\n%s", c.key, p, err, diff)
		}
	}
	got, p, err := s.Facts(t.Context(), keys)
	if diff := gocmp.Diff(all, got); err != nil || p != want || diff != "" {
		t.Errorf("all at %v: %v\n%s", p, err, diff)
	}
	if got, p, err := s.Facts(t.Context(), nil); len(got) != 0 || p != want || err != nil {
		t.Errorf("of no key: %v at %v, %v", got, p, err)
	}
}

// A writer disables and enables two people together. Whoever reads finds both
// the same, and at one position always the same.
func oneSnapshot(t *testing.T, s directory.Store) {
	found(t, s)
	ctx := t.Context()
	stop, done := context.WithCancel(ctx)
	var readers sync.WaitGroup
	var mu sync.Mutex
	seen := map[portal.Position]portal.UserStatus{}
	for range 3 {
		readers.Go(func() {
			for stop.Err() == nil {
				facts, p, err := s.Facts(ctx, []portal.FactKey{key(acme, anna), key(acme, ben), key("", anna)})
				if err != nil {
					t.Error(err)
					return
				}
				status := facts[0].User.Status
				mu.Lock()
				before, ok := seen[p]
				seen[p] = status
				mu.Unlock()
				if facts[1].User.Status != status || facts[2].User.Status != status || ok && before != status {
					t.Errorf("at %v: %+v, before %s", p, facts, before)
				}
			}
		})
	}
	want := map[portal.Position]portal.UserStatus{}
	for i := range 60 {
		a, b := user(anna), user(ben)
		a.Status = []portal.UserStatus{portal.UserDisabled, portal.UserActive}[i%2]
		b.Status = a.Status
		want[commit(t, s, a, b)] = a.Status
	}
	done()
	readers.Wait()
	for p, status := range want {
		if got, ok := seen[p]; ok && got != status {
			t.Errorf("at %v: %s, want %s", p, got, status)
		}
	}
}

func changesNamed(t *testing.T, s directory.Store) {
	start := head(t, s)
	one := found(t, s)
	u := user(ben)
	u.Status = portal.UserDisabled
	gone := member(acme, ben)
	gone.State = portal.MembershipRemoved
	back := user(ben)
	two := commit(t, s, u, gone, fullToken(), promotion(1), promotion(2), back, u, gone, contact(acme, books), fullContact(),
		fullInvitation(), invitation(acme, "second"), line("1"), line("2")) // named once each
	got, at, err := s.Changes(t.Context(), start, 100)
	want := []directory.Change{
		{Revision: one.Revision, Kind: directory.ChangedAccount, Account: acme},
		{Revision: one.Revision, Kind: directory.ChangedUser, User: anna},
		{Revision: one.Revision, Kind: directory.ChangedUser, User: ben},
		{Revision: one.Revision, Kind: directory.ChangedMembership, Account: acme, User: anna},
		{Revision: one.Revision, Kind: directory.ChangedMembership, Account: acme, User: ben},
		{Revision: two.Revision, Kind: directory.ChangedUser, User: ben},
		{Revision: two.Revision, Kind: directory.ChangedMembership, Account: acme, User: ben},
		{Revision: two.Revision, Kind: directory.ChangedContact, Account: acme, Contact: books},
		{Revision: two.Revision, Kind: directory.ChangedInvitation, Account: acme},
		{Revision: two.Revision, Kind: directory.ChangedToken},
		{Revision: two.Revision, Kind: directory.ChangedPolicy},
		{Revision: two.Revision, Kind: directory.ChangedNothing},
	}
	kinds := []directory.ChangeKind{
		directory.ChangedAccount, directory.ChangedUser, directory.ChangedMembership, directory.ChangedContact,
		directory.ChangedInvitation, directory.ChangedToken, directory.ChangedPolicy, directory.ChangedNothing,
	}
	slices.SortFunc(got, func(a, b directory.Change) int { // inside a revision the order is free
		return cmp.Or(cmp.Compare(a.Revision, b.Revision),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.User, b.User))
	})
	if diff := gocmp.Diff(want, got); err != nil || at != two || diff != "" {
		t.Errorf("at %v, %v\n%s", at, err, diff)
	}
}

func wholeRevisions(t *testing.T, s directory.Store) {
	start := found(t, s)
	positions := map[portal.Revision]portal.Position{}
	for i := range 6 { // revisions of 1, 2, 3, 1, 2, 3 changes
		var things []any
		for _, id := range []portal.UserID{anna, ben, "cid"}[:1+i%3] {
			u := user(id)
			u.CreatedAt = noon.AddDate(0, 0, i)
			things = append(things, u)
		}
		p := commit(t, s, things...)
		positions[p.Revision] = p
	}
	end := head(t, s)
	want, _, err := s.Changes(t.Context(), start, 100)
	if err != nil || len(want) != 12 {
		t.Fatalf("%v, %v", want, err)
	}
	for limit := 1; limit <= 13; limit++ {
		var got []directory.Change
		at := start
		for at != end {
			changes, next, err := s.Changes(t.Context(), at, limit)
			if err != nil || len(changes) == 0 || next != positions[next.Revision] || changes[len(changes)-1].Revision != next.Revision {
				t.Fatalf("limit %d after %v: %v leads to %v, %v", limit, at, changes, next, err)
			}
			if len(changes) > limit && changes[0].Revision != next.Revision {
				t.Errorf("limit %d: %d changes of more than one revision", limit, len(changes))
			}
			got, at = append(got, changes...), next
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d:\n%s", limit, diff)
		}
	}
	if changes, at, err := s.Changes(t.Context(), end, 10); len(changes) != 0 || at != end || err != nil {
		t.Errorf("after the head: %v, %v, %v, want the head", changes, at, err)
	}
	foreignPositions(t, s, start, end)
}

// Design R1: a position that the history does not hold is an error, never a wait.
func foreignPositions(t *testing.T, s directory.Store, start, end portal.Position) {
	t.Helper()
	beyond, other := end, start
	beyond.Revision++
	other.Tag[0] ^= 1
	for _, foreign := range []portal.Position{beyond, other, {Revision: end.Revision}, {Tag: end.Tag}} {
		if changes, _, err := s.Changes(t.Context(), foreign, 10); !errors.Is(err, directory.ErrForeignPosition) || changes != nil {
			t.Errorf("after %v: %v, %v, want ErrForeignPosition", foreign, changes, err)
		}
	}
}

func trail(t *testing.T, s directory.Store) {
	marks := []portal.Position{found(t, s)}
	full := audit.Entry{
		Actor: "user:7", Client: "shop", Action: "membership.put", Object: "account:42",
		Detail: map[string]string{"b": "2", "a": "ü\"\n", "": ""},
	}
	for i := range 40 {
		p, err := s.Update(t.Context(), func(tx directory.Tx) error {
			for range i % 3 {
				tx.Log(full)
			}
			tx.Log(entry("test.put"))
			u := user(anna)
			u.MFA = i%2 == 0
			return tx.PutUser(t.Context(), u)
		})
		marks = append(marks, must(t, p, err))
	}
	report, err := directory.Verify(t.Context(), s, nil)
	if err != nil || report.Position != marks[40] {
		t.Fatalf("got %+v, %v, want %v", report, err, marks[40])
	}
	if lines, fulls := countLines(t, s, full); lines != report.Lines || fulls != 39 {
		t.Errorf("%d lines of %d, %d of them full", lines, report.Lines, fulls)
	}
	for _, p := range marks {
		mark, err := portal.ParseMark(p.String())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := directory.Verify(t.Context(), s, &mark); err != nil || !r.Witnessed {
			t.Errorf("witness %v: %+v, %v", p, r, err)
		}
	}
	for l := range s.AuditLines(t.Context()) { // one may stop early
		if l.Seq == 3 {
			break
		}
	}
}

// countLines counts the lines of the trail, and those with the entry e.
func countLines(t *testing.T, s directory.Store, e audit.Entry) (lines uint64, same int) {
	t.Helper()
	for l, err := range s.AuditLines(t.Context()) {
		lines++
		must(t, l, err)
		if gocmp.Equal(l.Entry, e) {
			same++
		}
	}
	return lines, same
}

func closed(t *testing.T, s directory.Store) {
	found(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, update := try(t.Context(), s, fullUser())
	_, head := s.Head(t.Context())
	_, _, facts := s.Facts(t.Context(), []portal.FactKey{key(acme, anna)})
	_, _, changes := s.Changes(t.Context(), portal.Position{}, 10)
	var lines error
	for _, err := range s.AuditLines(t.Context()) {
		lines = err
	}
	for what, err := range map[string]error{"update": update, "head": head, "facts": facts, "changes": changes, "audit lines": lines} {
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", what, err)
		}
	}
}
