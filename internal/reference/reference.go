// Package reference is the requirements on decisions written once more: 36 to 80,
// A11, A12, A13, D and D2 as tables and straight conditions, for tests to compare
// the shipped policy with.
//
// It knows nothing of the policy folder, of Rego, Casbin, masks or memos, and
// nothing but tests may import it: it is made to be read beside the requirements
// and not to be fast. Its invariant: where it and the requirements differ it is
// wrong; where it and the policy differ, one of the two is.
package reference

import (
	"time"

	"doorward/internal/portal"
)

// A Question is a decision.Question in plain values: strings, int64 and float64
// for numbers, bool, nil for null, []any and map[string]any.
type Question struct {
	Subject    portal.Ref
	Action     string
	Resource   portal.Ref
	Properties map[string]any // of the resource
	Context    map[string]any
}

// An Answer is what the requirements say of a Question.
type Answer struct {
	Allow  bool
	Reason string // of docs/reasons.md; "" when Allow
	// Filter lists what may be listed; nil: all (A13.16).
	Filter []portal.Ref
}

// A Directory is everything there is to know.
type Directory map[portal.FactKey]portal.Facts

// A Model answers questions by the requirements.
type Model struct {
	Switches
	actions map[string]action
}

// New makes a Model of a provider's answers.
func New(s Switches) *Model { return &Model{Switches: s, actions: actions()} }

// Judge answers a question asked at a time, by what is known.
func (m *Model) Judge(q Question, known Directory, now time.Time) Answer {
	s := situation{Model: m, Question: q, known: known, now: now}
	reason := s.reason()
	if reason != "" {
		return Answer{Reason: reason}
	}
	return Answer{Allow: true, Filter: s.filter}
}

// A situation is a question with what was found out about it.
type situation struct {
	*Model
	Question
	known Directory
	now   time.Time

	action
	parts
	portal.Facts // of the subject in the account
	grant        portal.Grant
	filter       []portal.Ref
}

// reason tells why not; "" is an allow. The first reason counts.
func (s *situation) reason() string {
	var known bool
	if s.action, known = s.actions[s.Question.Action]; !known {
		return "action_unknown" // invariant 4
	}
	if !s.read() {
		return "bad_input"
	}
	if s.account == "" && (s.class == "guarded" || s.class == "mail") {
		return "account_required" // req 104
	}
	s.Facts = s.known[portal.FactKey{Account: portal.AccountID(s.account), Subject: s.Subject}]
	if s.Membership.Grant != nil {
		s.grant = *s.Membership.Grant
	}
	if s.Membership.Owner {
		s.grant.Scope = nil // 7
	}
	if s.class == "staff" && (s.by != portal.Ref{} || !s.User.Staff.May(s.name)) {
		return "staff_only" // A13.19: one's own rights, in one's own name
	}
	if reason := s.actor(); reason != "" {
		return reason
	}
	if s.Subject.Type == portal.TypeContact {
		return s.contact()
	}
	return s.user()
}

// user judges a question of a user.
func (s *situation) user() string {
	switch {
	case s.Subject.Type != portal.TypeUser:
		return "subject_unknown"
	case s.User.Status == portal.UserDisabled:
		return "subject_disabled"
	case s.User.Status != portal.UserActive:
		return "subject_unknown"
	case s.class == "staff":
		return s.staff()
	case s.staffReads():
		return s.stepUp()
	case s.class == "self":
		return s.self()
	}
	if reason := s.place(); reason != "" {
		return reason
	}
	if s.class == "mail" {
		return s.mailed()
	}
	return s.member()
}

// place judges whether somebody has a place in the account at all.
func (s *situation) place() string {
	state := s.state()
	switch {
	case s.account == "":
		return "account_required"
	case s.acting() == "other" && state == "active":
		return "switch_required" // invariant 6
	case s.acting() == "other":
		return "not_member" // req 104
	case state != "active":
		return state // invariant 1
	case !s.accountExists():
		return "not_member"
	}
	return s.closed()
}

// state is where the membership stands: active, or the reason why it is not.
func (s *situation) state() string {
	switch s.Membership.State {
	case portal.MembershipPending:
		return "pending" // 84
	case portal.MembershipRemoved:
		return "removed" // 97
	case portal.MembershipActive:
	default:
		return "not_member"
	}
	if end := s.grant.NotAfter; !end.IsZero() && !s.now.Before(end) {
		return "expired"
	}
	if s.now.Before(s.grant.NotBefore) {
		return "pending"
	}
	return "active"
}

// owner tells whether the subject is the account's owner.
func (s *situation) owner() bool { return s.Membership.Owner && s.state() == "active" }

func (s *situation) accountExists() bool { return s.Account.Status != "" }

// closed judges the account's being closed (A13.15, invariant 11).
func (s *situation) closed() string {
	if s.Account.Status == portal.AccountClosed && !(s.ClosedAccess == "read" && s.reads) {
		return "account_closed"
	}
	return ""
}
