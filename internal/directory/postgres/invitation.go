package postgres

import (
	"context"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectInvitation = `SELECT id, account_id, email, state, presets, categories, scope, account_wide, not_before, not_after,
	invited_by, by_staff, expires_at, ended_at, source, pruned, created_at FROM doorward.invitations`

// invitation reads a row of selectInvitation.
func invitation(columns scan) (i portal.Invitation, err error) {
	var g grantColumns
	var expires, ended, created *int64
	if err := columns(&i.ID, &i.Account, &i.Email, &i.State, &g.presets, &g.categories, &g.scope, &g.wide, &g.notBefore, &g.notAfter,
		&i.InvitedBy, &i.ByStaff, &expires, &ended, &i.Origin.Source, &i.Origin.Pruned, &created); err != nil {
		return portal.Invitation{}, err
	}
	if i.Grant, err = g.grant(); err != nil {
		return portal.Invitation{}, fmt.Errorf("invitation:%s: %w", i.ID, err)
	}
	i.ExpiresAt, i.EndedAt, i.CreatedAt = at(expires), at(ended), at(created)
	return i, nil
}

func (c *session) invitation(ctx context.Context, of portal.InvitationID) (portal.Invitation, error) {
	i, err := invitation(c.row(ctx, selectInvitation+` WHERE id = $1`, id(of)))
	if err != nil {
		return i, fmt.Errorf("read invitation:%s: %w", of, err)
	}
	return i, nil
}

func (c *session) invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error) {
	all, err := list(ctx, c, invitation, selectInvitation+` WHERE account_id = $1 ORDER BY id`, id(account))
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
	return t.write(ctx, "invitation:"+string(i.ID), statement{`INSERT INTO doorward.invitations
		(id, account_id, email, state, presets, categories, scope, account_wide,
		not_before, not_after, invited_by, by_staff, expires_at, ended_at, source, pruned, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (id) DO UPDATE SET email = excluded.email, state = excluded.state, presets = excluded.presets,
		categories = excluded.categories, scope = excluded.scope, account_wide = excluded.account_wide,
		not_before = excluded.not_before, not_after = excluded.not_after, invited_by = excluded.invited_by,
		by_staff = excluded.by_staff, expires_at = excluded.expires_at, ended_at = excluded.ended_at,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		[]any{i.ID, i.Account, i.Email, i.State, texts(i.Grant.Presets), texts(i.Grant.Categories), refTexts(i.Grant.Scope),
			texts(i.Grant.AccountWide), micros(i.Grant.NotBefore), micros(i.Grant.NotAfter), i.InvitedBy, i.ByStaff,
			micros(i.ExpiresAt), micros(i.EndedAt), i.Origin.Source, i.Origin.Pruned, micros(i.CreatedAt)},
	})
}
