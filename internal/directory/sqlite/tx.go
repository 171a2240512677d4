package sqlite

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A tx is an update under way.
type tx struct {
	session *session
	changes []directory.Change // each once, in order
	named   map[directory.Change]bool
	owners  map[portal.AccountID]bool // accounts that may have got or lost an owner
	entries []audit.Entry
	// lost is the first error that may have cost the transaction.
	lost error
}

var _ directory.Tx = (*tx)(nil)

// keep remembers err, unless the transaction surely survived it, and lets the
// update do nothing more: when the disk is full, for one, SQLite rolls back by
// itself, and whatever an fn that ignores errors did next would commit alone.
func (t *tx) keep(err error) error {
	if err == nil || t.lost != nil || errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInvalid) {
		return err
	}
	t.lost = err
	*t.session = session{}
	return err
}

func (t *tx) changed(c directory.Change) {
	if t.named == nil {
		t.named = map[directory.Change]bool{}
		t.owners = map[portal.AccountID]bool{}
	}
	if !t.named[c] {
		t.named[c] = true
		t.changes = append(t.changes, c)
	}
}

// Changed implements directory.Tx.
func (t *tx) Changed() bool { return len(t.changes) > 0 }

// Log implements directory.Tx.
func (t *tx) Log(e audit.Entry) { t.entries = append(t.entries, e) }

// same tells whether a put changes nothing, given what reading the old row gave.
func same[T any](old, put T, err error) (bool, error) {
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil && reflect.DeepEqual(old, put), err
}

// PutAccount implements directory.Tx.
func (t *tx) PutAccount(ctx context.Context, a portal.Account) error {
	if err := directory.CheckAccount(a); err != nil {
		return err
	}
	a.CreatedAt = moment(a.CreatedAt)
	old, err := t.session.account(ctx, a.ID)
	if done, err := same(old, a, err); done || err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedAccount, Account: a.ID})
	t.owners[a.ID] = true
	return t.wrote("account:"+string(a.ID), t.session.exec(ctx, `INSERT INTO account
		(id, uuid, name, status, mfa_required, source, pruned, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET uuid = excluded.uuid, name = excluded.name, status = excluded.status,
		mfa_required = excluded.mfa_required, source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		a.ID, a.UUID, a.Name, a.Status, a.MFARequired, a.Origin.Source, a.Origin.Pruned, micros(a.CreatedAt)))
}

// PutUser implements directory.Tx.
func (t *tx) PutUser(ctx context.Context, u portal.User) error {
	if err := directory.CheckUser(u); err != nil {
		return err
	}
	u.EmailVerifiedAt, u.LastLogin, u.CreatedAt = moment(u.EmailVerifiedAt), moment(u.LastLogin), moment(u.CreatedAt)
	old, err := t.session.user(ctx, u.ID)
	if done, err := same(old, u, err); done || err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedUser, User: u.ID})
	err = t.session.exec(ctx, `INSERT INTO user
		(id, status, mfa, staff, verified_at, last_login, source, pruned, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, mfa = excluded.mfa, staff = excluded.staff,
		verified_at = excluded.verified_at, last_login = excluded.last_login,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		u.ID, u.Status, u.MFA, u.Staff, micros(u.EmailVerifiedAt), micros(u.LastLogin), u.Origin.Source, u.Origin.Pruned, micros(u.CreatedAt))
	if err == nil {
		err = t.session.putPerson(ctx, u.ID, u.Person)
	}
	return t.wrote("user:"+string(u.ID), err)
}

// putPerson writes what is personal, or erases it (req 13).
func (c *session) putPerson(ctx context.Context, id portal.UserID, p portal.Person) error {
	if p == (portal.Person{}) {
		return c.exec(ctx, `DELETE FROM person WHERE user = ?`, id)
	}
	return c.exec(ctx, `INSERT INTO person (user, email, first_name, last_name, locale) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (user) DO UPDATE SET email = excluded.email, first_name = excluded.first_name,
		last_name = excluded.last_name, locale = excluded.locale`,
		id, p.Email, p.FirstName, p.LastName, p.Locale)
}

// PutMembership implements directory.Tx.
func (t *tx) PutMembership(ctx context.Context, m portal.Membership) error {
	if err := directory.CheckMembership(m); err != nil {
		return err
	}
	m = asKept(m)
	old, err := t.session.membership(ctx, m.Account, m.User)
	if done, err := same(old, m, err); done || err != nil {
		return t.keep(err)
	}
	if err := t.belongs(ctx, m); err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedMembership, Account: m.Account, User: m.User})
	if old.Owner || m.Owner {
		t.owners[m.Account] = true
	}
	return t.wrote(fmt.Sprintf("membership of user:%s in account:%s", m.User, m.Account), t.session.putMembership(ctx, m))
}

// asKept is m as reading it back will give it.
func asKept(m portal.Membership) portal.Membership {
	m.LastLogin, m.CreatedAt = moment(m.LastLogin), moment(m.CreatedAt)
	m.Grant = grantAsKept(m.Grant)
	m.Mail.On, m.Mail.Off = orNil(m.Mail.On), orNil(m.Mail.Off)
	return m
}

func grantAsKept(g portal.Grant) portal.Grant {
	g.NotBefore, g.NotAfter = moment(g.NotBefore), moment(g.NotAfter)
	g.Presets, g.Categories, g.Scope, g.AccountWide = orNil(g.Presets), orNil(g.Categories), orNil(g.Scope), orNil(g.AccountWide)
	return g
}

func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// belongs checks that a membership has its account and user, which the foreign
// keys would refuse without saying which is missing.
func (t *tx) belongs(ctx context.Context, m portal.Membership) error {
	var account, user bool
	err := t.session.get(ctx, `SELECT EXISTS (SELECT 1 FROM account WHERE id = ?), EXISTS (SELECT 1 FROM user WHERE id = ?)`,
		[]any{m.Account, m.User}, &account, &user)
	switch {
	case err != nil:
		return fmt.Errorf("look for account and user: %w", err)
	case !account:
		return fmt.Errorf("%w: membership of user:%s in account:%s: there is no such account", directory.ErrInvalid, m.User, m.Account)
	case !user:
		return fmt.Errorf("%w: membership of user:%s in account:%s: there is no such user", directory.ErrInvalid, m.User, m.Account)
	}
	return nil
}

// putMembership writes m. A new owner is written as 2 and an old one stays 1, so
// that owners may change hands in any order before the update is sealed.
func (c *session) putMembership(ctx context.Context, m portal.Membership) error {
	lists, err := manyTexts(m.Grant.Presets, m.Grant.Categories, m.Grant.AccountWide, m.Mail.On, m.Mail.Off)
	if err != nil {
		return err
	}
	scope, err := refTexts(m.Grant.Scope)
	if err != nil {
		return err
	}
	owner := 0
	if m.Owner {
		owner = 2
	}
	return c.exec(ctx, `INSERT INTO membership (account, user, state, owner,
		presets, categories, account_wide, mail_on, mail_off, scope,
		not_before, not_after, last_login, source, pruned, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account, user) DO UPDATE SET state = excluded.state,
		owner = iif(excluded.owner > 0 AND owner > 0, owner, excluded.owner),
		presets = excluded.presets, categories = excluded.categories, account_wide = excluded.account_wide,
		mail_on = excluded.mail_on, mail_off = excluded.mail_off, scope = excluded.scope,
		not_before = excluded.not_before, not_after = excluded.not_after,
		last_login = excluded.last_login, source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		m.Account, m.User, m.State, owner, lists[0], lists[1], lists[2], lists[3], lists[4], scope,
		micros(m.Grant.NotBefore), micros(m.Grant.NotAfter), micros(m.LastLogin), m.Origin.Source, m.Origin.Pruned, micros(m.CreatedAt))
}

// wrote keeps the outcome of writing what.
func (t *tx) wrote(what string, err error) error {
	if err != nil {
		return t.keep(fmt.Errorf("write %s: %w", what, err))
	}
	return nil
}
