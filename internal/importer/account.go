package importer

import (
	"cmp"
	"context"
	"slices"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A household is an account and everybody in it, as the directory has them.
type household struct {
	account  portal.Account
	known    bool
	members  map[portal.UserID]portal.Membership
	contacts map[portal.ContactID]portal.Contact
	invites  map[portal.InvitationID]portal.Invitation
}

// household reads the account that the plan is about, and besides what elsewhere has
// the ids that the plan would use.
func (w *work) household(ctx context.Context, plan accountPlan) (h household, err error) {
	id := plan.account.ID
	h.account, err = w.read.Account(ctx, id)
	if h.known, err = found(err); err != nil {
		return h, err
	}
	h.members, h.contacts = map[portal.UserID]portal.Membership{}, map[portal.ContactID]portal.Contact{}
	h.invites = map[portal.InvitationID]portal.Invitation{}
	if h.known {
		if err := w.inside(ctx, id, &h); err != nil {
			return h, err
		}
	}
	for _, c := range plan.contacts {
		if err := lookUp(ctx, h.contacts, c.ID, w.read.Contact); err != nil {
			return h, err
		}
	}
	for _, i := range plan.invites {
		if err := lookUp(ctx, h.invites, i.ID, w.read.Invitation); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (w *work) inside(ctx context.Context, id portal.AccountID, h *household) error {
	members, err := w.read.Members(ctx, id)
	if err != nil {
		return err
	}
	contacts, err := w.read.Contacts(ctx, id)
	if err != nil {
		return err
	}
	invites, err := w.read.Invitations(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range members {
		h.members[m.User] = m
	}
	for _, c := range contacts {
		h.contacts[c.ID] = c
	}
	for _, i := range invites {
		h.invites[i.ID] = i
	}
	return nil
}

// lookUp adds what has the id, wherever it is, unless it is there.
func lookUp[K comparable, V any](ctx context.Context, all map[K]V, id K, read func(context.Context, K) (V, error)) error {
	if _, ok := all[id]; ok {
		return nil
	}
	v, err := read(ctx, id)
	known, err := found(err)
	if known {
		all[id] = v
	}
	return err
}

// account makes an account what the plan says, with everybody in it, or finds the
// conflict that keeps the whole of it out.
func (w *work) account(ctx context.Context, plan accountPlan) error {
	h, err := w.household(ctx, plan)
	if err != nil {
		return err
	}
	if err := w.conflicts(plan, h); err != nil {
		return err
	}
	if err := w.ownerKept(ctx, plan, h); err != nil {
		return err
	}
	t := accountTally{id: plan.account.ID}
	a := plan.over(h.account, h.known)
	if t.accounts.changes(h.known, sameAccount(h.account, a)) && w.write != nil {
		if err := w.write.PutAccount(ctx, a); err != nil {
			return err
		}
	}
	if err := w.people(ctx, plan, h, &t.tally); err != nil {
		return err
	}
	if w.Prune {
		if err := w.pruneInside(ctx, plan, h, &t.tally); err != nil {
			return err
		}
	}
	w.each = append(w.each, t)
	w.tally = w.tally.plus(t.tally)
	return nil
}

// people puts those in the account: the owner last (see Plan.account).
func (w *work) people(ctx context.Context, plan accountPlan, h household, t *tally) error {
	for _, p := range plan.members {
		old, known := h.members[p.User]
		m := p.over(old, known)
		if known && (old.State != m.State || old.Owner != m.Owner || !sameGrant(old.Grant, m.Grant)) {
			w.rights = append(w.rights, "user:"+string(m.User)+" in account:"+string(m.Account))
		}
		if err := put(ctx, w.write, m, t.memberships.changes(known, sameMembership(old, m)), directory.Tx.PutMembership); err != nil {
			return err
		}
	}
	for _, p := range plan.contacts {
		old, known := h.contacts[p.ID]
		c := p.over(old, known)
		if err := put(ctx, w.write, c, t.contacts.changes(known, sameContact(old, c)), directory.Tx.PutContact); err != nil {
			return err
		}
		if err := w.endLogin(ctx, p, h, t); err != nil {
			return err
		}
	}
	for _, p := range plan.invites {
		old, known := h.invites[p.ID]
		i := p.over(old, known)
		if err := put(ctx, w.write, i, t.invites.changes(known, sameInvitation(old, i)), directory.Tx.PutInvitation); err != nil {
			return err
		}
	}
	return nil
}

// endLogin ends the membership that an import before made of a contact who could log in
// then (see takeLogin), unless the file has one of that user. It comes back with the
// login, but not with a contact who was removed.
func (w *work) endLogin(ctx context.Context, p contactPlan, h household, t *tally) error {
	m, made := h.members[portal.UserID(loginOf(string(p.ID)))]
	if !p.noLogin || !made || m.State == portal.MembershipRemoved {
		return nil
	}
	lacking, err := w.lacks(ctx, m)
	if err != nil || !lacking {
		return err
	}
	m.State, m.Origin = portal.MembershipRemoved, gone(m.Origin, m.State == portal.MembershipActive && p.Status != portal.ContactRemoved)
	t.memberships.Pruned++
	h.members[m.User] = m
	return put(ctx, w.write, m, true, directory.Tx.PutMembership)
}

// put writes a thing that differs, if there is something to write to.
func put[T any](ctx context.Context, write directory.Tx, thing T, differs bool, how func(directory.Tx, context.Context, T) error) error {
	if !differs || write == nil {
		return nil
	}
	return how(write, ctx, thing)
}

// conflicts finds what keeps an account out: records of another source, contacts and
// invitations of another account.
func (w *work) conflicts(plan accountPlan, h household) error {
	id := plan.account.ID
	if err := w.foreign("account "+string(id), h.account.Origin); err != nil {
		return err
	}
	for _, m := range plan.members {
		if err := w.foreign("the membership of user "+string(m.User), h.members[m.User].Origin); err != nil {
			return err
		}
	}
	for _, c := range plan.contacts {
		if err := w.belongs("contact "+string(c.ID), id, h.contacts[c.ID].Account, h.contacts[c.ID].Origin); err != nil {
			return err
		}
	}
	for _, i := range plan.invites {
		if err := w.belongs("invite "+string(i.ID), id, h.invites[i.ID].Account, h.invites[i.ID].Origin); err != nil {
			return err
		}
	}
	return nil
}

// ownerKept keeps out an account whose owner here the file says nothing sound of, unless
// it lacks them altogether and they are pruned for it.
func (w *work) ownerKept(ctx context.Context, plan accountPlan, h household) error {
	for _, m := range h.members {
		if !m.Owner || slices.ContainsFunc(plan.members, func(p memberPlan) bool { return p.User == m.User }) {
			continue
		}
		if lacking, err := w.lacks(ctx, m); err != nil || !w.Prune || !lacking {
			return cmp.Or(err, conflictf("user %s owns it here, and the file does not say what becomes of them", m.User))
		}
	}
	return nil
}

// belongs refuses what is of another account (req 17) or another source.
func (w *work) belongs(what string, to, before portal.AccountID, o portal.Origin) error {
	if before != "" && before != to {
		return conflictf("%s belongs to account %s for ever", what, before)
	}
	return w.foreign(what, o)
}
