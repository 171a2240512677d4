package doorward_test

import data.doorward

# A13.7, invariant 7
test_who_manages_people_manages_those_they_cover if {
	want := {
		"self": "nobody_edits_themselves",
		"owner": "nobody_edits_the_owner",
		"manager": "owner_only",
		"exceeding": "more_than_ones_own",
		"covered": "",
		"stranger": "",
		"nobody": "",
	}
	every managed, reason in want {
		doorward.reason == reason with input as member
			with input.action as remove
			with input.resource.member as managed
			with input.session.mfa_fresh as true
			with data.doorward.provider as strict
			with data.doorward.provider.delegation.inviters as "administrators"
	}
}

# req 53
test_the_owner_manages_everybody_else if {
	want := {"self": "nobody_edits_themselves", "manager": "", "exceeding": "", "covered": ""}
	every managed, reason in want {
		doorward.reason == reason with input as member
			with input.action as remove
			with input.subject.kind as "owner"
			with input.resource.member as managed
			with input.session.mfa_fresh as true
			with data.doorward.provider as strict
	}
}

# What is only looked at needs no more than the permission.
test_looking_at_permissions if {
	every managed in {"self", "owner", "manager", "exceeding"} {
		doorward.reason == "" with input as member
			with input.action as view_permissions
			with input.resource.member as managed
			with data.doorward.provider as strict
			with data.doorward.provider.delegation.inviters as "administrators"
	}
}
