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

# One of the guardrails that apply, if any: the first by name.
forbidden := min(guardrail)
