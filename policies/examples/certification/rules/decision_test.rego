package doorward_test

import data.doorward

# A question about an entity as rules see it: nothing of an account is in it.
write := {
	"action": {"name": "write", "category": "entity", "effect": "write", "sensitive": false},
	"subject": {"type": "user", "kind": "stranger", "status": "active", "staff_may": false},
	"grant": {"state": "none", "holds": false, "in_scope": "whole_account", "subscribed": "no", "has": {}},
	"account": {"status": "none", "mfa_required": false},
	"session": {"mfa": false, "mfa_fresh": false, "acting": "absent", "actor": "nobody"},
	"resource": {"own": false, "member": "nobody"},
	"request": {
		"subject": {"properties": {"role": ""}},
		"resource": {"properties": {"status": "active"}},
		"action": {"properties": {"soft": false}},
	},
}

delete := {"name": "delete", "category": "entity", "effect": "write", "sensitive": false}

test_administrators_write_what_others_do_not if {
	want := {
		["", "active"]: "",
		["", "archived"]: "category_missing",
		["admin", "active"]: "category_missing",
		["admin", "archived"]: "",
		# Of a status that is not known nothing is allowed
		["", "lost"]: "category_missing",
		["admin", ""]: "category_missing",
	}
	every pair, reason in want {
		doorward.reason == reason with input as write
			with input.request.subject.properties.role as pair[0]
			with input.request.resource.properties.status as pair[1]
	}
}

test_deleting_is_soft if {
	doorward.reason == "category_missing" with input as write
		with input.action as delete
	doorward.reason == "" with input as write
		with input.action as delete
		with input.request.action.properties.soft as true
}
