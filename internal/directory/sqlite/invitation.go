package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectInvitation = `SELECT id, account, email, state, presets, categories, scope, account_wide, not_before, not_after,
	invited_by, by_staff, expires_at, ended_at, source, pruned, created_at FROM invitation`

// invitation reads a row of selectInvitation with scan.
func invitation(scan func(dest ...any) error) (i portal.Invitation, err error) {
	var g grantColumns
	var expires, ended, created sql.NullInt64
	if err := scan(&i.ID, &i.Account, &i.Email, &i.State, &g.presets, &g.categories, &g.scope, &g.wide, &g.notBefore, &g.notAfter,
		&i.InvitedBy, &i.ByStaff, &expires, &ended, &i.Origin.Source, &i.Origin.Pruned, &created); err != nil {
		return portal.Invitation{}, err
	}
	if i.Grant, err = g.grant(); err != nil {
		return portal.Invitation{}, fmt.Errorf("invitation:%s: %w", i.ID, err)
	}
	i.ExpiresAt, i.EndedAt, i.CreatedAt = at(expires), at(ended), at(created)
	return i, nil
}

func (c *session) invitation(ctx context.Context, id portal.InvitationID) (portal.Invitation, error) {
	i, err := invitation(func(dest ...any) error {
		return c.get(ctx, selectInvitation+` WHERE id = ?`, []any{id}, dest...)
	})
	if err != nil {
		return i, fmt.Errorf("read invitation:%s: %w", id, err)
	}
	return i, nil
}

func (c *session) invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error) {
	scan := func(rows *sql.Rows) (portal.Invitation, error) { return invitation(rows.Scan) }
	all, err := list(ctx, c, scan, selectInvitation+` WHERE account = ? ORDER BY id`, account)
	if err != nil {
		return nil, fmt.Errorf("read invitations to account:%s: %w", account, err)
	}
	return all, nil
}

// PutInvitation implements directory.Tx.
func (t *tx) PutInvitation(ctx context.Context, i portal.Invitation) error {
	if err := directory.CheckInvitation(i); err != nil {
		return err
	}
	i.ExpiresAt, i.EndedAt, i.CreatedAt = moment(i.ExpiresAt), moment(i.EndedAt), moment(i.CreatedAt)
	i.Grant = grantAsKept(i.Grant)
	old, err := t.session.invitation(ctx, i.ID)
	if done, err := same(old, i, err); done || err != nil {
		return t.keep(err)
	}
	if err := t.belongsTo(ctx, "invitation:"+string(i.ID), i.Account, old.Account); err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedInvitation, Account: i.Account})
	return t.wrote("invitation:"+string(i.ID), t.session.putInvitation(ctx, i))
}

func (c *session) putInvitation(ctx context.Context, i portal.Invitation) error {
	lists, err := manyTexts(i.Grant.Presets, i.Grant.Categories, i.Grant.AccountWide)
	if err != nil {
		return err
	}
	scope, err := refTexts(i.Grant.Scope)
	if err != nil {
		return err
	}
	return c.exec(ctx, `INSERT INTO invitation (id, account, email, state, presets, categories, account_wide, scope,
		not_before, not_after, invited_by, by_staff, expires_at, ended_at, source, pruned, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET email = excluded.email, state = excluded.state, presets = excluded.presets,
		categories = excluded.categories, account_wide = excluded.account_wide, scope = excluded.scope,
		not_before = excluded.not_before, not_after = excluded.not_after, invited_by = excluded.invited_by,
		by_staff = excluded.by_staff, expires_at = excluded.expires_at, ended_at = excluded.ended_at,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		i.ID, i.Account, i.Email, i.State, lists[0], lists[1], lists[2], scope,
		micros(i.Grant.NotBefore), micros(i.Grant.NotAfter), i.InvitedBy, i.ByStaff, micros(i.ExpiresAt), micros(i.EndedAt),
		i.Origin.Source, i.Origin.Pruned, micros(i.CreatedAt))
}
