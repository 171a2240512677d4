package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"doorward/internal/portal"
)

// selectFacts reads everything about one user's key, and the position, in one
// statement and so in one snapshot. What is not there has an empty status or state.
// The columns are expressions with names of one letter because the driver allocates
// a string for every longer name and every declared type, each time; and what is
// mostly empty is NULL then, which costs it nothing.
const selectFacts = `SELECT +h.revision AS r, +h.tag AS t,
	coalesce(a.status, '') AS a, coalesce(a.mfa_required, 0) AS f, coalesce(u.status, '') AS u, nullif(u.staff, '') AS i,
	coalesce(m.state, '') AS m, coalesce(m.owner, 0) > 0 AS o,
	nullif(m.presets, '[]') AS p, nullif(m.categories, '[]') AS c, nullif(m.scope, '[]') AS s, nullif(m.account_wide, '[]') AS w,
	+m.not_before AS b, +m.not_after AS e, nullif(m.mail_on, '[]') AS y, nullif(m.mail_off, '[]') AS n
	FROM head AS h
	LEFT JOIN account AS a ON a.id = ?1
	LEFT JOIN user AS u ON u.id = ?2
	LEFT JOIN membership AS m ON m.account = ?1 AND m.user = ?2`

// facts reads what is known of key. Only users are members: a contact or a
// machine with a user's id is not that user.
func (c *session) facts(ctx context.Context, key portal.FactKey) (f portal.Facts, p portal.Position, err error) {
	if key.Subject.Type == portal.TypeContact {
		return c.contactFacts(ctx, key)
	}
	user := ""
	if key.Subject.Type == portal.TypeUser {
		user = key.Subject.ID
	}
	var tag []byte
	var staff sql.NullString
	var g grantColumns
	var mail mailColumns
	err = c.get(ctx, selectFacts, []any{string(key.Account), user}, &p.Revision, &tag,
		&f.Account.Status, &f.Account.MFARequired, &f.User.Status, &staff, &f.Membership.State, &f.Membership.Owner,
		&g.presets, &g.categories, &g.scope, &g.wide, &g.notBefore, &g.notAfter, &mail.on, &mail.off)
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	copy(p.Tag[:], tag)
	f.User.Staff = portal.StaffRights(staff.String)
	if f.Membership.State == "" {
		return f, p, nil
	}
	if err := readMembership(&f.Membership, g, mail); err != nil {
		return portal.Facts{}, portal.Position{}, fmt.Errorf("%s in account:%s: %w", key.Subject, key.Account, err)
	}
	return f, p, nil
}

// readMembership puts the grant and the choices of mail into m.
func readMembership(m *portal.MembershipFacts, g grantColumns, mail mailColumns) error {
	grant, err := g.grant()
	if err != nil {
		return err
	}
	m.Grant = &grant
	choices, err := mail.choices()
	if err == nil && (choices.On != nil || choices.Off != nil) {
		m.Mail = &choices
	}
	return err
}

// selectContactFacts reads everything about one contact's key: a contact of another
// account is not there (req 17).
const selectContactFacts = `SELECT +h.revision AS r, +h.tag AS t,
	coalesce(a.status, '') AS a, coalesce(a.mfa_required, 0) AS f,
	coalesce(c.status, '') AS c, nullif(c.mails, '[]') AS m, nullif(c.scope, '[]') AS s
	FROM head AS h
	LEFT JOIN account AS a ON a.id = ?1
	LEFT JOIN contact AS c ON c.id = ?2 AND c.account = ?1`

// contactFacts reads what is known of a contact's key.
func (c *session) contactFacts(ctx context.Context, key portal.FactKey) (f portal.Facts, p portal.Position, err error) {
	var tag []byte
	var known contactColumns
	err = c.get(ctx, selectContactFacts, []any{string(key.Account), key.Subject.ID}, &p.Revision, &tag,
		&f.Account.Status, &f.Account.MFARequired, &known.status, &known.mails, &known.scope)
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	copy(p.Tag[:], tag)
	if known.status == "" {
		return f, p, nil
	}
	contact, err := known.facts()
	if err != nil {
		return portal.Facts{}, portal.Position{}, fmt.Errorf("%s of account:%s: %w", key.Subject, key.Account, err)
	}
	f.Contact = &contact
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
