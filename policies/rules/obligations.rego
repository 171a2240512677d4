# What the portal should do besides.
#
# Invariant 13: sensitive actions are always audited, and want a recent login. An
# allow never depends on an obligation being obeyed (design 3): where the recent
# login is enforced, the answer without one is no.
package doorward

import data.doorward.provider

default obligations := []

obligations := [{"id": "mfa"}] if {
	input.session.mfa == false
	reason == "mfa_required"
} else := [step_up] if {
	input.action.sensitive == true
	reason == "step_up_required"
} else := [{"id": "audit"}, step_up] if {
	input.action.sensitive == true
	input.session.mfa_fresh == false
	reason == ""
} else := [{"id": "audit"}] if {
	input.action.sensitive == true
	reason == ""
}

# max_age is how many seconds old the login may be.
step_up := {"id": "step_up", "max_age": provider.step_up.max_age}

step_up_missing if {
	input.action.sensitive == true
	input.session.mfa_fresh == false
	provider.step_up.mode == "enforce"
}
