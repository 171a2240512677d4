package postgres

import (
	"context"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A reader is what directory.Reader asks for, for the store and for an update under
// way. Every call is one statement, and so one snapshot.
type reader struct {
	session *session
	keep    func(error) error // what becomes of an error
}

var _ directory.Reader = reader{}

// asItIs keeps nothing.
func asItIs(err error) error { return err }

// Head implements directory.Reader. Inside an update it is the position that the update
// follows.
func (r reader) Head(ctx context.Context) (portal.Position, error) {
	p, err := r.session.position(ctx)
	return p, r.keep(err)
}

// Facts implements directory.Reader.
func (r reader) Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all, p, err := r.session.allFacts(ctx, keys)
	return all, p, r.keep(err)
}

// Account implements directory.Reader.
func (r reader) Account(ctx context.Context, id portal.AccountID) (portal.Account, error) {
	a, err := r.session.account(ctx, id)
	return a, r.keep(err)
}

// User implements directory.Reader.
func (r reader) User(ctx context.Context, id portal.UserID) (portal.User, error) {
	u, err := r.session.user(ctx, id)
	return u, r.keep(err)
}

// Membership implements directory.Reader.
func (r reader) Membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error) {
	m, err := r.session.membership(ctx, account, user)
	return m, r.keep(err)
}

// Members implements directory.Reader.
func (r reader) Members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error) {
	all, err := r.session.members(ctx, account)
	return all, r.keep(err)
}

// Contact implements directory.Reader.
func (r reader) Contact(ctx context.Context, id portal.ContactID) (portal.Contact, error) {
	c, err := r.session.contact(ctx, id)
	return c, r.keep(err)
}

// Contacts implements directory.Reader.
func (r reader) Contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error) {
	all, err := r.session.contacts(ctx, account)
	return all, r.keep(err)
}

// Invitation implements directory.Reader.
func (r reader) Invitation(ctx context.Context, id portal.InvitationID) (portal.Invitation, error) {
	i, err := r.session.invitation(ctx, id)
	return i, r.keep(err)
}

// Invitations implements directory.Reader.
func (r reader) Invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error) {
	all, err := r.session.invitations(ctx, account)
	return all, r.keep(err)
}

// History implements directory.Reader.
func (r reader) History(ctx context.Context, account portal.AccountID, after portal.HistoryLine, limit int) ([]portal.HistoryLine, error) {
	all, err := r.session.history(ctx, account, after, limit)
	return all, r.keep(err)
}

// HistoryLine implements directory.Reader.
func (r reader) HistoryLine(ctx context.Context, source, id string) (portal.HistoryLine, error) {
	l, err := r.session.historyLine(ctx, source, id)
	return l, r.keep(err)
}

// Staff implements directory.Reader.
func (r reader) Staff(ctx context.Context) ([]portal.User, error) {
	all, err := r.session.staff(ctx)
	return all, r.keep(err)
}

// IDs implements directory.Reader.
func (r reader) IDs(ctx context.Context, of directory.List, after string, limit int) ([]string, error) {
	all, err := r.session.ids(ctx, of, after, limit)
	return all, r.keep(err)
}

// Tokens implements directory.Reader.
func (r reader) Tokens(ctx context.Context) ([]directory.Token, error) {
	all, err := r.session.tokens(ctx)
	return all, r.keep(err)
}

// Promoted implements directory.Reader.
func (r reader) Promoted(ctx context.Context) (directory.Promotion, error) {
	p, err := r.session.promoted(ctx)
	return p, r.keep(err)
}

// PromotedAt implements directory.Reader.
func (r reader) PromotedAt(ctx context.Context, at portal.Revision) (directory.Promotion, error) {
	p, err := r.session.promotedAt(ctx, at)
	return p, r.keep(err)
}
