package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// userBatch is how many users one commit takes in.
const userBatch = 500

// A part is what one commit takes in: a batch of users, or one account with its
// members and contacts.
type part struct {
	users   []userPlan
	account *accountPlan
}

// parts yields the plan's parts, users first: memberships need them.
func (p *Plan) parts() iter.Seq[part] {
	return func(yield func(part) bool) {
		for batch := range slices.Chunk(p.users, userBatch) {
			if !yield(part{users: batch}) {
				return
			}
		}
		for i := range p.accounts {
			if !yield(part{account: &p.accounts[i]}) {
				return
			}
		}
	}
}

// records is how many records the plan has.
func (p *Plan) records() int {
	n := len(p.users) + len(p.accounts)
	for _, a := range p.accounts {
		n += len(a.members) + len(a.contacts)
	}
	return n
}

// name says what the part is, for messages.
func (s part) name() string {
	if s.account != nil {
		return "account " + string(s.account.account.ID)
	}
	return fmt.Sprintf("users %s to %s", s.users[0].ID, s.users[len(s.users)-1].ID)
}

// commit makes one part true. When it already is, nothing is written.
func (p *Plan) commit(ctx context.Context, store directory.Store, s part) (tally, portal.Position, error) {
	var t tally
	position, err := store.Update(ctx, func(tx directory.Tx) error {
		var err error
		if t, err = s.put(ctx, tx, tx); err == nil && tx.Changed() {
			tx.Log(p.entry(s, t))
		}
		return err
	})
	return t, position, err
}

// compare counts what put would do.
func (s part) compare(ctx context.Context, store directory.Reader) (tally, error) {
	return s.put(ctx, store, nil)
}

// put compares the part with what read holds and writes what differs to write,
// if that is not nil.
func (s part) put(ctx context.Context, read directory.Reader, write directory.Tx) (tally, error) {
	var t tally
	for _, u := range s.users {
		if err := putUser(ctx, read, write, u, &t.users); err != nil {
			return t, err
		}
	}
	if s.account == nil {
		return t, nil
	}
	if err := putAccount(ctx, read, write, *s.account, &t.accounts); err != nil {
		return t, err
	}
	for _, m := range s.account.members {
		if err := putMembership(ctx, read, write, m, &t.memberships); err != nil {
			return t, err
		}
	}
	for _, c := range s.account.contacts {
		if err := putContact(ctx, read, write, c, &t.contacts); err != nil {
			return t, err
		}
	}
	return t, nil
}

func putUser(ctx context.Context, read directory.Reader, write directory.Tx, plan userPlan, c *Count) error {
	old, err := read.User(ctx, plan.ID)
	known, err := found(err)
	if err != nil {
		return err
	}
	u := plan.over(old, known)
	if touchesStaff(old, u) { // made staff since refuseStaff looked
		return fmt.Errorf("%w: user:%s %s. %s", directory.ErrInvalid, u.ID, staffIsTouched, takeRightsFirst)
	}
	same := u.CreatedAt.Equal(old.CreatedAt)
	old.CreatedAt = u.CreatedAt
	if !c.changes(known, same && old == u) || write == nil {
		return nil
	}
	return write.PutUser(ctx, u)
}

func putAccount(ctx context.Context, read directory.Reader, write directory.Tx, plan accountPlan, c *Count) error {
	old, err := read.Account(ctx, plan.account.ID)
	known, err := found(err)
	if err != nil {
		return err
	}
	a := plan.over(old, known)
	same := a.CreatedAt.Equal(old.CreatedAt)
	old.CreatedAt = a.CreatedAt
	if !c.changes(known, same && old == a) || write == nil {
		return nil
	}
	return write.PutAccount(ctx, a)
}

func putMembership(ctx context.Context, read directory.Reader, write directory.Tx, plan memberPlan, c *Count) error {
	old, err := read.Membership(ctx, plan.Account, plan.User)
	known, err := found(err)
	if err != nil {
		return err
	}
	m := plan.over(old, known)
	if !c.changes(known, sameMembership(old, m)) || write == nil {
		return nil
	}
	return write.PutMembership(ctx, m)
}

func sameMembership(a, b portal.Membership) bool {
	return a.State == b.State && a.Owner == b.Owner &&
		a.LastLogin.Equal(b.LastLogin) && a.CreatedAt.Equal(b.CreatedAt) &&
		slices.Equal(a.Grant.Presets, b.Grant.Presets) &&
		slices.Equal(a.Grant.Categories, b.Grant.Categories) &&
		slices.Equal(a.Grant.Scope, b.Grant.Scope) &&
		slices.Equal(a.Grant.AccountWide, b.Grant.AccountWide) &&
		slices.Equal(a.Mail.On, b.Mail.On) && slices.Equal(a.Mail.Off, b.Mail.Off) &&
		a.Grant.NotBefore.Equal(b.Grant.NotBefore) && a.Grant.NotAfter.Equal(b.Grant.NotAfter)
}

func putContact(ctx context.Context, read directory.Reader, write directory.Tx, plan contactPlan, c *Count) error {
	old, err := read.Contact(ctx, plan.ID)
	known, err := found(err)
	if err != nil {
		return err
	}
	if known && old.Account != plan.Account { // a dry run has to say so, too
		return fmt.Errorf("%w: contact:%s belongs to account:%s for ever", directory.ErrInvalid, plan.ID, old.Account)
	}
	contact := plan.over(old, known)
	if !c.changes(known, sameContact(old, contact)) || write == nil {
		return nil
	}
	return write.PutContact(ctx, contact)
}

// changes counts a record and tells whether it is to be written.
func (c *Count) changes(known, same bool) bool {
	switch {
	case !known:
		c.New++
	case !same:
		c.Changed++
	default:
		c.Unchanged++
		return false
	}
	return true
}

// found splits what a read returned into whether the thing is there and whether
// reading went wrong.
func found(err error) (bool, error) {
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// entry says in the trail what a commit took in: ids, counts and the file's
// digest, nothing personal (req 113).
func (p *Plan) entry(s part, t tally) audit.Entry {
	detail := map[string]string{"source": p.Source, "sha256": p.Digest}
	e := audit.Entry{Actor: p.Actor, Detail: detail}
	if s.account != nil {
		e.Action, e.Object = "import.account", portal.TypeAccount+":"+string(s.account.account.ID)
		detail["new"] = strconv.Itoa(t.memberships.New)
		detail["changed"] = strconv.Itoa(t.memberships.Changed)
		if len(s.account.contacts) > 0 {
			detail["contacts_new"] = strconv.Itoa(t.contacts.New)
			detail["contacts_changed"] = strconv.Itoa(t.contacts.Changed)
		}
		return e
	}
	e.Action, e.Object = "import.users", "import:"+p.Digest[:16]
	detail["first"], detail["last"] = string(s.users[0].ID), string(s.users[len(s.users)-1].ID)
	detail["new"] = strconv.Itoa(t.users.New)
	detail["changed"] = strconv.Itoa(t.users.Changed)
	return e
}
