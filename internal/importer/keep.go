package importer

import (
	"time"

	"doorward/internal/portal"
)

// The plans say what the file says of a record, and which of the things that let people
// in or keep them out it does not say. Their method over puts a plan over the stored
// record, so that silence opens nothing that was closed: a file without statuses does
// not bring back who was disabled or removed. A new record has the plan's own values.

// A userPlan is what a user is to be.
type userPlan struct {
	portal.User
	line int
	// statusGiven and factorGiven tell whether the file says the status and whether
	// they have a second factor.
	statusGiven, factorGiven bool
}

func (p userPlan) over(old portal.User, known bool) portal.User {
	u := p.User
	u.Staff = old.Staff // no file makes staff (A13.19)
	u.CreatedAt = orElse(u.CreatedAt, old.CreatedAt)
	if known && !p.statusGiven {
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

	members  []memberPlan // the owner last
	contacts []contactPlan
}

func (p accountPlan) over(old portal.Account, known bool) portal.Account {
	a := p.account
	a.CreatedAt = orElse(a.CreatedAt, old.CreatedAt)
	if known && !p.statusGiven {
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
	if old.LastLogin.After(m.LastLogin) {
		m.LastLogin = old.LastLogin // the person has signed in since the export
	}
	if known && !p.stateGiven {
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
}

func (p contactPlan) over(old portal.Contact, known bool) portal.Contact {
	c := p.Contact
	c.CreatedAt = orElse(c.CreatedAt, old.CreatedAt)
	if known && !p.statusGiven {
		c.Status = old.Status
	}
	if !p.mailed {
		c.Mails = old.Mails
	}
	return c
}

func orElse(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
