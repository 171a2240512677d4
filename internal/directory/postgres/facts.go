package postgres

import (
	"context"
	"fmt"

	"doorward/internal/portal"
)

// selectFacts reads everything about keys, and the position, in one statement and so in
// one snapshot. What is not there has an empty status or state. A contact of another
// account is not there (req 17).
const selectFacts = `SELECT pg_is_in_recovery(), h.revision, h.tag,
	coalesce(a.status, ''), coalesce(a.mfa_required, false), coalesce(u.status, ''), coalesce(u.staff, ''),
	coalesce(m.state, ''), coalesce(m.owner, false), m.presets, m.categories, m.scope, m.account_wide,
	m.not_before, m.not_after, m.mail_on, m.mail_off, coalesce(c.status, ''), c.mails, c.scope
	FROM `

const ofKeys = ` AS k (account_id, user_id, contact_id, n)
	CROSS JOIN doorward.head AS h
	LEFT JOIN doorward.accounts AS a ON a.id = k.account_id
	LEFT JOIN doorward.users AS u ON u.id = k.user_id
	LEFT JOIN doorward.memberships AS m ON m.account_id = k.account_id AND m.user_id = k.user_id
	LEFT JOIN doorward.contacts AS c ON c.id = k.contact_id AND c.account_id = k.account_id
	ORDER BY k.n`

// One key has a statement of its own, because PostgreSQL keeps its plan. That of any
// number it plans each time, which takes longer than reading one key.
const (
	selectFactsOfOne  = selectFacts + `(SELECT $1::text, $2::text, $3::text, 1)` + ofKeys
	selectFactsOfMany = selectFacts + `unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY` + ofKeys
)

// known are the facts of one key, at the position they were read at.
type known struct {
	facts portal.Facts
	at    portal.Position
}

// facts reads a row of selectFacts.
func facts(columns scan) (k known, err error) {
	f := &k.facts
	var standby bool
	var tag []byte
	var g grantColumns
	var mail portal.MailChoices
	var contact portal.ContactFacts
	var scope []string
	if err := columns(&standby, &k.at.Revision, &tag,
		&f.Account.Status, &f.Account.MFARequired, &f.User.Status, &f.User.Staff,
		&f.Membership.State, &f.Membership.Owner, &g.presets, &g.categories, &g.scope, &g.wide,
		&g.notBefore, &g.notAfter, &mail.On, &mail.Off, &contact.Status, &contact.Mails, &scope); err != nil {
		return known{}, err
	}
	if standby {
		return known{}, errStandby
	}
	k.at.Tag = hash(tag)
	if f.Membership.State != "" {
		grant, err := g.grant()
		if err != nil {
			return known{}, err
		}
		f.Membership.Grant = &grant
		if len(mail.On)+len(mail.Off) > 0 {
			f.Membership.Mail = &portal.MailChoices{On: orNil(mail.On), Off: orNil(mail.Off)}
		}
	}
	if contact.Status != "" {
		contact.Mails = orNil(contact.Mails)
		if contact.Scope, err = refs(scope); err != nil {
			return known{}, err
		}
		f.Contact = &contact
	}
	return k, nil
}

// lookup is what to look a key up by. Only users are members: a contact or a machine with
// a user's id is not that user.
func lookup(key portal.FactKey) (account, user, contact string) {
	switch key.Subject.Type {
	case portal.TypeUser:
		user = id(key.Subject.ID)
	case portal.TypeContact:
		contact = id(key.Subject.ID)
	}
	return id(key.Account), user, contact
}

// allFacts reads the facts of every key.
func (c *session) allFacts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	if len(keys) == 0 {
		p, err := c.position(ctx)
		return nil, p, err
	}
	var rows []known
	var err error
	if len(keys) == 1 {
		account, user, contact := lookup(keys[0])
		rows, err = list(ctx, c, facts, selectFactsOfOne, account, user, contact)
	} else {
		accounts, users, contacts := make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
		for i, key := range keys {
			accounts[i], users[i], contacts[i] = lookup(key)
		}
		rows, err = list(ctx, c, facts, selectFactsOfMany, accounts, users, contacts)
	}
	if err == nil && len(rows) != len(keys) {
		err = fmt.Errorf("%w: it has no head", ErrDamaged)
	}
	if err != nil {
		return nil, portal.Position{}, fmt.Errorf("read facts: %w", err)
	}
	all := make([]portal.Facts, len(keys))
	for i, row := range rows {
		all[i] = row.facts
	}
	return all, rows[0].at, nil
}
