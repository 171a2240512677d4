# What a place in an account gives.
package doorward.invariants

import data.doorward.provider

# METADATA
# description: Invariant 1. Unknown, pending, expired or removed, nobody is given anything.
violated contains "no_membership_no_grant" if {
	allowed
	input.grant.state != "active"
	as_member
}

# METADATA
# description: |
#   Invariant 2 (7, 14, 60). The owner may do everything on an account that is in order,
#   with a login that is. What the provider forbids nonetheless is a guardrail, which refuses
#   everybody: nothing but a guardrail refuses the owner.
violated contains "the_owner_may" if {
	refused
	input.subject.kind == "owner"
	input.subject.status == "active"
	input.account.status == "active"
	input.session.acting == "same"
	input.session.mfa == true
	input.session.mfa_fresh == true
	input.session.actor in {"nobody", "staff"}
	as_member
	not mail
	count(data.doorward.guardrail) == 0
}

# METADATA
# description: |
#   47, 49, 50 (C5). Every permission that guards an action is held, or the action
#   cancels, and the provider says that the permission to order is enough for that.
violated contains "guards_are_held" if {
	allowed
	input.grant.state == "active"
	input.grant.holds == false
	as_member
	not cancels_with_orders
}

# METADATA
# description: |
#   A13.16. A grant for some services or domains gives nothing outside them. Where
#   ordering is cancelling (C5), who orders on the whole account cancels there.
violated contains "scopes_are_kept" if {
	allowed
	input.grant.in_scope == "no"
	as_member
	not cancels_with_orders
	input.action.name != "mail.security.receive"
}

# METADATA
# description: Invariant 6 (104). Membership elsewhere gives nothing here.
violated contains "one_acts_where_one_is" if {
	allowed
	input.session.acting == "other"
	as_member
}

# METADATA
# description: Invariant 6 (104), where the provider wants it said which account is acted on.
violated contains "acting_is_said" if {
	allowed
	input.session.acting == "absent"
	provider.session.require_acting == true
	as_member
	not mail
}

# METADATA
# description: A13.15. Who is unknown or disabled does nothing, staff included.
violated contains "only_the_known_and_enabled" if {
	allowed
	input.subject.type != "contact"
	input.subject.status != "active"
}

# METADATA
# description: A13.18. One's own affairs are one's own.
violated contains "what_is_ones_own_is_nobody_elses" if {
	allowed
	input.action.category == "self"
	input.resource.own == false
}

# METADATA
# description: A13.5. What the billing department is told is billing information.
violated contains "billing_stays_with_billing" if {
	allowed
	input.action.category == "tickets"
	input.request.resource.properties.department == "billing"
	input.grant.has.invoices == false
	input.subject.kind != "owner"
	input.subject.staff_may == false
}
