package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// contactColumns are the columns of a contact that a decision rests on, as read.
type contactColumns struct {
	status       portal.ContactStatus
	mails, scope sql.NullString
}

func (c *contactColumns) facts() (portal.ContactFacts, error) {
	mails, err := listOf(c.mails)
	if err != nil {
		return portal.ContactFacts{}, fmt.Errorf("mails: %w", err)
	}
	scope, err := refs(c.scope)
	if err != nil {
		return portal.ContactFacts{}, fmt.Errorf("scope: %w", err)
	}
	return portal.ContactFacts{Status: c.status, Mails: mails, Scope: scope}, nil
}

const selectContact = `SELECT id, account, status, mails, scope, source, pruned, created_at,
	coalesce(email, ''), coalesce(first_name, ''), coalesce(last_name, ''), coalesce(locale, '')
	FROM contact LEFT JOIN contact_person ON contact_person.contact = id`

// contact reads a row of selectContact with scan.
func contact(scan func(dest ...any) error) (c portal.Contact, err error) {
	var known contactColumns
	var created sql.NullInt64
	if err := scan(&c.ID, &c.Account, &known.status, &known.mails, &known.scope, &c.Origin.Source, &c.Origin.Pruned, &created,
		&c.Person.Email, &c.Person.FirstName, &c.Person.LastName, &c.Person.Locale); err != nil {
		return portal.Contact{}, err
	}
	facts, err := known.facts()
	if err != nil {
		return portal.Contact{}, fmt.Errorf("contact:%s: %w", c.ID, err)
	}
	c.Status, c.Mails, c.Scope, c.CreatedAt = facts.Status, facts.Mails, facts.Scope, at(created)
	return c, nil
}

func (c *session) contact(ctx context.Context, id portal.ContactID) (portal.Contact, error) {
	known, err := contact(func(dest ...any) error {
		return c.get(ctx, selectContact+` WHERE id = ?`, []any{id}, dest...)
	})
	if err != nil {
		return known, fmt.Errorf("read contact:%s: %w", id, err)
	}
	return known, nil
}

func (c *session) contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error) {
	scan := func(rows *sql.Rows) (portal.Contact, error) { return contact(rows.Scan) }
	all, err := list(ctx, c, scan, selectContact+` WHERE account = ? ORDER BY id`, account)
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
	return t.wrote("contact:"+string(c.ID), t.session.putContact(ctx, c))
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

func (c *session) putContact(ctx context.Context, contact portal.Contact) error {
	mails, err := texts(contact.Mails)
	if err != nil {
		return err
	}
	scope, err := refTexts(contact.Scope)
	if err != nil {
		return err
	}
	err = c.exec(ctx, `INSERT INTO contact (id, account, status, mails, scope, source, pruned, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, mails = excluded.mails, scope = excluded.scope,
		source = excluded.source, pruned = excluded.pruned, created_at = excluded.created_at`,
		contact.ID, contact.Account, contact.Status, mails, scope, contact.Origin.Source, contact.Origin.Pruned, micros(contact.CreatedAt))
	if err != nil {
		return err
	}
	return c.putContactPerson(ctx, contact.ID, contact.Person)
}

// putContactPerson writes what is personal, or erases it.
func (c *session) putContactPerson(ctx context.Context, id portal.ContactID, p portal.Person) error {
	if p == (portal.Person{}) {
		return c.exec(ctx, `DELETE FROM contact_person WHERE contact = ?`, id)
	}
	return c.exec(ctx, `INSERT INTO contact_person (contact, email, first_name, last_name, locale) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (contact) DO UPDATE SET email = excluded.email, first_name = excluded.first_name,
		last_name = excluded.last_name, locale = excluded.locale`,
		id, p.Email, p.FirstName, p.LastName, p.Locale)
}
