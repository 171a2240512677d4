package postgres

import (
	"context"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectToken = `SELECT id, name, digest, scopes, limited, accounts, types, created_at, revoked_at FROM doorward.tokens`

// token reads a row of selectToken.
func token(columns scan) (t directory.Token, err error) {
	var digest []byte
	var limited bool
	var limits portal.Limits
	var created, revoked *int64
	if err := columns(&t.ID, &t.Name, &digest, &t.Scopes, &limited, &limits.Accounts, &limits.Types, &created, &revoked); err != nil {
		return directory.Token{}, err
	}
	if limited {
		t.Limits = &portal.Limits{Accounts: orNil(limits.Accounts), Types: orNil(limits.Types)}
	}
	t.Scopes, t.Digest = orNil(t.Scopes), hash(digest)
	t.CreatedAt, t.RevokedAt = at(created), at(revoked)
	return t, nil
}

func (c *session) tokens(ctx context.Context) ([]directory.Token, error) {
	all, err := list(ctx, c, token, selectToken+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	return all, nil
}

func (c *session) token(ctx context.Context, id string) (directory.Token, error) {
	return token(c.row(ctx, selectToken+` WHERE id = $1`, id))
}

// PutToken implements directory.Tx.
func (t *tx) PutToken(ctx context.Context, token directory.Token) error {
	if err := directory.CheckToken(token); err != nil {
		return err
	}
	token.CreatedAt, token.RevokedAt = moment(token.CreatedAt), moment(token.RevokedAt)
	token.Scopes = orNil(token.Scopes)
	var limits portal.Limits
	if token.Limits != nil {
		limits = portal.Limits{Accounts: orNil(token.Limits.Accounts), Types: orNil(token.Limits.Types)}
		token.Limits = &limits
	}
	old, err := t.session.token(ctx, token.ID)
	if done, err := same(old, token, err); done || err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedToken})
	return t.write(ctx, "token "+token.ID, statement{`INSERT INTO doorward.tokens
		(id, name, digest, scopes, limited, accounts, types, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, digest = excluded.digest, scopes = excluded.scopes,
		limited = excluded.limited, accounts = excluded.accounts, types = excluded.types,
		created_at = excluded.created_at, revoked_at = excluded.revoked_at`,
		[]any{token.ID, token.Name, token.Digest[:], texts(token.Scopes), token.Limits != nil, texts(limits.Accounts), texts(limits.Types),
			micros(token.CreatedAt), micros(token.RevokedAt)},
	})
}
