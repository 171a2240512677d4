# Which mail a member receives.
#
# One action for each mail category, mail.<category>.receive, asked by whatever sends
# the mail (A13.14, D2). Receiving is not acting: there is no login whose second factor
# or recent sign-in could be asked for. Contacts are in contacts.rego.
package doorward

import data.doorward.provider

# Not to be sent a mail category is to lack it, like a permission: presets hold both
# alike. Who lacks the guard is not sent it whatever they chose: the refusals of D2.
mail_reason := "category_missing" if {
	input.grant.holds == false
} else := "category_missing" if {
	not sent
} else := "category_missing" if {
	# C10: mail about products carries login details.
	input.action.name == "mail.product.receive"
	input.grant.has.product_passwords == false
	provider.notify.credentials_require_permission
} else := "out_of_scope" if {
	input.grant.in_scope == "no"
	not always_sent
} else := forbidden if {
	forbidden
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.grant.state == "active"
	input.grant.holds == true
}

# C12: whether mail follows permissions, is sent to those who chose it, or to contacts
# alone, is the provider's choice. The owner receives what was not declined (D2).
sent if always_sent

sent if {
	input.grant.subscribed == "chosen"
	provider.notify.users != "none"
}

sent if {
	input.grant.subscribed == "by_default"
	provider.notify.users == "by_permission"
}

sent if {
	input.grant.subscribed in {"chosen", "by_default"}
	input.subject.kind == "owner"
}

# Members cannot be left out of mail about the security of the account (D2).
always_sent if input.action.name == "mail.security.receive"
