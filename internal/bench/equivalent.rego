# The shipped rules written for OPA's own server: memberships, presets and
# catalogue are data in its memory, and the question comes as AuthZEN sends it.
# Same order of refusals as policies/rules/decision.rego, as far as questions of
# users about accounts can reach.
package bench

user := data.portal.users[input.subject.id]

account := data.portal.accounts[input.resource.id]

membership := data.portal.memberships[input.resource.id][input.subject.id]

action := data.portal.actions[input.action.name]

provider := data.portal.provider

holds(category) if {
	some preset in membership.presets
	data.portal.presets[preset][category]
}

decision := {"allow": false, "reason": refusal}

decision := {"allow": true, "reason": ""} if not refusal

refusal := "action_unknown" if {
	not action
} else := "subject_unknown" if {
	not user
} else := "subject_disabled" if {
	user.status == "disabled"
} else := "not_member" if {
	not membership
} else := membership.state if {
	membership.state != "active"
} else := "account_closed" if {
	account.status == "closed"
} else := "account_suspended" if {
	account.status == "suspended"
	action.effect == "write"
	not action.category in provider.suspended.writes
} else := "mfa_required" if {
	account.mfa_required
	not input.context.mfa
} else := "owner_only" if {
	action.category == "ownership"
	not membership.owner
} else := "owner_only" if {
	action.category == "users"
	provider.delegation.inviters == "owner"
	not membership.owner
} else := "category_missing" if {
	some category in action.guards
	not holds(category)
} else := "step_up_required" if {
	provider.step_up.mode == "enforce"
	action.sensitive
	not input.context.fresh
}
