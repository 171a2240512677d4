package search_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/search"
)

// watched is a directory that counts how many ids are read at once, and changes while
// it is read.
type watched struct {
	search.Directory
	most   int
	change func()
}

func (d *watched) IDs(ctx context.Context, of directory.List, after string, limit int) ([]string, error) {
	ids, err := d.Directory.IDs(ctx, of, after, limit)
	d.most = max(d.most, len(ids))
	if d.change != nil {
		d.change()
	}
	return ids, err
}

func owned(ctx context.Context, tx directory.Tx, account, owner string) error {
	if err := tx.PutUser(ctx, portal.User{ID: portal.UserID(owner), Status: portal.UserActive}); err != nil {
		return err
	}
	if err := tx.PutAccount(ctx, portal.Account{ID: portal.AccountID(account), Status: portal.AccountActive}); err != nil {
		return err
	}
	return tx.PutMembership(ctx, portal.Membership{
		Account: portal.AccountID(account), User: portal.UserID(owner), State: portal.MembershipActive, Owner: true, Grant: portal.Grant{Presets: []string{"owner"}},
	})
}

func join(ctx context.Context, tx directory.Tx, account, user, preset string) error {
	if err := tx.PutUser(ctx, portal.User{ID: portal.UserID(user), Status: portal.UserActive}); err != nil {
		return err
	}
	return tx.PutMembership(ctx, portal.Membership{
		Account: portal.AccountID(account), User: portal.UserID(user), State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{preset}},
	})
}

// who is the search for those who may do something in the account big.
func who(action string, limit int) search.Query {
	return search.Query{Kind: search.Subjects, Limit: limit, Question: decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser}},
		Action:   decision.Action{Name: action},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: "big"}},
	}}
}

// An account with 5,000 members is walked in parts, and a page that finds nothing among
// thousands ends with more to come.
func TestALargeAccount(t *testing.T) {
	w, tickets := newWorld(t), []string{}
	w.put(t, func(tx directory.Tx) error {
		err := owned(t.Context(), tx, "big", "zz-owner")
		for i := 0; i < 5000 && err == nil; i++ {
			id, preset := fmt.Sprintf("u%d", i), "billing"
			if i%1000 == 500 {
				preset = "support"
				tickets = append(tickets, id)
			}
			err = join(t.Context(), tx, "big", id, preset)
		}
		return err
	})
	tickets = append(tickets, "zz-owner")
	slices.Sort(tickets)
	d := &watched{Directory: w.store}
	w.searcher.Directory = d
	if diff := cmp.Diff(tickets, w.walk(t, who("ticket.open", 2))); diff != "" {
		t.Error(diff)
	}
	if got := w.walk(t, who("invoice.view", 100)); len(got) != 4996 || !slices.IsSorted(got) {
		t.Errorf("found %d, sorted: %v", len(got), slices.IsSorted(got))
	}
	page, err := w.searcher.Find(t.Context(), who("ownership.transfer.request", 100))
	if err != nil || !page.More || len(page.Found) > 0 {
		t.Errorf("a page that judged all 5001: %+v, %v", page, err)
	}
	if d.most > 512 {
		t.Errorf("%d ids were read at once", d.most)
	}
}

// What is found is what is allowed at the position told, though people come and go
// while candidates are read.
func TestPeopleComeAndGoMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.put(t, func(tx directory.Tx) error { return owned(t.Context(), tx, "big", "m") })
	joined := 0
	w.searcher.Directory = &watched{Directory: w.store, change: func() {
		if joined < 2 {
			joined++
			w.put(t, func(tx directory.Tx) error {
				return join(t.Context(), tx, "big", fmt.Sprintf("a%d", joined), "billing")
			})
		}
	}}
	page, err := w.searcher.Find(t.Context(), who("invoice.view", 10))
	if diff := cmp.Diff([]string{"a1", "a2", "m"}, page.Found); err != nil || diff != "" || page.More {
		t.Errorf("%+v, %v\n%s", page, err, diff)
	}
	if head, err := w.store.Head(t.Context()); err != nil || page.Basis.Position != head {
		t.Errorf("position %v, want %v, %v", page.Basis.Position, head, err)
	}
}

// A page that began before a change ends there, so that it has one position.
func TestAPageHasOnePosition(t *testing.T) {
	w := newWorld(t)
	w.put(t, func(tx directory.Tx) error {
		err := owned(t.Context(), tx, "big", "a-owner")
		for i := 0; i < 40 && err == nil; i++ {
			err = join(t.Context(), tx, "big", fmt.Sprintf("u%02d", i), "support")
		}
		return err
	})
	reads := 0
	w.searcher.Directory = &watched{Directory: w.store, change: func() {
		if reads++; reads == 3 { // two lists, members and staff, for each part
			w.put(t, func(tx directory.Tx) error { return join(t.Context(), tx, "big", "u99", "billing") })
		}
	}}
	page, err := w.searcher.Find(t.Context(), who("invoice.view", 5))
	if diff := cmp.Diff([]string{"a-owner"}, page.Found); err != nil || diff != "" || !page.More {
		t.Errorf("%+v, %v\n%s", page, err, diff)
	}
	q := who("invoice.view", 5)
	q.After = page.Next
	if diff := cmp.Diff([]string{"u99"}, w.walk(t, q)); diff != "" {
		t.Error(diff)
	}
}

// Staff who may read everywhere get accounts page by page, not a million at once.
func TestStaffOverManyAccounts(t *testing.T) {
	w, want := newWorld(t), []string{}
	w.put(t, func(tx directory.Tx) error {
		for i := range 1200 {
			want = append(want, fmt.Sprintf("acc%04d", i))
			if err := owned(t.Context(), tx, want[i], "ann"); err != nil {
				return err
			}
		}
		return tx.PutUser(t.Context(), portal.User{ID: "tess", Status: portal.UserActive, Staff: portal.NewStaffRights("staff.read")})
	})
	d := &watched{Directory: w.store}
	w.searcher.Directory = d
	q := search.Query{Kind: search.Resources, Limit: 3, Question: decision.Question{
		Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: "tess"}},
		Action:   decision.Action{Name: "invoice.list"},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount}},
	}}
	page, err := w.searcher.Find(t.Context(), q)
	if diff := cmp.Diff(want[:3], page.Found); err != nil || diff != "" || !page.More || d.most > 4 {
		t.Errorf("%+v, %v, %d read at once\n%s", page, err, d.most, diff)
	}
	q.Limit = 100
	if diff := cmp.Diff(want, w.walk(t, q)); diff != "" {
		t.Error(diff)
	}
	q.Question.Action.Name = "invoice.pay" // staff change nothing (A13.19)
	if got := w.walk(t, q); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// A client that may ask about some accounts finds no others, whoever asks about whom.
func TestLimitsLeaveOut(t *testing.T) {
	w := newWorld(t)
	w.put(t, func(tx directory.Tx) error {
		for _, id := range []string{"a", "b", "c", "d"} {
			if err := owned(t.Context(), tx, id, "ann"); err != nil {
				return err
			}
		}
		return tx.PutUser(t.Context(), portal.User{ID: "tess", Status: portal.UserActive, Staff: portal.NewStaffRights("staff.read")})
	})
	for _, c := range []struct {
		subject, typ, context string
		limits                portal.Limits
		want                  []string
	}{
		{"ann", "account", "", portal.Limits{Accounts: []portal.AccountID{"d", "b", "ghost"}}, []string{"b", "d"}},
		{"tess", "account", "", portal.Limits{Accounts: []portal.AccountID{"c"}}, []string{"c"}},
		{"ann", "account", "", portal.Limits{Types: []string{"service"}}, []string{}},
		{"ann", "account", "", portal.Limits{Types: []string{"account"}}, []string{"a", "b", "c", "d"}},
		{"ann", "user", "a", portal.Limits{Accounts: []portal.AccountID{"a"}}, []string{"ann"}},
		{"ann", "user", "b", portal.Limits{Accounts: []portal.AccountID{"a"}}, []string{}},
		{"ann", "user", "", portal.Limits{Accounts: []portal.AccountID{"a"}}, []string{}},
		{"ann", "user", "a", portal.Limits{Types: []string{"account"}}, []string{}},
	} {
		q := search.Query{Kind: search.Resources, Limit: 10, Limits: &c.limits, Question: decision.Question{
			Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: c.subject}},
			Action:   decision.Action{Name: "invoice.list"},
			Resource: decision.Entity{Ref: portal.Ref{Type: c.typ}},
		}}
		if c.context != "" {
			q.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(c.context)})
		}
		if diff := cmp.Diff(c.want, w.walk(t, q)); diff != "" {
			t.Errorf("%+v:\n%s", c, diff)
		}
	}
}
