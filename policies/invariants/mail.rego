# What contacts may, and what mail is sent.
package doorward.invariants

# METADATA
# description: |
#   Invariant 3 (16, A13.8). Contacts receive mail and, where the provider has it so, their
#   own tickets are answered. They never act.
violated contains "contacts_never_act" if {
	allowed
	input.subject.type == "contact"
	not mail
	not own_ticket
}

# METADATA
# description: 22. A contact receives nothing it is not subscribed to.
violated contains "contacts_receive_what_they_chose" if {
	allowed
	input.subject.type == "contact"
	input.grant.subscribed != "chosen"
	mail
}

# METADATA
# description: 109, D2. Members are sent no mail they do not get or do not want, but about security.
violated contains "mail_is_wanted" if {
	allowed
	input.grant.subscribed in {"no", "declined"}
	as_member
	mail
	input.action.name != "mail.security.receive"
}
