package doorward_test

import data.doorward

# A question about an entity as rules see it: nothing of an account is in it.
update := {
	"action": {"name": "can_update_todo", "category": "entity", "effect": "write", "sensitive": false},
	"subject": {"type": "user", "kind": "stranger", "status": "active", "staff_may": false},
	"grant": {"state": "none", "holds": false, "in_scope": "whole_account", "subscribed": "no", "has": {}},
	"account": {"status": "none", "mfa_required": false},
	"session": {"mfa": false, "mfa_fresh": false, "acting": "absent", "actor": "nobody"},
	"resource": {"own": false, "member": "nobody"},
	"request": {
		"subject": {"properties": {
			"id": "morty@the-citadel.com",
			"roles": {"viewer": false, "editor": true, "admin": false, "evil_genius": false},
		}},
		"resource": {"properties": {"ownerID": "morty@the-citadel.com"}},
	},
}

test_editors_update_their_own if {
	doorward.reason == "" with input as update
	doorward.reason == "category_missing" with input as update
		with input.request.resource.properties.ownerID as "rick@the-citadel.com"
	doorward.reason == "category_missing" with input as update
		with input.request.subject.properties.roles.editor as false
}

test_nobody_owns_what_has_no_owner if {
	doorward.reason == "category_missing" with input as update
		with input.request.resource.properties.ownerID as ""
		with input.request.subject.properties.id as ""
}

test_an_admin_updates_only_their_own if {
	doorward.reason == "category_missing" with input as update
		with input.request.subject.properties.roles.editor as false
		with input.request.subject.properties.roles.admin as true
		with input.request.resource.properties.ownerID as "rick@the-citadel.com"
}
