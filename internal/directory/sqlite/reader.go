package sqlite

import (
	"context"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// What directory.Reader asks for, of the store and of an update under way: both
// read with a session.

// Head implements directory.Reader.
func (s *Store) Head(ctx context.Context) (portal.Position, error) {
	return reading(ctx, &s.file, func(c *session) (portal.Position, error) { return c.position(ctx) })
}

// Account implements directory.Reader.
func (s *Store) Account(ctx context.Context, id portal.AccountID) (portal.Account, error) {
	return reading(ctx, &s.file, func(c *session) (portal.Account, error) { return c.account(ctx, id) })
}

// User implements directory.Reader.
func (s *Store) User(ctx context.Context, id portal.UserID) (portal.User, error) {
	return reading(ctx, &s.file, func(c *session) (portal.User, error) { return c.user(ctx, id) })
}

// Membership implements directory.Reader.
func (s *Store) Membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error) {
	return reading(ctx, &s.file, func(c *session) (portal.Membership, error) { return c.membership(ctx, account, user) })
}

// Members implements directory.Reader.
func (s *Store) Members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error) {
	return reading(ctx, &s.file, func(c *session) ([]portal.Membership, error) { return c.members(ctx, account) })
}

// Contact implements directory.Reader.
func (s *Store) Contact(ctx context.Context, id portal.ContactID) (portal.Contact, error) {
	return reading(ctx, &s.file, func(c *session) (portal.Contact, error) { return c.contact(ctx, id) })
}

// Contacts implements directory.Reader.
func (s *Store) Contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error) {
	return reading(ctx, &s.file, func(c *session) ([]portal.Contact, error) { return c.contacts(ctx, account) })
}

// Invitation implements directory.Reader.
func (s *Store) Invitation(ctx context.Context, id portal.InvitationID) (portal.Invitation, error) {
	return reading(ctx, &s.file, func(c *session) (portal.Invitation, error) { return c.invitation(ctx, id) })
}

// Invitations implements directory.Reader.
func (s *Store) Invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error) {
	return reading(ctx, &s.file, func(c *session) ([]portal.Invitation, error) { return c.invitations(ctx, account) })
}

// History implements directory.Reader.
func (s *Store) History(ctx context.Context, account portal.AccountID, after portal.HistoryLine, limit int) ([]portal.HistoryLine, error) {
	return reading(ctx, &s.file, func(c *session) ([]portal.HistoryLine, error) { return c.history(ctx, account, after, limit) })
}

// HistoryLine implements directory.Reader.
func (s *Store) HistoryLine(ctx context.Context, source, id string) (portal.HistoryLine, error) {
	return reading(ctx, &s.file, func(c *session) (portal.HistoryLine, error) { return c.historyLine(ctx, source, id) })
}

// Staff implements directory.Reader.
func (s *Store) Staff(ctx context.Context) ([]portal.User, error) {
	return reading(ctx, &s.file, func(c *session) ([]portal.User, error) { return c.staff(ctx) })
}

// IDs implements directory.Reader.
func (s *Store) IDs(ctx context.Context, of directory.List, after string, limit int) ([]string, error) {
	return reading(ctx, &s.file, func(c *session) ([]string, error) { return c.ids(ctx, of, after, limit) })
}

// Tokens implements directory.Reader.
func (s *Store) Tokens(ctx context.Context) ([]directory.Token, error) {
	return reading(ctx, &s.file, func(c *session) ([]directory.Token, error) { return c.tokens(ctx) })
}

// Promoted implements directory.Reader.
func (s *Store) Promoted(ctx context.Context) (directory.Promotion, error) {
	return reading(ctx, &s.file, func(c *session) (directory.Promotion, error) { return c.promoted(ctx) })
}

// PromotedAt implements directory.Reader.
func (s *Store) PromotedAt(ctx context.Context, r portal.Revision) (directory.Promotion, error) {
	return reading(ctx, &s.file, func(c *session) (directory.Promotion, error) { return c.promotedAt(ctx, r) })
}

// Head implements directory.Reader: the position that this update follows.
func (t *tx) Head(ctx context.Context) (portal.Position, error) {
	p, err := t.session.position(ctx)
	return p, t.keep(err)
}

// Facts implements directory.Reader, at the position that this update follows
// and with what it has written so far.
func (t *tx) Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all, p, err := t.session.allFacts(ctx, keys)
	return all, p, t.keep(err)
}

// Account implements directory.Reader.
func (t *tx) Account(ctx context.Context, id portal.AccountID) (portal.Account, error) {
	a, err := t.session.account(ctx, id)
	return a, t.keep(err)
}

// User implements directory.Reader.
func (t *tx) User(ctx context.Context, id portal.UserID) (portal.User, error) {
	u, err := t.session.user(ctx, id)
	return u, t.keep(err)
}

// Membership implements directory.Reader.
func (t *tx) Membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error) {
	m, err := t.session.membership(ctx, account, user)
	return m, t.keep(err)
}

// Members implements directory.Reader.
func (t *tx) Members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error) {
	all, err := t.session.members(ctx, account)
	return all, t.keep(err)
}

// Contact implements directory.Reader.
func (t *tx) Contact(ctx context.Context, id portal.ContactID) (portal.Contact, error) {
	c, err := t.session.contact(ctx, id)
	return c, t.keep(err)
}

// Contacts implements directory.Reader.
func (t *tx) Contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error) {
	all, err := t.session.contacts(ctx, account)
	return all, t.keep(err)
}

// Invitation implements directory.Reader.
func (t *tx) Invitation(ctx context.Context, id portal.InvitationID) (portal.Invitation, error) {
	i, err := t.session.invitation(ctx, id)
	return i, t.keep(err)
}

// Invitations implements directory.Reader.
func (t *tx) Invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error) {
	all, err := t.session.invitations(ctx, account)
	return all, t.keep(err)
}

// History implements directory.Reader.
func (t *tx) History(ctx context.Context, account portal.AccountID, after portal.HistoryLine, limit int) ([]portal.HistoryLine, error) {
	all, err := t.session.history(ctx, account, after, limit)
	return all, t.keep(err)
}

// HistoryLine implements directory.Reader.
func (t *tx) HistoryLine(ctx context.Context, source, id string) (portal.HistoryLine, error) {
	l, err := t.session.historyLine(ctx, source, id)
	return l, t.keep(err)
}

// Staff implements directory.Reader.
func (t *tx) Staff(ctx context.Context) ([]portal.User, error) {
	all, err := t.session.staff(ctx)
	return all, t.keep(err)
}

// IDs implements directory.Reader.
func (t *tx) IDs(ctx context.Context, of directory.List, after string, limit int) ([]string, error) {
	all, err := t.session.ids(ctx, of, after, limit)
	return all, t.keep(err)
}

// Tokens implements directory.Reader.
func (t *tx) Tokens(ctx context.Context) ([]directory.Token, error) {
	all, err := t.session.tokens(ctx)
	return all, t.keep(err)
}

// Promoted implements directory.Reader.
func (t *tx) Promoted(ctx context.Context) (directory.Promotion, error) {
	p, err := t.session.promoted(ctx)
	return p, t.keep(err)
}

// PromotedAt implements directory.Reader.
func (t *tx) PromotedAt(ctx context.Context, r portal.Revision) (directory.Promotion, error) {
	p, err := t.session.promotedAt(ctx, r)
	return p, t.keep(err)
}
