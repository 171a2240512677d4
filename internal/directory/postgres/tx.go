package postgres

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
	reader
	changes []directory.Change // each once, in order
	named   map[directory.Change]bool
	owners  map[portal.AccountID]bool // accounts that may have got or lost an owner
	entries []audit.Entry
	// lost is the first error that cost the transaction: PostgreSQL does nothing more
	// in it.
	lost error
}

var _ directory.Tx = (*tx)(nil)

func newTx(c *session) *tx {
	t := &tx{named: map[directory.Change]bool{}, owners: map[portal.AccountID]bool{}}
	t.reader = reader{c, t.lose}
	return t
}

// lose remembers err, unless the transaction surely survived it, and lets the update do
// nothing more.
func (t *tx) lose(err error) error {
	if err == nil || t.lost != nil || errors.Is(err, directory.ErrNotFound) || errors.Is(err, directory.ErrInvalid) {
		return err
	}
	t.lost = err
	*t.session = session{over: fmt.Errorf("the update was lost before: %w", err)}
	return err
}

func (t *tx) changed(c directory.Change) {
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

// write writes what.
func (t *tx) write(ctx context.Context, what string, statements ...statement) error {
	if err := t.session.exec(ctx, statements...); err != nil {
		return t.keep(fmt.Errorf("write %s: %w", what, err))
	}
	return nil
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
	return t.write(ctx, "account:"+string(a.ID), statement{`INSERT INTO doorward.accounts
		(id, uuid, name, status, mfa_required, source, pruned, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET uuid = excluded.uuid, name = excluded.name, status = excluded.status,
		mfa_required = excluded.mfa_required, source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		[]any{a.ID, a.UUID, a.Name, a.Status, a.MFARequired, a.Origin.Source, a.Origin.Pruned, micros(a.CreatedAt)},
	})
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
	return t.write(ctx, "user:"+string(u.ID), statement{`INSERT INTO doorward.users
		(id, status, mfa, staff, verified_at, last_login, source, pruned, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, mfa = excluded.mfa, staff = excluded.staff,
		verified_at = excluded.verified_at, last_login = excluded.last_login,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		[]any{u.ID, u.Status, u.MFA, u.Staff, micros(u.EmailVerifiedAt), micros(u.LastLogin),
			u.Origin.Source, u.Origin.Pruned, micros(u.CreatedAt)},
	}, putPerson(u.ID, u.Person))
}

// putPerson writes what is personal, or erases it (req 13).
func putPerson(of portal.UserID, p portal.Person) statement {
	if p == (portal.Person{}) {
		return statement{`DELETE FROM doorward.people WHERE user_id = $1`, []any{of}}
	}
	return statement{`INSERT INTO doorward.people (user_id, email, first_name, last_name, locale)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET email = excluded.email,
		first_name = excluded.first_name, last_name = excluded.last_name, locale = excluded.locale`,
		[]any{of, p.Email, p.FirstName, p.LastName, p.Locale}}
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
	return t.write(ctx, fmt.Sprintf("membership of user:%s in account:%s", m.User, m.Account), putMembership(m))
}

// asKept is m as reading it back will give it.
func asKept(m portal.Membership) portal.Membership {
	m.LastLogin, m.CreatedAt = moment(m.LastLogin), moment(m.CreatedAt)
	m.Grant = grantAsKept(m.Grant)
	m.Mail.On, m.Mail.Off = orNil(m.Mail.On), orNil(m.Mail.Off)
	return m
}

// belongs checks that a membership has its account and user, which the foreign
// keys would refuse without saying which is missing.
func (t *tx) belongs(ctx context.Context, m portal.Membership) error {
	var account, user bool
	err := t.session.get(ctx, `SELECT EXISTS (SELECT 1 FROM doorward.accounts WHERE id = $1),
		EXISTS (SELECT 1 FROM doorward.users WHERE id = $2)`, []any{m.Account, m.User}, &account, &user)
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

func putMembership(m portal.Membership) statement {
	return statement{`INSERT INTO doorward.memberships (account_id, user_id, state, owner,
		presets, categories, scope, account_wide, not_before, not_after, mail_on, mail_off, last_login, source, pruned, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (account_id, user_id) DO UPDATE SET state = excluded.state, owner = excluded.owner,
		presets = excluded.presets, categories = excluded.categories, scope = excluded.scope, account_wide = excluded.account_wide,
		not_before = excluded.not_before, not_after = excluded.not_after, mail_on = excluded.mail_on, mail_off = excluded.mail_off,
		last_login = excluded.last_login, source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		[]any{m.Account, m.User, m.State, m.Owner, texts(m.Grant.Presets), texts(m.Grant.Categories), refTexts(m.Grant.Scope),
			texts(m.Grant.AccountWide), micros(m.Grant.NotBefore), micros(m.Grant.NotAfter), texts(m.Mail.On), texts(m.Mail.Off),
			micros(m.LastLogin), m.Origin.Source, m.Origin.Pruned, micros(m.CreatedAt)},
	}
}
