package doorward_test

import data.doorward

# What nobody may do, staff may not either, should a right of theirs ever cover it (A13.19).
test_guardrails_hold_for_staff_too if {
	doorward.reason == "not_in_the_owners_name" with input as member
		with input.action as {"name": "account.2fa_policy.set", "category": "security", "effect": "read", "sensitive": true}
		with input.subject.kind as "owner"
		with input.subject.staff_may as true
		with input.session.actor as "staff"
		with data.doorward.provider as strict
}
