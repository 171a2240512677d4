package reference

import "doorward/internal/portal"

// manages tells whether the action changes another member's place (96).
func (s *situation) manages() bool {
	return (s.name == "user.permissions.update" || s.name == "user.remove") && s.Resource.Type == portal.TypeUser
}

// managed tells who is managed: self, owner, stranger, manager, covered or
// exceeding (A13.7).
func (s *situation) managed() string {
	m := s.known[portal.FactKey{Account: portal.AccountID(s.account), Subject: s.Resource}].Membership
	switch {
	case s.Resource == s.Subject, s.Resource == s.by:
		return "self" // also of staff who act for the owner (A13.19)
	case m.Owner:
		return "owner"
	case m.State != portal.MembershipActive && m.State != portal.MembershipPending:
		return "stranger"
	case s.holds(*m.Grant, "users"):
		return "manager"
	case s.covers(*m.Grant):
		return "covered"
	}
	return "exceeding"
}

// covers tells whether the subject holds all that a grant gives, wherever it gives
// it and as long (A13.7).
func (s *situation) covers(theirs portal.Grant) bool {
	mine := s.grant
	if !mine.NotAfter.IsZero() && (theirs.NotAfter.IsZero() || theirs.NotAfter.After(mine.NotAfter)) {
		return false
	}
	for _, c := range categories {
		if s.holdsWide(theirs, c.name) && !s.wide(c.name) {
			return false
		}
		for _, place := range theirs.Scope {
			if s.holds(theirs, c.name) && !s.gives(c.name, place) {
				return false
			}
		}
	}
	return true
}

// gives tells whether the subject holds a category on one thing.
func (s *situation) gives(category string, on portal.Ref) bool {
	if s.wide(category) {
		return true
	}
	for _, r := range s.grant.Scope {
		if r == on {
			return s.held(category)
		}
	}
	return false
}

// actor judges who acts in the subject's name (A13.19).
func (s *situation) actor() string {
	if s.by == (portal.Ref{}) {
		return ""
	}
	u := s.known[portal.FactKey{Subject: s.by}].User
	switch {
	case s.by.Type != portal.TypeUser || u.Status != portal.UserActive || !u.Staff.May("staff.login_as"):
		return "staff_only"
	case !s.now.Before(s.until):
		return "expired"
	case !s.owner():
		return "owner_only"
	}
	return ""
}

// staff judges a staff action that the user has the right to (A13.19).
func (s *situation) staff() string {
	if s.account != "" && !s.accountExists() {
		return "not_member"
	}
	return s.stepUp()
}

// staffReads tells whether the right to read in every account is enough (A13.19).
// Being sent a customer's mail is not reading the account.
func (s *situation) staffReads() bool {
	return s.by == (portal.Ref{}) && s.User.Staff.May("staff.read") && s.class == "guarded" && s.reads && s.accountExists()
}

// self judges a person's own affairs (13, A13.18).
func (s *situation) self() string {
	switch {
	case !s.own():
		return "out_of_scope"
	case s.guardrail() != "":
		return s.guardrail()
	case s.name == "account.summary.view" && s.closed() != "":
		return s.closed()
	case s.Account.MFARequired && !s.mfa &&
		!has("self.2fa.enable self.2fa.disable account.switch membership.leave invite.decline", s.name):
		return "mfa_required" // invariant 10
	}
	return s.stepUp()
}

// own tells whether the resource is the subject's own: their user, or an account
// they are in. Invitations and offered ownership have no facts yet.
func (s *situation) own() bool {
	switch s.name {
	case "invite.accept", "invite.decline", "ownership.transfer.accept":
		return false
	case "account.switch", "account.summary.view", "membership.leave":
		return s.Resource.Type == portal.TypeAccount && s.accountExists() && s.state() == "active"
	}
	return s.Resource == s.Subject
}
