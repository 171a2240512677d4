package sqlite

import (
	"context"
	"fmt"

	"doorward/internal/portal"
)

// selectFacts reads everything about one key, and the position, in one statement
// and so in one snapshot. What is not there has an empty status or state. The
// columns are expressions with names of one letter because the driver allocates
// a string for every longer name and every declared type, each time.
const selectFacts = `SELECT +h.revision AS r, +h.tag AS t,
	coalesce(a.status, '') AS a, coalesce(a.mfa_required, 0) AS f, coalesce(u.status, '') AS u,
	coalesce(m.state, '') AS m, coalesce(m.owner, 0) > 0 AS o,
	coalesce(m.presets, '') AS p, coalesce(m.categories, '') AS c, coalesce(m.scope, '') AS s,
	+m.not_before AS b, +m.not_after AS e
	FROM head AS h
	LEFT JOIN account AS a ON a.id = ?1
	LEFT JOIN user AS u ON u.id = ?2
	LEFT JOIN membership AS m ON m.account = ?1 AND m.user = ?2`

// facts reads what is known of key. Only users are members: a contact or a
// machine with a user's id is not that user.
func (c *session) facts(ctx context.Context, key portal.FactKey) (f portal.Facts, p portal.Position, err error) {
	user := ""
	if key.Subject.Type == portal.TypeUser {
		user = key.Subject.ID
	}
	var tag []byte
	var g grantColumns
	err = c.get(ctx, selectFacts, []any{string(key.Account), user}, &p.Revision, &tag,
		&f.Account.Status, &f.Account.MFARequired, &f.User.Status, &f.Membership.State, &f.Membership.Owner,
		&g.presets, &g.categories, &g.scope, &g.notBefore, &g.notAfter)
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	copy(p.Tag[:], tag)
	if f.Membership.State == "" {
		return f, p, nil
	}
	grant, err := g.grant()
	if err != nil {
		return portal.Facts{}, portal.Position{}, fmt.Errorf("%s in account:%s: %w", key.Subject, key.Account, err)
	}
	f.Membership.Grant = &grant
	return f, p, nil
}

// allFacts reads the facts of every key. For more than one the caller is inside a
// transaction.
func (c *session) allFacts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	if len(keys) == 0 {
		p, err := c.position(ctx)
		return nil, p, err
	}
	all := make([]portal.Facts, len(keys))
	var p portal.Position
	for i, key := range keys {
		var err error
		if all[i], p, err = c.facts(ctx, key); err != nil {
			return nil, portal.Position{}, fmt.Errorf("read facts: %w", err)
		}
	}
	return all, p, nil
}

// Facts implements directory.Reader.
func (s *Store) Facts(ctx context.Context, keys []portal.FactKey) (all []portal.Facts, p portal.Position, err error) {
	c, err := s.take(ctx, s.idle)
	if err != nil {
		return nil, p, fmt.Errorf("read facts: %w", err)
	}
	defer func() { s.idle <- c }()
	if len(keys) <= 1 {
		return c.allFacts(ctx, keys)
	}
	err = c.transaction(ctx, beginRead, func() error {
		all, p, err = c.allFacts(ctx, keys)
		return err
	})
	if err != nil {
		return nil, portal.Position{}, err
	}
	return all, p, nil
}
