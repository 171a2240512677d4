package reference

import (
	"slices"

	"doorward/internal/portal"
)

// member judges what a member does in the account.
func (s *situation) member() string {
	switch {
	case s.RequireActing && s.acting() == "absent":
		return "account_required" // req 104
	case s.suspended():
		return "account_suspended"
	case s.Account.MFARequired && !s.mfa:
		return "mfa_required" // invariant 10
	}
	for _, rule := range []func() string{s.permission, s.scoped, s.guardrail, s.stepUp} {
		if reason := rule(); reason != "" {
			return reason
		}
	}
	return ""
}

// suspended tells whether the account's suspension stops the action (A13.15).
func (s *situation) suspended() bool {
	return s.Account.Status == portal.AccountSuspended && !s.reads && !slices.Contains(s.SuspendedWrites, s.guards[0])
}

// permission judges whether the member's permissions include the action.
func (s *situation) permission() string {
	switch {
	case s.guardedBy("ownership") && !s.owner():
		return "owner_only" // 8, 105-108
	case s.guardedBy("users") && !s.owner() && s.Inviters == "owner":
		return "owner_only" // C6
	case !s.guardsHeld():
		return "category_missing" // 47
	case s.guardedBy("tickets") && s.department == "billing" && !s.owner() && !s.here("invoices"):
		return "category_missing" // A13.5
	case s.manages() && !s.owner() && s.managed() == "manager":
		return "owner_only" // A13.7
	case (s.name == "invoice.pay" || s.name == "invoice.masspay") && !s.BillingPay && !s.owner():
		return "category_missing" // A13.4
	}
	return ""
}

func (s *situation) scoped() string {
	if !s.inScope() {
		return "out_of_scope" // A13.16
	}
	return ""
}

// guardrail is what nobody may do, whatever they hold. The first by name counts.
func (s *situation) guardrail() string {
	manages := s.manages()
	switch {
	case manages && s.managed() == "exceeding" && !s.owner():
		return "more_than_ones_own" // A13.7, invariant 7
	case manages && s.managed() == "owner":
		return "nobody_edits_the_owner" // 7, 8
	case manages && s.managed() == "self":
		return "nobody_edits_themselves" // invariant 7
	case s.by != portal.Ref{} && s.ownersOwn():
		return "not_in_the_owners_name" // A13.19
	case s.name == "membership.leave" && s.owner():
		return "owner_cannot_leave" // 8
	}
	return ""
}

// ownersOwn tells what staff never do in the owner's name (A13.19).
func (s *situation) ownersOwn() bool {
	return s.guardedBy("ownership") || s.guardedBy("security") || s.name == "password.reveal" ||
		s.class == "self" && s.name != "account.summary.view"
}

// stepUp judges how old the login is (invariant 13).
func (s *situation) stepUp() string {
	if s.sensitive && s.StepUpMode == "enforce" && !s.fresh() {
		return "step_up_required"
	}
	return ""
}
