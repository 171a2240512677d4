package doorward_test

import data.doorward

# A13.19
test_staff_do_what_their_rights_name if {
	doorward.reason == "" with input as member
		with input.action as login_as
		with input.subject.staff_may as true
		with input.subject.kind as "stranger"
		with input.grant.state as "none"
		with data.doorward.provider as strict
		with data.doorward.provider.step_up.mode as "advise"
	doorward.reason == "step_up_required" with input as member
		with input.action as login_as
		with input.subject.staff_may as true
		with data.doorward.provider as strict
	doorward.reason == "subject_disabled" with input as member
		with input.action as login_as
		with input.subject.staff_may as true
		with input.subject.status as "disabled"
		with data.doorward.provider as strict
}

# A13.19: staff.read
test_staff_read_in_every_account if {
	doorward.reason == "" with input as member
		with input.subject.staff_may as true
		with input.subject.kind as "stranger"
		with input.grant.state as "none"
		with input.grant.holds as false
		with input.account.status as "closed"
		with input.session.acting as "other"
		with data.doorward.provider as strict
	want := {"none": "account_required", "unknown": "not_member"}
	every status, reason in want {
		doorward.reason == reason with input as member
			with input.subject.staff_may as true
			with input.account.status as status
			with data.doorward.provider as strict
	}
}

# A13.19: a staff action need not be about an account
test_staff_actions_without_an_account if {
	doorward.reason == "" with input as member
		with input.action as login_as
		with input.subject.staff_may as true
		with input.account.status as "none"
		with input.session.mfa_fresh as true
		with data.doorward.provider as strict
}

# A13.19: acting for a customer
test_only_staff_act_in_the_owners_name if {
	want := {"other": "staff_only", "expired": "expired", "staff": "owner_only"}
	every actor, reason in want {
		doorward.reason == reason with input as member
			with input.session.actor as actor
			with data.doorward.provider as strict
	}
	doorward.reason == "" with input as member
		with input.session.actor as "staff"
		with input.subject.kind as "owner"
		with data.doorward.provider as strict
}

# A13.19
test_what_stays_the_owners_own if {
	every action in {hand_over, set_2fa_policy, reveal, change_password, switch_account, leave} {
		doorward.guardrail.not_in_the_owners_name with input as member
			with input.action as action
			with input.session.actor as "staff"
			with input.subject.kind as "owner"
			with data.doorward.provider as strict
	}
	doorward.reason == "not_in_the_owners_name" with input as member
		with input.action as hand_over
		with input.session.actor as "staff"
		with input.subject.kind as "owner"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as summary
		with input.session.actor as "staff"
		with input.subject.kind as "owner"
		with input.resource.own as true
		with data.doorward.provider as strict
}

# A guardrail holds for staff as well.
test_guardrails_hold_for_staff if {
	doorward.reason == "not_in_the_owners_name" with input as member
		with input.action as hand_over
		with input.subject.staff_may as true
		with input.subject.kind as "owner"
		with input.session.actor as "staff"
		with data.doorward.provider as strict
}
