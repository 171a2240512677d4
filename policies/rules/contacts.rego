# Contacts receive mail and never act.
#
# A13.8, requirements 15, 16 and 22: a contact receives the mail it is subscribed to,
# and where the provider allows it its own tickets are answered. Nothing else, ever.
package doorward

import data.doorward.provider

contact_reason := "contact_never_acts" if {
	not contact_may
} else := "account_closed" if {
	input.account.status == "closed"
	not readable_when_closed
} else := "account_suspended" if {
	input.account.status == "suspended"
	not usable_when_suspended
} else := "" if {
	input.account.status in {"active", "suspended", "closed"}
	contact_may
}

# D2: mail about the security of the account is for members only.
contact_may if {
	startswith(input.action.name, "mail.")
	input.grant.subscribed == "chosen"
	input.grant.in_scope != "no"
	input.action.name != "mail.security.receive"
}

# 26, C2: opening, reading and answering its own tickets, by mail or through the
# owner's session. The billing department needs a permission, and contacts have none
# (A13.5).
contact_may if {
	input.action.name in {"ticket.open", "ticket.view", "ticket.reply"}
	input.resource.own == true
	provider.contacts.mode == "limited"
	input.session.acting != "other"
	not billing_ticket
}
