package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"doorward/internal/portal"
)

// head reads the position of the last commit, and how many lines the trail has.
func (c *session) head(ctx context.Context) (p portal.Position, seq uint64, err error) {
	var tag []byte
	err = c.get(ctx, `SELECT revision, tag, seq FROM head`, nil, &p.Revision, &tag, &seq)
	copy(p.Tag[:], tag)
	return p, seq, err
}

func (c *session) position(ctx context.Context) (portal.Position, error) {
	p, _, err := c.head(ctx)
	if err != nil {
		return p, fmt.Errorf("read head: %w", err)
	}
	return p, nil
}

func (c *session) account(ctx context.Context, id portal.AccountID) (portal.Account, error) {
	a, created := portal.Account{ID: id}, sql.NullInt64{}
	err := c.get(ctx, `SELECT uuid, name, status, mfa_required, source, pruned, created_at
		FROM account WHERE id = ?`, []any{id},
		&a.UUID, &a.Name, &a.Status, &a.MFARequired, &a.Origin.Source, &a.Origin.Pruned, &created)
	if err != nil {
		return portal.Account{}, fmt.Errorf("read account:%s: %w", id, err)
	}
	a.CreatedAt = at(created)
	return a, nil
}

func (c *session) user(ctx context.Context, id portal.UserID) (portal.User, error) {
	u, err := user(func(dest ...any) error {
		return c.get(ctx, selectUser+` WHERE id = ?`, []any{id}, dest...)
	})
	if err != nil {
		return u, fmt.Errorf("read user:%s: %w", id, err)
	}
	return u, nil
}

const selectUser = `SELECT id, status, mfa, staff, verified_at, last_login, source, pruned, created_at,
	coalesce(email, ''), coalesce(first_name, ''), coalesce(last_name, ''), coalesce(locale, '')
	FROM user LEFT JOIN person ON person.user = id`

// user reads a row of selectUser with scan.
func user(scan func(dest ...any) error) (u portal.User, err error) {
	var verified, login, created sql.NullInt64
	if err := scan(&u.ID, &u.Status, &u.MFA, &u.Staff, &verified, &login, &u.Origin.Source, &u.Origin.Pruned, &created,
		&u.Person.Email, &u.Person.FirstName, &u.Person.LastName, &u.Person.Locale); err != nil {
		return portal.User{}, err
	}
	u.EmailVerifiedAt, u.LastLogin, u.CreatedAt = at(verified), at(login), at(created)
	return u, nil
}

func (c *session) staff(ctx context.Context) ([]portal.User, error) {
	scan := func(rows *sql.Rows) (portal.User, error) { return user(rows.Scan) }
	all, err := list(ctx, c, scan, selectUser+` WHERE staff <> '' ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read staff: %w", err)
	}
	return all, nil
}

const selectMembership = `SELECT account, user, state, owner > 0, presets, categories, scope, account_wide,
	not_before, not_after, mail_on, mail_off, last_login, source, pruned, created_at FROM membership WHERE account = ?`

// membership reads a row of selectMembership with scan.
func membership(scan func(dest ...any) error) (m portal.Membership, err error) {
	var g grantColumns
	var mail mailColumns
	var login, created sql.NullInt64
	if err := scan(&m.Account, &m.User, &m.State, &m.Owner, &g.presets, &g.categories, &g.scope, &g.wide,
		&g.notBefore, &g.notAfter, &mail.on, &mail.off, &login, &m.Origin.Source, &m.Origin.Pruned, &created); err != nil {
		return portal.Membership{}, err
	}
	if m.Grant, err = g.grant(); err == nil {
		m.Mail, err = mail.choices()
	}
	if err != nil {
		return portal.Membership{}, fmt.Errorf("user:%s in account:%s: %w", m.User, m.Account, err)
	}
	m.LastLogin, m.CreatedAt = at(login), at(created)
	return m, nil
}

func (c *session) membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error) {
	m, err := membership(func(dest ...any) error {
		return c.get(ctx, selectMembership+` AND user = ?`, []any{account, user}, dest...)
	})
	if err != nil {
		return m, fmt.Errorf("read membership of user:%s in account:%s: %w", user, account, err)
	}
	return m, nil
}

func (c *session) members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error) {
	scan := func(rows *sql.Rows) (portal.Membership, error) { return membership(rows.Scan) }
	all, err := list(ctx, c, scan, selectMembership+` ORDER BY user`, account)
	if err != nil {
		return nil, fmt.Errorf("read members of account:%s: %w", account, err)
	}
	return all, nil
}
