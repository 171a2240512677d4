package doorward_test

import data.doorward

# req 64, req 109, D2
test_mail_wants_permission_and_subscription if {
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as true
		with data.doorward.provider as strict
	doorward.reason == "category_missing" with input as member
		with input.action as mail_invoice
		with data.doorward.provider as strict

	# req 70, req 110
	doorward.reason == "category_missing" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as true
		with input.grant.holds as false
		with data.doorward.provider as strict
}

# D2
test_security_mail_reaches_every_member if {
	doorward.reason == "" with input as member
		with input.action as mail_security
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
		with input.grant.subscribed as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_product
		with input.grant.subscribed as true
		with input.grant.has.product_passwords as true
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_product
		with input.grant.subscribed as true
		with data.doorward.provider as strict
		with data.doorward.provider.notify.credentials_require_permission as false
}

# A13.16
test_mail_about_what_is_out_of_scope if {
	doorward.reason == "out_of_scope" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as true
		with input.grant.in_scope as "no"
		with data.doorward.provider as strict
}

# Mail has no session.
test_mail_does_not_ask_for_a_login if {
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.grant.subscribed as true
		with input.account.mfa_required as true
		with input.session.acting as "absent"
		with data.doorward.provider as strict
}
