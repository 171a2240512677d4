package doorward_test

import data.doorward

# A13.18
test_ones_own_needs_no_membership if {
	doorward.decision == {"allow": true, "reason": "", "obligations": []} with input as member
		with input.action as enable_2fa
		with input.subject.kind as "stranger"
		with input.grant.state as "none"
		with input.grant.holds as false
		with input.account.status as "none"
		with input.session.acting as "absent"
		with input.resource.own as true
		with data.doorward.provider as strict
}

test_what_is_somebody_elses_is_refused if {
	doorward.reason == "out_of_scope" with input as member
		with input.action as enable_2fa
		with data.doorward.provider as strict
}

# req 8
test_the_owner_cannot_leave if {
	doorward.reason == "owner_cannot_leave" with input as member
		with input.action as leave
		with input.subject.kind as "owner"
		with input.resource.own as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as leave
		with input.resource.own as true
		with data.doorward.provider as strict
}

# invariant 10
test_the_way_to_a_second_factor_stays_open if {
	every action in {enable_2fa, switch_account, leave} {
		doorward.reason == "" with input as member
			with input.action as action
			with input.account.mfa_required as true
			with input.resource.own as true
			with data.doorward.provider as strict
	}
	doorward.reason == "mfa_required" with input as member
		with input.action as change_password
		with input.account.mfa_required as true
		with input.resource.own as true
		with data.doorward.provider as strict
}

# invariant 13
test_a_recent_login_for_ones_own_too if {
	doorward.reason == "step_up_required" with input as member
		with input.action as change_password
		with input.resource.own as true
		with data.doorward.provider as strict
}

# invariant 11
test_a_closed_account_shows_nothing if {
	doorward.reason == "account_closed" with input as member
		with input.action as summary
		with input.account.status as "closed"
		with input.resource.own as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as leave
		with input.account.status as "closed"
		with input.resource.own as true
		with data.doorward.provider as strict
}

test_disabled_people_have_no_own if {
	doorward.reason == "subject_disabled" with input as member
		with input.action as enable_2fa
		with input.subject.status as "disabled"
		with input.resource.own as true
		with data.doorward.provider as strict
}
