# What the provider's own people may.
package doorward.invariants

# METADATA
# description: A13.19. Staff actions are for those of the provider's staff who may.
violated contains "staff_actions_are_for_staff" if {
	allowed
	input.action.category == "staff"
	input.subject.staff_may == false
}

# METADATA
# description: A13.19. Only staff act in somebody's name, only in the owner's, and for a while.
violated contains "only_staff_act_in_the_owners_name" if {
	allowed
	input.session.actor in {"other", "expired"}
}

# METADATA
# description: A13.19. Staff act in the owner's name and in nobody else's.
violated contains "staff_act_for_owners" if {
	allowed
	input.session.actor == "staff"
	input.subject.kind != "owner"
}

# METADATA
# description: A13.19. What is the owner's own is not done in the owner's name.
violated contains "the_owners_own_stays_theirs" if {
	allowed
	input.session.actor == "staff"
	input.action.category in {"ownership", "security"}
}

# METADATA
# description: A13.19. Secrets are not revealed in the owner's name.
violated contains "secrets_stay_with_the_owner" if {
	allowed
	input.session.actor == "staff"
	input.action.name == "password.reveal"
}
