package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// ErrPrunes: the file lacks more of what its source has brought than an import may prune.
var ErrPrunes = errors.New("the file lacks more than may be pruned")

// pruneInside takes those of the account out of use who came from the file's source and
// are not in the file any more, not even in quarantine.
func (w *work) pruneInside(ctx context.Context, plan accountPlan, h household, t *tally) error {
	p := pruning{work: w, tally: t}
	for _, m := range h.members {
		if lacking, err := w.lacks(ctx, m); err != nil || lacking {
			if err = errors.Join(err, p.membership(ctx, m)); err != nil {
				return err
			}
		}
	}
	for _, c := range h.contacts {
		if mentioned, err := w.shelf.Mentions(ctx, shelf.Contact, string(c.ID), ""); err != nil || !mentioned {
			if err = errors.Join(err, p.contact(ctx, c)); err != nil {
				return err
			}
		}
	}
	for _, i := range h.invites {
		if mentioned, err := w.shelf.Mentions(ctx, shelf.Invite, string(i.ID), ""); err != nil || !mentioned {
			if err = errors.Join(err, p.invite(ctx, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// lacks tells whether the file lacks a membership that its source has brought.
func (w *work) lacks(ctx context.Context, m portal.Membership) (bool, error) {
	mentioned, err := w.shelf.Mentions(ctx, shelf.Membership, string(m.User), string(m.Account))
	return !mentioned && m.Origin.Source == w.Source, err
}

// A pruning takes records out of use, those of the file's source alone.
type pruning struct {
	*work
	tally *tally
}

// gone is the origin of what is taken out of use. It comes back with its line if it was
// wholly in use: what was suspended or pending would come back as more than it was.
func gone(o portal.Origin, inUse bool) portal.Origin {
	return portal.Origin{Source: o.Source, Pruned: inUse}
}

func (p pruning) membership(ctx context.Context, m portal.Membership) error {
	if m.Origin.Source != p.Source || m.State == portal.MembershipRemoved {
		return nil
	}
	m.State, m.Owner, m.Origin = portal.MembershipRemoved, false, gone(m.Origin, m.State == portal.MembershipActive)
	p.tally.memberships.Pruned++
	return put(ctx, p.write, m, true, directory.Tx.PutMembership)
}

func (p pruning) contact(ctx context.Context, c portal.Contact) error {
	if c.Origin.Source != p.Source || c.Status == portal.ContactRemoved {
		return nil
	}
	c.Status, c.Origin = portal.ContactRemoved, gone(c.Origin, true)
	p.tally.contacts.Pruned++
	return put(ctx, p.write, c, true, directory.Tx.PutContact)
}

func (p pruning) invite(ctx context.Context, i portal.Invitation) error {
	if i.Origin.Source != p.Source || i.State != portal.InvitationPending {
		return nil
	}
	i.State, i.Origin = portal.InvitationRevoked, gone(i.Origin, true)
	p.tally.invites.Pruned++
	return put(ctx, p.write, i, true, directory.Tx.PutInvitation)
}

// user disables a user. The provider's own people stay.
func (p pruning) user(ctx context.Context, u portal.User) error {
	if u.Origin.Source != p.Source || u.Status == portal.UserDisabled || u.Staff != "" {
		return nil
	}
	u.Status, u.Origin = portal.UserDisabled, gone(u.Origin, true)
	p.tally.users.Pruned++
	return put(ctx, p.write, u, true, directory.Tx.PutUser)
}

// account closes an account. Its owner stays its owner; everybody else goes.
func (p pruning) account(ctx context.Context, a portal.Account) error {
	if a.Origin.Source != p.Source || a.Status == portal.AccountClosed {
		return nil
	}
	h := household{members: map[portal.UserID]portal.Membership{}, contacts: map[portal.ContactID]portal.Contact{}, invites: map[portal.InvitationID]portal.Invitation{}}
	if err := p.inside(ctx, a.ID, &h); err != nil {
		return err
	}
	a.Status, a.Origin = portal.AccountClosed, gone(a.Origin, a.Status == portal.AccountActive)
	p.tally.accounts.Pruned++
	if err := put(ctx, p.write, a, true, directory.Tx.PutAccount); err != nil {
		return err
	}
	for _, m := range h.members {
		if m.Owner {
			continue
		}
		if err := p.membership(ctx, m); err != nil {
			return err
		}
	}
	for _, c := range h.contacts {
		if err := p.contact(ctx, c); err != nil {
			return err
		}
	}
	for _, i := range h.invites {
		if err := p.invite(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// An absence is what a file lacks of what its source has brought, in parts.
type absence struct {
	kind shelf.Kind
	list directory.ListKind
}

var absences = []absence{{shelf.Account, directory.ListAccounts}, {shelf.User, directory.ListUsers}}

// walk calls fn with the ids of a list that the file does not mention, some at a time, and
// counts those that it does.
func (r *run) walk(ctx context.Context, a absence, fn func(ids []string) error) (mentioned int, err error) {
	for after := ""; ; {
		ids, err := r.read.IDs(ctx, directory.List{Kind: a.list}, after, inOneCommit)
		if err != nil || len(ids) == 0 {
			return mentioned, err
		}
		after = ids[len(ids)-1]
		var lacking []string
		for _, id := range ids {
			there, err := r.shelf.Mentions(ctx, a.kind, id, "")
			if err != nil {
				return mentioned, err
			}
			if !there {
				lacking = append(lacking, id)
			}
		}
		mentioned += len(ids) - len(lacking)
		if len(lacking) == 0 {
			continue
		}
		if err := fn(lacking); err != nil {
			return mentioned, err
		}
	}
}

// refusePrune counts, before anything is written, what would be pruned of users and of
// accounts, and of memberships and contacts of the accounts that stay. A file that was
// cut short, or is another portal's, would take everybody out.
func (r *run) refusePrune(ctx context.Context) error {
	if !r.Prune {
		return nil
	}
	for _, a := range absences {
		w := work{run: r, read: r.read}
		kept, err := r.walk(ctx, a, func(ids []string) error { return w.absent(ctx, a, ids) })
		if err != nil {
			return err
		}
		if err := r.tooMany(string(a.list), w.tally.users.Pruned+w.tally.accounts.Pruned, kept); err != nil {
			return err
		}
	}
	var inside tally
	err := r.accounts(ctx, func(s part) error {
		w := work{run: r, read: r.read}
		err := w.part(ctx, s)
		inside = inside.plus(w.tally)
		return err
	})
	if err != nil {
		return err
	}
	m, c := inside.memberships, inside.contacts
	return cmp.Or(r.tooMany("memberships", m.Pruned, m.Changed+m.Unchanged), r.tooMany("contacts", c.Pruned, c.Changed+c.Unchanged))
}

// tooMany refuses to prune so many of what the source has brought, when so many of it are
// in the file. What is new does not count: it says nothing of what was there.
func (r *run) tooMany(what string, gone, kept int) error {
	if all := gone + kept; gone*100 > r.PruneLimit*all {
		return fmt.Errorf("%w: %d of %d %s of %s are not in it, more than %d percent. Is it whole?", ErrPrunes, gone, all, what, r.Source, r.PruneLimit)
	}
	return nil
}

// absent takes users or accounts out of use.
func (w *work) absent(ctx context.Context, a absence, ids []string) error {
	p := pruning{work: w, tally: &w.tally}
	for _, id := range ids {
		if a.kind == shelf.User {
			u, err := w.read.User(ctx, portal.UserID(id))
			if err = errors.Join(err, p.user(ctx, u)); err != nil {
				return err
			}
			continue
		}
		acc, err := w.read.Account(ctx, portal.AccountID(id))
		if err = errors.Join(err, p.account(ctx, acc)); err != nil {
			return err
		}
	}
	return nil
}

// prune takes out of use the accounts and the users that the file does not mention.
func (r *run) prune(ctx context.Context) error {
	if !r.Prune {
		return nil
	}
	for _, a := range absences {
		_, err := r.walk(ctx, a, func(ids []string) error {
			w := work{run: r, read: r.read}
			position, err := r.report.Position, error(nil)
			if r.store == nil {
				err = w.absent(ctx, a, ids)
			} else {
				position, err = r.store.Update(ctx, func(tx directory.Tx) error {
					w = work{run: r, read: tx, write: tx}
					err := w.absent(ctx, a, ids)
					if err == nil && tx.Changed() {
						tx.Log(r.pruned(a, w.tally, ids))
					}
					return err
				})
			}
			if err != nil {
				return fmt.Errorf("prune %s %s to %s: %w", a.list, ids[0], ids[len(ids)-1], err)
			}
			r.report.add(w.tally)
			r.report.Position = position
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pruned says in the trail what was taken out of use.
func (r *run) pruned(a absence, t tally, ids []string) audit.Entry {
	return audit.Entry{Actor: r.Actor, Action: "import.prune", Object: "import:" + r.Digest[:16], Detail: map[string]string{
		"source": r.Source, "sha256": r.Digest, "list": string(a.list), "first": ids[0], "last": ids[len(ids)-1],
		"accounts": strconv.Itoa(t.accounts.Pruned), "users": strconv.Itoa(t.users.Pruned),
		"memberships": strconv.Itoa(t.memberships.Pruned), "contacts": strconv.Itoa(t.contacts.Pruned), "invites": strconv.Itoa(t.invites.Pruned),
	}}
}
