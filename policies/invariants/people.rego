# Who manages whom, and whose ownership is.
package doorward.invariants

import data.doorward.provider

# METADATA
# description: |
#   Invariant 7 (A13.7). Nobody edits themselves: not even the owner, who could leave an
#   account without one.
violated contains "nobody_edits_themselves" if {
	allowed
	input.resource.member == "self"
	input.action.effect == "write"
}

# METADATA
# description: Invariant 7 (7, 8). Nobody edits the owner.
violated contains "nobody_edits_the_owner" if {
	allowed
	input.resource.member == "owner"
	input.action.effect == "write"
}

# METADATA
# description: A13.7. Who manages people is managed by the owner alone.
violated contains "managers_are_the_owners" if {
	allowed
	input.resource.member == "manager"
	input.action.effect == "write"
	input.subject.kind != "owner"
}

# METADATA
# description: Invariant 7 (A13.7). Whoever edits a member holds all that the member holds.
violated contains "grantors_cover_what_they_edit" if {
	allowed
	input.resource.member == "exceeding"
	input.action.effect == "write"
	input.subject.kind != "owner"
}

# METADATA
# description: C6 (81). Where only the owner manages people, nobody else does.
violated contains "people_are_the_owners" if {
	allowed
	input.action.category == "users"
	provider.delegation.inviters == "owner"
	input.subject.kind != "owner"
	as_member
}

# METADATA
# description: 8 (105). Ownership is handed over by who has it.
violated contains "ownership_is_the_owners" if {
	allowed
	input.action.category == "ownership"
	input.subject.kind != "owner"
}

# METADATA
# description: 8. The owner leaves an account only by handing it over.
violated contains "the_owner_stays" if {
	allowed
	input.action.name == "membership.leave"
	input.subject.kind == "owner"
}
