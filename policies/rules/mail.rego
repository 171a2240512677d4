# Who receives which mail.
#
# One action for each mail category, mail.<category>.receive, asked by whatever
# sends the mail (A13.14, D2). Receiving is not acting: there is no login whose
# second factor or acting account could be asked for.
package doorward

import data.doorward.provider

is_mail if startswith(input.action.name, "mail.")

# Not to have subscribed to a mail category is to lack it, like a permission: presets
# hold both alike.
mail_reason := place_reason if {
	place_reason
} else := "category_missing" if {
	not input.grant.holds
} else := "category_missing" if {
	not receives
} else := "category_missing" if {
	credentials_withheld
} else := "out_of_scope" if {
	input.grant.in_scope == "no"
} else := forbidden if {
	forbidden
} else := "" if {
	input.subject.type == "user"
	input.subject.status == "active"
	input.grant.state == "active"
	input.grant.holds
	receives
}

receives if input.grant.subscribed

# Members cannot be left out of mail about the security of the account (D2).
receives if input.action.name == "mail.security.receive"

# C10: mail about products carries login details.
credentials_withheld if {
	input.action.name == "mail.product.receive"
	provider.notify.credentials_require_permission
	not input.grant.has.product_passwords
}
