package doorward_test

import data.doorward

test_allow_is_an_empty_reason if {
	doorward.decision == {"allow": true, "reason": "", "obligations": []} with input as member
		with data.doorward.provider as strict
}

test_a_refusal_has_its_reason if {
	doorward.decision == {"allow": false, "reason": "not_member", "obligations": []} with input as member
		with input.grant.state as "none"
		with data.doorward.provider as strict
}

# A13.19
test_staff_actions_are_for_staff if {
	doorward.reason == "staff_only" with input as member
		with input.action as login_as
		with data.doorward.provider as strict
}

test_unknown_people_are_refused if {
	doorward.reason == "subject_unknown" with input as member
		with input.subject.type as "unknown"
		with data.doorward.provider as strict
	doorward.reason == "subject_unknown" with input as member
		with input.subject.status as "unknown"
		with data.doorward.provider as strict
}

test_disabled_people_are_refused if {
	doorward.reason == "subject_disabled" with input as member
		with input.subject.status as "disabled"
		with data.doorward.provider as strict
}

# invariant 1
test_no_membership_no_grant if {
	want := {"none": "not_member", "pending": "pending", "removed": "removed", "expired": "expired"}
	every state, reason in want {
		doorward.reason == reason with input as member
			with input.grant.state as state
			with data.doorward.provider as strict
	}
}

# req 104, invariant 6
test_acting_elsewhere if {
	doorward.reason == "switch_required" with input as member
		with input.session.acting as "other"
		with data.doorward.provider as strict
	doorward.reason == "not_member" with input as member
		with input.session.acting as "other"
		with input.grant.state as "removed"
		with data.doorward.provider as strict
}

test_acting_must_be_said_where_required if {
	doorward.reason == "account_required" with input as member
		with input.session.acting as "absent"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.session.acting as "absent"
		with data.doorward.provider as strict
		with data.doorward.provider.session.require_acting as false
}

test_accounts_that_are_not_there if {
	doorward.reason == "account_required" with input as member
		with input.account.status as "none"
		with data.doorward.provider as strict
	doorward.reason == "not_member" with input as member
		with input.account.status as "unknown"
		with data.doorward.provider as strict
}

# A13.15, invariant 11
test_closed_accounts if {
	doorward.reason == "account_closed" with input as member
		with input.account.status as "closed"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.account.status as "closed"
		with data.doorward.provider as strict
		with data.doorward.provider.closed.access as "read"
	doorward.reason == "account_closed" with input as member
		with input.action as pay
		with input.account.status as "closed"
		with data.doorward.provider as strict
		with data.doorward.provider.closed.access as "read"
}

# A13.15
test_suspended_accounts if {
	doorward.reason == "" with input as member
		with input.account.status as "suspended"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as open_ticket
		with input.account.status as "suspended"
		with data.doorward.provider as strict
	doorward.reason == "account_suspended" with input as member
		with input.action as order
		with input.account.status as "suspended"
		with data.doorward.provider as strict
}

# invariant 10
test_second_factor_of_the_account if {
	doorward.decision == {"allow": false, "reason": "mfa_required", "obligations": [{"id": "mfa"}]} with input as member
		with input.account.mfa_required as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.account.mfa_required as true
		with input.session.mfa as true
		with data.doorward.provider as strict
}

# req 8
test_ownership_is_the_owners if {
	doorward.reason == "owner_only" with input as member
		with input.action as hand_over
		with input.grant.holds as false
		with data.doorward.provider as strict
	doorward.reason == "owner_only" with input as member
		with input.action as hand_over
		with data.doorward.provider as strict
	doorward.reason == "category_missing" with input as member
		with input.action as hand_over
		with input.subject.kind as "owner"
		with input.grant.holds as false
		with data.doorward.provider as strict
}

# C6, req 73, req 81
test_who_may_manage_people if {
	doorward.reason == "owner_only" with input as member
		with input.action as list_users
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as list_users
		with input.subject.kind as "owner"
		with data.doorward.provider as strict
	every inviters in {"administrators", "holders_of_users"} {
		doorward.reason == "" with input as member
			with input.action as list_users
			with data.doorward.provider as strict
			with data.doorward.provider.delegation.inviters as inviters
	}
}

# req 47
test_permission_is_needed if {
	doorward.reason == "category_missing" with input as member
		with input.grant.holds as false
		with data.doorward.provider as strict
}

# req 61, req 76, C5
test_cancelling_with_the_permission_to_order if {
	doorward.reason == "category_missing" with input as member
		with input.action as cancel
		with input.grant.holds as false
		with input.grant.has.orders as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as cancel
		with input.grant.holds as false
		with input.grant.has.orders as true
		with input.session.mfa_fresh as true
		with data.doorward.provider as strict
		with data.doorward.provider.cancellations as "with_orders"
	doorward.reason == "category_missing" with input as member
		with input.action as cancel
		with input.grant.holds as false
		with data.doorward.provider as strict
		with data.doorward.provider.cancellations as "with_orders"
}

# A13.5
test_tickets_of_the_billing_department if {
	doorward.reason == "category_missing" with input as member
		with input.action as open_ticket
		with input.request.resource.properties.department as "billing"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as open_ticket
		with input.request.resource.properties.department as "billing"
		with input.grant.has.invoices as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as open_ticket
		with input.request.resource.properties.department as "billing"
		with input.subject.kind as "owner"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as open_ticket
		with input.request.resource.properties.department as "sales"
		with data.doorward.provider as strict
}

# A13.4
test_paying_may_be_switched_off if {
	doorward.reason == "category_missing" with input as member
		with input.action as pay
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as pay
		with input.subject.kind as "owner"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as pay
		with data.doorward.provider as strict
		with data.doorward.provider.billing.pay as true
}

# A13.16
test_scope if {
	doorward.reason == "out_of_scope" with input as member
		with input.grant.in_scope as "no"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.grant.in_scope as "yes"
		with data.doorward.provider as strict
}

# invariant 13
test_sensitive_actions_want_a_recent_login if {
	step_up := {"id": "step_up", "max_age": 900}
	doorward.decision == {"allow": false, "reason": "step_up_required", "obligations": [step_up]} with input as member
		with input.action as reveal
		with data.doorward.provider as strict
	doorward.decision == {"allow": true, "reason": "", "obligations": [{"id": "audit"}, step_up]} with input as member
		with input.action as reveal
		with data.doorward.provider as strict
		with data.doorward.provider.step_up.mode as "advise"
	doorward.decision == {"allow": true, "reason": "", "obligations": [{"id": "audit"}]} with input as member
		with input.action as reveal
		with input.session.mfa_fresh as true
		with data.doorward.provider as strict
}

test_a_refused_sensitive_action_obliges_to_nothing if {
	doorward.decision == {"allow": false, "reason": "category_missing", "obligations": []} with input as member
		with input.action as reveal
		with input.grant.holds as false
		with data.doorward.provider as strict
}

# A guardrail speaks after everything else has agreed.
test_guardrails_refuse_everywhere if {
	every action in {view, mail_security} {
		doorward.reason == "no_views" with input as member
			with input.action as action
			with data.doorward.guardrail as {"no_views", "of_two_the_first"}
			with data.doorward.provider as strict
	}
}
