package postgres

import (
	"context"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectContact = `SELECT id, account_id, status, mails, scope, source, pruned, created_at,
	coalesce(email, ''), coalesce(first_name, ''), coalesce(last_name, ''), coalesce(locale, '')
	FROM doorward.contacts LEFT JOIN doorward.contact_people ON contact_id = id`

// contact reads a row of selectContact.
func contact(columns scan) (c portal.Contact, err error) {
	var scope []string
	var created *int64
	if err := columns(&c.ID, &c.Account, &c.Status, &c.Mails, &scope, &c.Origin.Source, &c.Origin.Pruned, &created,
		&c.Person.Email, &c.Person.FirstName, &c.Person.LastName, &c.Person.Locale); err != nil {
		return portal.Contact{}, err
	}
	if c.Scope, err = refs(scope); err != nil {
		return portal.Contact{}, fmt.Errorf("contact:%s: scope: %w", c.ID, err)
	}
	c.Mails, c.CreatedAt = orNil(c.Mails), at(created)
	return c, nil
}

func (c *session) contact(ctx context.Context, of portal.ContactID) (portal.Contact, error) {
	known, err := contact(c.row(ctx, selectContact+` WHERE id = $1`, id(of)))
	if err != nil {
		return known, fmt.Errorf("read contact:%s: %w", of, err)
	}
	return known, nil
}

func (c *session) contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error) {
	all, err := list(ctx, c, contact, selectContact+` WHERE account_id = $1 ORDER BY id`, id(account))
	if err != nil {
		return nil, fmt.Errorf("read contacts of account:%s: %w", account, err)
	}
	return all, nil
}

// PutContact implements directory.Tx.
func (t *tx) PutContact(ctx context.Context, c portal.Contact) error {
	if err := directory.CheckContact(c); err != nil {
		return err
	}
	c.CreatedAt, c.Mails, c.Scope = moment(c.CreatedAt), orNil(c.Mails), orNil(c.Scope)
	old, err := t.session.contact(ctx, c.ID)
	if done, err := same(old, c, err); done || err != nil {
		return t.keep(err)
	}
	if err := t.belongsTo(ctx, "contact:"+string(c.ID), c.Account, old.Account); err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedContact, Account: c.Account, Contact: c.ID})
	return t.write(ctx, "contact:"+string(c.ID), statement{`INSERT INTO doorward.contacts
		(id, account_id, status, mails, scope, source, pruned, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, mails = excluded.mails, scope = excluded.scope,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		[]any{c.ID, c.Account, c.Status, texts(c.Mails), refTexts(c.Scope), c.Origin.Source, c.Origin.Pruned, micros(c.CreatedAt)},
	}, putContactPerson(c.ID, c.Person))
}

// belongsTo checks that a contact or an invitation has its account, and had no other
// before (req 17).
func (t *tx) belongsTo(ctx context.Context, what string, account, before portal.AccountID) error {
	if before == account {
		return nil
	}
	if before != "" {
		return fmt.Errorf("%w: %s belongs to account:%s for ever, and not to account:%s", directory.ErrInvalid, what, before, account)
	}
	_, err := t.session.account(ctx, account)
	if errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("%w: %s of account:%s: there is no such account", directory.ErrInvalid, what, account)
	}
	return err
}

// putContactPerson writes what is personal, or erases it.
func putContactPerson(of portal.ContactID, p portal.Person) statement {
	if p == (portal.Person{}) {
		return statement{`DELETE FROM doorward.contact_people WHERE contact_id = $1`, []any{of}}
	}
	return statement{`INSERT INTO doorward.contact_people (contact_id, email, first_name, last_name, locale)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (contact_id) DO UPDATE SET email = excluded.email,
		first_name = excluded.first_name, last_name = excluded.last_name, locale = excluded.locale`,
		[]any{of, p.Email, p.FirstName, p.LastName, p.Locale}}
}
