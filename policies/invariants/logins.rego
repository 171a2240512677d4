# What a login must show.
package doorward.invariants

import data.doorward.provider

# METADATA
# description: Invariant 10 (112). An account's demand for a second factor is met, or leads to one.
violated contains "second_factor_is_shown" if {
	allowed
	input.account.mfa_required == true
	input.session.mfa == false
	input.subject.type == "user"
	input.subject.staff_may == false
	not mail
	not way_to_second_factor
}

# METADATA
# description: Invariant 13. What is sensitive is audited whenever it is allowed.
violated contains "sensitive_is_audited" if {
	allowed
	input.action.sensitive == true
	not audited
}

# METADATA
# description: Invariant 13. Where a recent login is enforced, nothing sensitive goes without.
violated contains "sensitive_wants_a_recent_login" if {
	allowed
	input.action.sensitive == true
	input.session.mfa_fresh == false
	provider.step_up.mode == "enforce"
}
