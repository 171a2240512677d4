package postgres

import (
	"context"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// errStandby is what a standby says that a pooler has put in the place of the primary:
// it may not have heard of a removal (design R11).
var errStandby = fmt.Errorf("%w: it is a standby", directory.ErrUnavailable)

// head reads the position of the last commit, and how many lines the trail has.
func (c *session) head(ctx context.Context) (p portal.Position, seq uint64, err error) {
	var tag []byte
	var standby bool
	err = c.get(ctx, `SELECT pg_is_in_recovery(), revision, tag, seq FROM doorward.head`, nil, &standby, &p.Revision, &tag, &seq)
	if err == nil && standby {
		err = errStandby
	}
	if err != nil {
		return portal.Position{}, 0, err
	}
	p.Tag = hash(tag)
	return p, seq, nil
}

func (c *session) position(ctx context.Context) (portal.Position, error) {
	p, _, err := c.head(ctx)
	if err != nil {
		return p, fmt.Errorf("read head: %w", err)
	}
	return p, nil
}

func (c *session) account(ctx context.Context, account portal.AccountID) (portal.Account, error) {
	a, created := portal.Account{ID: account}, (*int64)(nil)
	err := c.get(ctx, `SELECT uuid, name, status, mfa_required, source, pruned, created_at
		FROM doorward.accounts WHERE id = $1`, []any{id(account)},
		&a.UUID, &a.Name, &a.Status, &a.MFARequired, &a.Origin.Source, &a.Origin.Pruned, &created)
	if err != nil {
		return portal.Account{}, fmt.Errorf("read account:%s: %w", account, err)
	}
	a.CreatedAt = at(created)
	return a, nil
}

const selectUser = `SELECT id, status, mfa, staff, verified_at, last_login, source, pruned, created_at,
	coalesce(email, ''), coalesce(first_name, ''), coalesce(last_name, ''), coalesce(locale, '')
	FROM doorward.users LEFT JOIN doorward.people ON people.user_id = id`

// user reads a row of selectUser.
func user(columns scan) (u portal.User, err error) {
	var verified, login, created *int64
	if err := columns(&u.ID, &u.Status, &u.MFA, &u.Staff, &verified, &login, &u.Origin.Source, &u.Origin.Pruned, &created,
		&u.Person.Email, &u.Person.FirstName, &u.Person.LastName, &u.Person.Locale); err != nil {
		return portal.User{}, err
	}
	u.EmailVerifiedAt, u.LastLogin, u.CreatedAt = at(verified), at(login), at(created)
	return u, nil
}

func (c *session) user(ctx context.Context, of portal.UserID) (portal.User, error) {
	u, err := user(c.row(ctx, selectUser+` WHERE id = $1`, id(of)))
	if err != nil {
		return u, fmt.Errorf("read user:%s: %w", of, err)
	}
	return u, nil
}

func (c *session) staff(ctx context.Context) ([]portal.User, error) {
	all, err := list(ctx, c, user, selectUser+` WHERE staff <> '' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read staff: %w", err)
	}
	return all, nil
}

const selectMembership = `SELECT account_id, user_id, state, owner, presets, categories, scope, account_wide,
	not_before, not_after, mail_on, mail_off, last_login, source, pruned, created_at
	FROM doorward.memberships WHERE account_id = $1`

// membership reads a row of selectMembership.
func membership(columns scan) (m portal.Membership, err error) {
	var g grantColumns
	var login, created *int64
	if err := columns(&m.Account, &m.User, &m.State, &m.Owner, &g.presets, &g.categories, &g.scope, &g.wide,
		&g.notBefore, &g.notAfter, &m.Mail.On, &m.Mail.Off, &login, &m.Origin.Source, &m.Origin.Pruned, &created); err != nil {
		return portal.Membership{}, err
	}
	if m.Grant, err = g.grant(); err != nil {
		return portal.Membership{}, fmt.Errorf("user:%s in account:%s: %w", m.User, m.Account, err)
	}
	m.Mail.On, m.Mail.Off = orNil(m.Mail.On), orNil(m.Mail.Off)
	m.LastLogin, m.CreatedAt = at(login), at(created)
	return m, nil
}

func (c *session) membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error) {
	m, err := membership(c.row(ctx, selectMembership+` AND user_id = $2`, id(account), id(user)))
	if err != nil {
		return m, fmt.Errorf("read membership of user:%s in account:%s: %w", user, account, err)
	}
	return m, nil
}

func (c *session) members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error) {
	all, err := list(ctx, c, membership, selectMembership+` ORDER BY user_id`, id(account))
	if err != nil {
		return nil, fmt.Errorf("read members of account:%s: %w", account, err)
	}
	return all, nil
}
