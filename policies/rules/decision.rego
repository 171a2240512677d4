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

# Staff actions are for the provider's own people, whom this version does not know
# (A13.19). Contacts never act (16, A13.8). An unknown or disabled person is refused
# before anything is said about the account.
reason := "staff_only" if {
	input.action.category == "staff"
} else := contact_reason if {
	input.subject.type == "contact"
} else := "subject_unknown" if {
	input.subject.type == "unknown"
} else := "subject_unknown" if {
	input.subject.status == "unknown"
} else := "subject_disabled" if {
	input.subject.status == "disabled"
} else := self_reason if {
	input.action.category == "self"
} else := mail_reason if {
	is_mail
} else := member_reason

# What a member does on an account. Acting on one account while asking about another
# needs a switch first (104, invariant 6).
member_reason := "account_required" if {
	provider.session.require_acting
	input.session.acting == "absent"
} else := place_reason if {
	place_reason
} else := "account_suspended" if {
	suspended
} else := "mfa_required" if {
	second_factor_missing
} else := "owner_only" if {
	for_owner_only
} else := "category_missing" if {
	not held
} else := "category_missing" if {
	withheld
} else := "out_of_scope" if {
	input.grant.in_scope == "no"
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

# Why somebody has no place in this account; undefined for active members of an
# account that is open to them.
place_reason := "account_required" if {
	input.account.status == "none"
} else := "switch_required" if {
	input.session.acting == "other"
	input.grant.state == "active"
} else := "not_member" if {
	input.session.acting == "other"
} else := absences[input.grant.state] if {
	input.grant.state != "active"
} else := "not_member" if {
	input.account.status == "unknown"
} else := "account_closed" if {
	closed
}

# Invariant 1: no membership, no grant.
absences := {
	"none": "not_member",
	"pending": "pending",
	"removed": "removed",
	"expired": "expired",
}

# A13.15, invariant 11: a closed account can be read, or not even that.
closed if {
	input.account.status == "closed"
	not readable_when_closed
}

readable_when_closed if {
	provider.closed.access == "read"
	input.action.effect == "read"
}

# A13.15: in a suspended account one can look, pay and ask.
suspended if {
	input.account.status == "suspended"
	input.action.effect == "write"
	not input.action.category in provider.suspended.writes
}

# Invariant 10: the account asks for a second factor, and this login had none.
second_factor_missing if {
	input.account.mfa_required
	not input.session.mfa
}

# Ownership cannot be delegated (8). Who else may manage people is the provider's
# choice (C6).
for_owner_only if {
	input.action.category == "ownership"
	input.subject.kind != "owner"
	not input.grant.holds
}

for_owner_only if {
	input.action.category == "users"
	provider.delegation.inviters == "owner"
	input.subject.kind != "owner"
}

# 47: every permission that guards the action is held. C5: where the provider says so,
# the permission to order is also the permission to cancel.
held if input.grant.holds

held if {
	input.action.category == "cancellations"
	provider.cancellations == "with_orders"
	input.grant.has.orders
}

# What a member may not do although the permission is held.
withheld if billing_ticket

withheld if {
	input.action.name in {"invoice.pay", "invoice.masspay"}
	not provider.billing.pay
	input.subject.kind != "owner"
}

# A13.5: what the billing department is told is billing information.
billing_ticket if {
	input.request.resource.properties.department == "billing"
	input.action.category == "tickets"
	not input.grant.has.invoices
	input.subject.kind != "owner"
}
