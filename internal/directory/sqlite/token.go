package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectToken = `SELECT id, name, digest, scopes, accounts, types, limited_scopes, created_at, revoked_at FROM token`

// token reads a row of selectToken with scan.
func token(scan func(dest ...any) error) (t directory.Token, err error) {
	var digest []byte
	var c tokenColumns
	var created, revoked sql.NullInt64
	if err := scan(&t.ID, &t.Name, &digest, &c.scopes, &c.accounts, &c.types, &c.limited, &created, &revoked); err != nil {
		return directory.Token{}, err
	}
	if t.Scopes, t.Limits, err = c.read(); err != nil {
		return directory.Token{}, fmt.Errorf("token %s: %w", t.ID, err)
	}
	copy(t.Digest[:], digest)
	t.CreatedAt, t.RevokedAt = at(created), at(revoked)
	return t, nil
}

// tokenColumns are the columns that say what a token may be used for. Of a limited
// token scopes is empty and limited has them: see migration 00003.
type tokenColumns struct{ scopes, accounts, types, limited string }

func (c tokenColumns) read() (scopes []string, limits *portal.Limits, err error) {
	var lists [4][]string
	for i, column := range []string{c.scopes, c.accounts, c.types, c.limited} {
		if lists[i], err = names(column); err != nil {
			return nil, nil, fmt.Errorf("scopes or limits: %w", err)
		}
	}
	if len(lists[1])+len(lists[2]) == 0 {
		return lists[0], nil, nil
	}
	limits = &portal.Limits{Types: lists[2]}
	for _, id := range lists[1] {
		limits.Accounts = append(limits.Accounts, portal.AccountID(id))
	}
	return lists[3], limits, nil
}

// columnsOf is what token reads back.
func columnsOf(t directory.Token) (c tokenColumns, err error) {
	c = tokenColumns{emptyList, emptyList, emptyList, emptyList}
	scopes, err := texts(t.Scopes)
	if err != nil || t.Limits == nil {
		c.scopes = scopes
		return c, err
	}
	accounts := make([]string, len(t.Limits.Accounts))
	for i, id := range t.Limits.Accounts {
		accounts[i] = string(id)
	}
	c.limited = scopes
	if c.accounts, err = texts(accounts); err == nil {
		c.types, err = texts(t.Limits.Types)
	}
	return c, err
}

func (c *session) token(ctx context.Context, id string) (directory.Token, error) {
	return token(func(dest ...any) error {
		return c.get(ctx, selectToken+` WHERE id = ?`, []any{id}, dest...)
	})
}

func (c *session) tokens(ctx context.Context) ([]directory.Token, error) {
	scan := func(rows *sql.Rows) (directory.Token, error) { return token(rows.Scan) }
	all, err := list(ctx, c, scan, selectToken+` ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	return all, nil
}

// PutToken implements directory.Tx.
func (t *tx) PutToken(ctx context.Context, token directory.Token) error {
	if err := directory.CheckToken(token); err != nil {
		return err
	}
	token.CreatedAt, token.RevokedAt = moment(token.CreatedAt), moment(token.RevokedAt)
	token.Scopes = orNil(token.Scopes)
	if token.Limits != nil {
		token.Limits = &portal.Limits{Accounts: orNil(token.Limits.Accounts), Types: orNil(token.Limits.Types)}
	}
	old, err := t.session.token(ctx, token.ID)
	if done, err := same(old, token, err); done || err != nil {
		return t.keep(err)
	}
	c, err := columnsOf(token)
	if err != nil {
		return err
	}
	t.changed(directory.Change{Kind: directory.ChangedToken})
	return t.wrote("token "+token.ID, t.session.exec(ctx, `INSERT INTO token
		(id, name, digest, scopes, accounts, types, limited_scopes, created_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, digest = excluded.digest, scopes = excluded.scopes,
		accounts = excluded.accounts, types = excluded.types, limited_scopes = excluded.limited_scopes,
		created_at = excluded.created_at, revoked_at = excluded.revoked_at`,
		token.ID, token.Name, token.Digest[:], c.scopes, c.accounts, c.types, c.limited, micros(token.CreatedAt), micros(token.RevokedAt)))
}
