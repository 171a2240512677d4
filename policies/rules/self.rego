# What everybody may do with what is their own.
#
# A13.18: a person's own profile, password, second factor and sessions, the
# invitations addressed to them, the list of their accounts and leaving one. No
# permission guards these; that the thing is their own does.
package doorward

self_reason := "out_of_scope" if {
	input.resource.own == false
} else := forbidden if {
	forbidden
} else := "account_closed" if {
	input.action.name == "account.summary.view"
	input.account.status == "closed"
	not readable_when_closed
} else := "mfa_required" if {
	input.account.mfa_required == true
	input.session.mfa == false
	not way_to_second_factor
} else := "step_up_required" if {
	step_up_missing
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.resource.own == true
}

# Invariant 10: without a second factor one can still get one, turn to another
# account, leave, or decline.
way_to_second_factor if startswith(input.action.name, "self.2fa.")

way_to_second_factor if input.action.name in {"account.switch", "membership.leave", "invite.decline"}
