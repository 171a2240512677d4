package doorward_test

import data.doorward

contact := {"type": "contact", "kind": "contact", "status": "active", "staff_may": false}

# req 16, invariant 3
test_contacts_never_act if {
	every action in {view, pay, order, open_ticket, leave, enable_2fa, mail_security} {
		doorward.reason == "contact_never_acts" with input as member
			with input.action as action
			with input.subject as contact
			with input.grant.subscribed as "chosen"
			with input.resource.own as true
			with data.doorward.provider as strict
	}
}

# req 22, req 23
test_contacts_receive_what_they_subscribed_to if {
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.subject as contact
		with input.grant.subscribed as "chosen"
		with data.doorward.provider as strict
	doorward.reason == "contact_never_acts" with input as member
		with input.action as mail_invoice
		with input.subject as contact
		with data.doorward.provider as strict
}

# req 26, A13.8
test_contacts_have_their_own_tickets_where_allowed if {
	doorward.reason == "" with input as member
		with input.action as open_ticket
		with input.subject as contact
		with input.resource.own as true
		with data.doorward.provider as strict
		with data.doorward.provider.contacts.mode as "limited"
	doorward.reason == "contact_never_acts" with input as member
		with input.action as open_ticket
		with input.subject as contact
		with data.doorward.provider as strict
		with data.doorward.provider.contacts.mode as "limited"

	# A13.5
	doorward.reason == "contact_never_acts" with input as member
		with input.action as open_ticket
		with input.subject as contact
		with input.resource.own as true
		with input.request.resource.properties.department as "billing"
		with data.doorward.provider as strict
		with data.doorward.provider.contacts.mode as "limited"
}

# A13.15
test_contacts_of_accounts_that_are_not_open if {
	doorward.reason == "account_closed" with input as member
		with input.action as mail_invoice
		with input.subject as contact
		with input.grant.subscribed as "chosen"
		with input.account.status as "closed"
		with data.doorward.provider as strict
	doorward.reason == "" with input as member
		with input.action as mail_invoice
		with input.subject as contact
		with input.grant.subscribed as "chosen"
		with input.account.status as "closed"
		with data.doorward.provider as strict
		with data.doorward.provider.closed.access as "read"
	doorward.reason == "account_suspended" with input as member
		with input.action as open_ticket
		with input.subject as contact
		with input.resource.own as true
		with input.account.status as "suspended"
		with data.doorward.provider as strict
		with data.doorward.provider.contacts.mode as "limited"
		with data.doorward.provider.suspended.writes as ["invoices"]
}

test_contacts_of_accounts_that_are_not_there if {
	want := {"none": "account_required", "unknown": "not_member"}
	every status, reason in want {
		doorward.reason == reason with input as member
			with input.action as mail_invoice
			with input.subject as contact
			with input.grant.subscribed as "chosen"
			with input.account.status as status
			with data.doorward.provider as strict
	}
}
