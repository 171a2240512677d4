# METADATA
# title: May this person do this?
# description: |
#   The one question that Doorward asks: data.doorward.decision.
#
#   Refusals stand in order, and the first that applies is the answer (design 3).
#   An allow is never what is left over: the last line of every list says what must
#   hold for it. If neither a refusal nor that line applies, nothing is decided and
#   Doorward refuses with an error.
#
#   A rule sees small facts about the question (input), the provider's switches
#   (data.doorward.provider) and nothing else. doorward policy check refuses names
#   and values that do not exist.
package doorward

import data.doorward.provider

# METADATA
# description: The answer. The reason is empty exactly when it is an allow.
# entrypoint: true
decision := {
	"allow": reason == "",
	"reason": reason,
	"obligations": obligations,
}

# Staff actions are for the provider's own people, and only they act in somebody else's
# name (A13.19). Contacts never act (16, A13.8). An unknown or disabled person is refused
# before anything is said about the account. What is one's own needs no membership
# (A13.18), nor does what a right of staff covers; everything else does.
#
# Conditions are written as comparisons, also with true and false, because OPA then
# skips a refusal that does not apply without evaluating it.
reason := "staff_only" if {
	input.action.category == "staff"
	input.subject.staff_may == false
} else := actor_reason if {
	actor_reason
} else := contact_reason if {
	input.subject.type == "contact"
} else := "subject_unknown" if {
	input.subject.type == "unknown"
} else := "subject_unknown" if {
	input.subject.status == "unknown"
} else := "subject_disabled" if {
	input.subject.status == "disabled"
} else := staff_reason if {
	input.subject.staff_may == true
} else := self_reason if {
	input.action.category == "self"
} else := outsider_reason if {
	outsider_reason
} else := mail_reason if {
	startswith(input.action.name, "mail.")
} else := member_reason

# Why somebody has no place in this account; undefined for active members of an
# account that is open to them. Acting on one account while asking about another
# needs a switch first (104, invariant 6). No membership, no grant (invariant 1).
outsider_reason := "account_required" if {
	input.account.status == "none"
} else := "switch_required" if {
	input.session.acting == "other"
	input.grant.state == "active"
} else := "not_member" if {
	input.session.acting == "other"
} else := "not_member" if {
	input.grant.state == "none"
} else := "pending" if {
	input.grant.state == "pending"
} else := "removed" if {
	input.grant.state == "removed"
} else := "expired" if {
	input.grant.state == "expired"
} else := "not_member" if {
	input.account.status == "unknown"
} else := "account_closed" if {
	input.account.status == "closed"
	not readable_when_closed
}

# What a member does on an account.
member_reason := "account_required" if {
	input.session.acting == "absent"
	provider.session.require_acting
} else := "account_suspended" if {
	input.account.status == "suspended"
	not usable_when_suspended
} else := "mfa_required" if {
	input.account.mfa_required == true
	input.session.mfa == false
} else := "owner_only" if {
	# Ownership cannot be delegated, whatever somebody was given (8).
	input.action.category == "ownership"
	input.subject.kind != "owner"
} else := "owner_only" if {
	# C6: who may manage people is the provider's choice.
	input.action.category == "users"
	provider.delegation.inviters == "owner"
	input.subject.kind != "owner"
} else := "category_missing" if {
	input.grant.holds == false
	not held
} else := "category_missing" if {
	input.action.category == "tickets"
	billing_ticket
} else := "owner_only" if {
	# A13.7: who manages people does not manage those who do.
	input.resource.member == "manager"
	input.action.effect == "write"
	input.subject.kind != "owner"
} else := "category_missing" if {
	# A13.4: seeing invoices may come without paying them.
	input.action.name in {"invoice.pay", "invoice.masspay"}
	provider.billing.pay == false
	input.subject.kind != "owner"
} else := "out_of_scope" if {
	input.grant.in_scope == "no"
	not cancels_by_ordering
} else := forbidden if {
	forbidden
} else := "step_up_required" if {
	step_up_missing
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.grant.state == "active"
	held
}

# A13.15, invariant 11: a closed account can be read, or not even that.
readable_when_closed if {
	provider.closed.access == "read"
	input.action.effect == "read"
}

# A13.15: in a suspended account one can look, pay and ask.
usable_when_suspended if input.action.effect == "read"

usable_when_suspended if input.action.category in provider.suspended.writes

# 47: every permission that guards the action is held.
held if input.grant.holds == true

held if cancels_by_ordering

# C5: where the provider says so, the permission to order is also the permission to
# cancel, wherever one may order.
cancels_by_ordering if {
	input.action.category == "cancellations"
	provider.cancellations == "with_orders"
	input.grant.has.orders
}

# A13.5: what the billing department is told is billing information.
billing_ticket if {
	lower(input.request.resource.properties.department) == "billing"
	input.grant.has.invoices == false
	input.subject.kind != "owner"
}
