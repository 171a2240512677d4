package importer

import (
	"cmp"
	"time"

	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// The plans say what the file says of a record, and which of the things that let people
// in or keep them out it does not say. Their method over puts a plan over the stored
// record, so that silence opens nothing that was closed: a file without statuses does
// not bring back who was disabled or removed. Only what was pruned, for want of a line,
// comes back with its line. A new record has the plan's own values.

// A userPlan is what a user is to be.
type userPlan struct {
	portal.User
	line int
	n    int64 // where it is on the shelf
	// statusGiven and factorGiven tell whether the file says the status and whether
	// they have a second factor.
	statusGiven, factorGiven bool
}

func (p userPlan) over(old portal.User, known bool) portal.User {
	u := p.User
	u.Staff = old.Staff // no file makes staff (A13.19)
	u.CreatedAt = orElse(u.CreatedAt, old.CreatedAt)
	if u.Person.Email == old.Person.Email { // of another address nothing was proved (S32)
		u.EmailVerifiedAt = orElse(u.EmailVerifiedAt, old.EmailVerifiedAt)
	}
	u.LastLogin = later(u.LastLogin, old.LastLogin)
	if known && !p.statusGiven && !old.Origin.Pruned {
		u.Status = old.Status
	}
	if known && !p.factorGiven {
		u.MFA = old.MFA
	}
	return u
}

// An accountPlan is what one account is to be, with everybody in it.
type accountPlan struct {
	account portal.Account
	// statusGiven and mfaGiven tell whether the file says the status and whether a
	// second factor is required.
	statusGiven, mfaGiven bool
	// preferences are what its owner chose to be sent, if preferred, unless the owner's
	// own membership says it.
	preferences portal.MailChoices
	preferred   bool
	billing     portal.ContactID // whom its invoices are addressed to; "": nobody else

	row      shelf.Row
	members  []memberPlan // the owner last
	contacts []contactPlan
	invites  []invitePlan
}

func (p accountPlan) over(old portal.Account, known bool) portal.Account {
	a := p.account
	a.CreatedAt = orElse(a.CreatedAt, old.CreatedAt)
	a.UUID = cmp.Or(a.UUID, old.UUID)
	if known && !p.statusGiven && !old.Origin.Pruned {
		a.Status = old.Status
	}
	if known && !p.mfaGiven {
		a.MFARequired = old.MFARequired
	}
	return a
}

// A memberPlan is what a membership is to be. Its grant is whole: nothing of the stored
// one stays.
type memberPlan struct {
	portal.Membership
	// stateGiven tells whether the file says the state, as it does of an owner, who is
	// always active.
	stateGiven bool
	// mailed tells whether the file says what mail the member chose.
	mailed bool
}

func (p memberPlan) over(old portal.Membership, known bool) portal.Membership {
	m := p.Membership
	m.CreatedAt = orElse(m.CreatedAt, old.CreatedAt)
	m.LastLogin = later(m.LastLogin, old.LastLogin)
	if known && !p.stateGiven && !old.Origin.Pruned {
		m.State = old.State
	}
	if !p.mailed {
		m.Mail = old.Mail
	}
	return m
}

// A contactPlan is what a contact is to be.
type contactPlan struct {
	portal.Contact
	// statusGiven tells whether the file says the status.
	statusGiven bool
	// mailed tells whether the file says what mail it is subscribed to.
	mailed bool
	// noLogin tells that the file says it cannot log in, or not any more.
	noLogin bool
}

func (p contactPlan) over(old portal.Contact, known bool) portal.Contact {
	c := p.Contact
	c.CreatedAt = orElse(c.CreatedAt, old.CreatedAt)
	if known && !p.statusGiven && !old.Origin.Pruned {
		c.Status = old.Status
	}
	if !p.mailed {
		c.Mails = old.Mails
	}
	return c
}

// An invitePlan is what an invitation is to be.
type invitePlan struct {
	portal.Invitation
}

// over keeps an invitation ended that has ended here, though the export is older.
func (p invitePlan) over(old portal.Invitation, known bool) portal.Invitation {
	i := p.Invitation
	i.CreatedAt = orElse(i.CreatedAt, old.CreatedAt)
	ended := known && old.State != portal.InvitationPending && !old.Origin.Pruned
	if ended && i.State == portal.InvitationPending {
		i.State, i.EndedAt = old.State, old.EndedAt
	}
	return i
}

// later is the later of two times: somebody has signed in since the export.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func orElse(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
