# What nobody may do, whatever they hold.
#
# A guardrail refuses with its own name as the reason, after everything else has
# agreed. Add one as guardrail contains "name" if { ... }; the name must be written
# out, so that the list of reasons is known (docs/reasons.md).
package doorward

# 8: the owner leaves an account only by handing it over.
guardrail contains "owner_cannot_leave" if {
	input.action.name == "membership.leave"
	input.subject.kind == "owner"
}

# Invariant 7: nobody edits themselves or the owner (7, 8).
guardrail contains "nobody_edits_themselves" if {
	input.resource.member == "self"
	input.action.effect == "write"
}

guardrail contains "nobody_edits_the_owner" if {
	input.resource.member == "owner"
	input.action.effect == "write"
}

# A13.7, invariant 7: who manages people covers what they edit. The owner covers all.
guardrail contains "more_than_ones_own" if {
	input.resource.member == "exceeding"
	input.action.effect == "write"
	input.subject.kind != "owner"
}

# A13.19: what staff do not do in the owner's name. Nor, by our choice, what is the
# owner's own as a person: staff would take over the login.
guardrail contains "not_in_the_owners_name" if {
	input.session.actor != "nobody"
	input.action.category in {"ownership", "security"}
}

guardrail contains "not_in_the_owners_name" if {
	input.session.actor != "nobody"
	input.action.name == "password.reveal"
}

guardrail contains "not_in_the_owners_name" if {
	input.session.actor != "nobody"
	input.action.category == "self"
	input.action.name != "account.summary.view"
}

# One of the guardrails that apply, if any: the first by name.
forbidden := min(guardrail)
