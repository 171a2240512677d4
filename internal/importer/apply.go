package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A work is one part on its way in.
type work struct {
	*run
	read  directory.Reader
	write directory.Tx // nil: compare

	tally  tally
	each   []accountTally // of every account that came in
	held   []held
	rights []string // members whose rights change
}

// A held record goes into quarantine because of what the directory holds.
type held struct {
	n      int64 // where it is on the shelf
	reason string
}

// An accountTally is what one account came to.
type accountTally struct {
	id portal.AccountID
	tally
}

// A conflict is a reason for quarantine.
type conflict struct{ reason string }

// Error says the reason.
func (c *conflict) Error() string { return c.reason }

func conflictf(format string, args ...any) error {
	return &conflict{fmt.Sprintf(format, args...)}
}

// part makes the part true, or counts what that would change.
func (w *work) part(ctx context.Context, s part) error {
	for _, u := range s.users {
		if err := w.keep(u.n, w.user(ctx, u)); err != nil {
			return err
		}
	}
	for _, a := range s.accounts {
		if err := w.keep(a.row.N, w.account(ctx, a)); err != nil {
			return err
		}
	}
	for _, l := range s.history {
		if err := w.line(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// keep notes a conflict; any other error goes on.
func (w *work) keep(n int64, err error) error {
	if c, ok := errors.AsType[*conflict](err); ok {
		w.held = append(w.held, held{n, c.reason})
		return nil
	}
	return err
}

// foreign refuses to touch what another source has brought: it is somebody else with
// the same id.
func (w *work) foreign(what string, o portal.Origin) error {
	if o.Source == "" || o.Source == w.Source {
		return nil
	}
	return conflictf("%s came from %s", what, o.Source)
}

func (w *work) user(ctx context.Context, plan userPlan) error {
	old, err := w.read.User(ctx, plan.ID)
	known, err := found(err)
	if err != nil {
		return err
	}
	if err := w.foreign("user "+string(plan.ID), old.Origin); err != nil {
		return err
	}
	u := plan.over(old, known)
	if touchesStaff(old, u) { // made staff since refuseStaff looked
		return fmt.Errorf("%w: user:%s %s. %s", directory.ErrInvalid, u.ID, staffIsTouched, takeRightsFirst)
	}
	if !w.tally.users.changes(known, sameUser(old, u)) || w.write == nil {
		return nil
	}
	return w.write.PutUser(ctx, u)
}

func (w *work) line(ctx context.Context, l portal.HistoryLine) error {
	old, err := w.read.HistoryLine(ctx, l.Source, l.ID)
	known, err := found(err)
	if err != nil {
		return err
	}
	same := old.At.Equal(l.At)
	old.At = l.At
	return put(ctx, w.write, l, w.tally.history.changes(known, same && old == l), directory.Tx.PutHistory)
}

// changes counts a record and tells whether it is to be written.
func (c *Count) changes(known, same bool) bool {
	switch {
	case !known:
		c.New++
	case !same:
		c.Changed++
	default:
		c.Unchanged++
		return false
	}
	return true
}

// found splits what a read returned into whether the thing is there and whether
// reading went wrong.
func found(err error) (bool, error) {
	if errors.Is(err, directory.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func sameUser(a, b portal.User) bool {
	same := a.CreatedAt.Equal(b.CreatedAt) && a.EmailVerifiedAt.Equal(b.EmailVerifiedAt) && a.LastLogin.Equal(b.LastLogin)
	a.CreatedAt, a.EmailVerifiedAt, a.LastLogin = b.CreatedAt, b.EmailVerifiedAt, b.LastLogin
	return same && a == b
}

func sameAccount(a, b portal.Account) bool {
	same := a.CreatedAt.Equal(b.CreatedAt)
	a.CreatedAt = b.CreatedAt
	return same && a == b
}

func sameMembership(a, b portal.Membership) bool {
	return a.State == b.State && a.Owner == b.Owner && a.Origin == b.Origin &&
		a.LastLogin.Equal(b.LastLogin) && a.CreatedAt.Equal(b.CreatedAt) && sameGrant(a.Grant, b.Grant) &&
		slices.Equal(a.Mail.On, b.Mail.On) && slices.Equal(a.Mail.Off, b.Mail.Off)
}

func sameGrant(a, b portal.Grant) bool {
	return slices.Equal(a.Presets, b.Presets) && slices.Equal(a.Categories, b.Categories) &&
		slices.Equal(a.Scope, b.Scope) && slices.Equal(a.AccountWide, b.AccountWide) &&
		a.NotBefore.Equal(b.NotBefore) && a.NotAfter.Equal(b.NotAfter)
}
