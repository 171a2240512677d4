# The provider's own people.
#
# A13.19: staff are users with rights of their own: single staff.* actions, and
# staff.read, which reads in every account. They change nothing in one but by acting
# in its owner's name: the question's subject is then the owner, and context.actor
# says who acts, on which ticket and until when.
package doorward

# Why nobody may act in this person's name; undefined when nobody does, or staff may.
actor_reason := "staff_only" if {
	input.session.actor == "other"
} else := "expired" if {
	input.session.actor == "expired"
} else := "owner_only" if {
	input.session.actor == "staff"
	input.subject.kind != "owner"
}

# What staff may do by their own right.
staff_reason := "account_required" if {
	input.account.status == "none"
	input.action.category != "staff"
} else := "not_member" if {
	input.account.status == "unknown"
} else := forbidden if {
	forbidden
} else := "step_up_required" if {
	step_up_missing
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.subject.staff_may == true
}
