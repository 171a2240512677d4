package doorward_test

import data.doorward

# req 64, req 109, D2
test_mail_wants_permission_and_subscription if {
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as "chosen"
		with data.doorward.provider as strict
	doorward.reason == "category_missing" with input as member
		with input.action as mail_invoice
		with data.doorward.provider as strict

	# req 70, req 110
	doorward.reason == "category_missing" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as "chosen"
		with input.grant.holds as false
		with data.doorward.provider as strict
}

# C12: what the provider's switch does to what was chosen, and to what comes with a grant
test_whether_mail_follows_permissions if {
	want := {
		["by_permission", "chosen"]: "",
		["by_permission", "by_default"]: "",
		["by_permission", "declined"]: "category_missing",
		["by_permission", "no"]: "category_missing",
		["explicit", "chosen"]: "",
		["explicit", "by_default"]: "category_missing",
		["explicit", "declined"]: "category_missing",
		["none", "chosen"]: "category_missing",
		["none", "by_default"]: "category_missing",
	}
	every key, reason in want {
		doorward.reason == reason with input as member
			with input.action as mail_invoice
			with input.grant.subscribed as key[1]
			with data.doorward.provider as strict
			with data.doorward.provider.notify.users as key[0]
	}
}

# D2: the owner receives what was not declined
test_the_owner_is_sent_what_was_not_declined if {
	want := {"chosen": "", "by_default": "", "declined": "category_missing", "no": "category_missing"}
	every subscribed, reason in want {
		doorward.reason == reason with input as member
			with input.action as mail_invoice
			with input.subject.kind as "owner"
			with input.grant.subscribed as subscribed
			with data.doorward.provider as strict
			with data.doorward.provider.notify.users as "none"
	}
}

# D2
test_security_mail_reaches_every_member if {
	doorward.reason == "" with input as member
		with input.action as mail_security
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_security
		with input.grant.in_scope as "no"
		with data.doorward.provider as strict
	doorward.reason == "removed" with input as member
		with input.action as mail_security
		with input.grant.state as "removed"
		with data.doorward.provider as strict
}

# C10, req 69
test_login_details_may_need_the_permission if {
	doorward.reason == "category_missing" with input as member
		with input.action as mail_product
		with input.grant.subscribed as "chosen"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_product
		with input.grant.subscribed as "chosen"
		with input.grant.has.product_passwords as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_product
		with input.grant.subscribed as "chosen"
		with data.doorward.provider as strict
		with data.doorward.provider.notify.credentials_require_permission as false
}

# A13.16
test_mail_about_what_is_out_of_scope if {
	doorward.reason == "out_of_scope" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as "chosen"
		with input.grant.in_scope as "no"
		with data.doorward.provider as strict
}

# Mail has no session.
test_mail_does_not_ask_for_a_login if {
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as "chosen"
		with input.account.mfa_required as true
		with input.session.acting as "absent"
		with data.doorward.provider as strict
}
