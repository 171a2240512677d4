# Which mail a member receives.
#
# One action for each mail category, mail.<category>.receive, asked by whatever sends
# the mail (A13.14, D2). Receiving is not acting: there is no login whose second factor
# or recent sign-in could be asked for. Contacts are in contacts.rego.
package doorward

import data.doorward.provider

# Not to have subscribed to a mail category is to lack it, like a permission: presets
# hold both alike.
mail_reason := "category_missing" if {
	input.grant.holds == false
} else := "category_missing" if {
	input.grant.subscribed == false
	not always_sent
} else := "category_missing" if {
	# C10: mail about products carries login details.
	input.action.name == "mail.product.receive"
	input.grant.has.product_passwords == false
	provider.notify.credentials_require_permission
} else := "out_of_scope" if {
	input.grant.in_scope == "no"
} else := forbidden if {
	forbidden
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.grant.state == "active"
	input.grant.holds == true
}

# Members cannot be left out of mail about the security of the account (D2).
always_sent if input.action.name == "mail.security.receive"
