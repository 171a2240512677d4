# METADATA
# title: What no rule and no switch may change
# description: |
#   Each invariant holds for every question that can be asked, whatever the presets, the
#   provider's switches and the rules say. A policy that breaks one does not load: not at
#   the start, not in doorward policy check, and not when the folder is edited.
#
#   Add one as violated contains "what_must_hold" if { ... }, with the conditions under
#   which it is broken: about one question (input) and its answer, data.doorward.decision.
#   The name must be written out, and once. Numbers are those of docs/requirements.md.
#   That the answer is an allow is best said first: most are not, and thousands of
#   questions are tried while somebody waits for an edit to be in force.
#
#   This file has the words that several of them need.
package doorward.invariants

import data.doorward.provider

allowed if data.doorward.decision.allow == true

refused if data.doorward.decision.allow == false

mail if startswith(input.action.name, "mail.")

# A user who asks by their own place in the account: not a contact, not by a right of
# the provider's staff, and not about their own affairs.
as_member if {
	input.subject.type == "user"
	input.subject.staff_may == false
	on_an_account
}

on_an_account if not input.action.category in {"self", "staff"}

# One's own affairs are not an account's, but its summary is.
shows_an_account if on_an_account

shows_an_account if input.action.name == "account.summary.view"

# C5: where the provider says so, the permission to order is also the one to cancel.
cancels_with_orders if {
	input.action.category == "cancellations"
	provider.cancellations == "with_orders"
	input.grant.has.orders == true
}

# 26: where the provider has it so, a contact's own tickets are answered.
own_ticket if {
	provider.contacts.mode == "limited"
	input.action.name in {"ticket.open", "ticket.view", "ticket.reply"}
	input.resource.own == true
}

way_to_second_factor if startswith(input.action.name, "self.2fa.")

way_to_second_factor if input.action.name in {"account.switch", "membership.leave", "invite.decline"}

audited if {
	some obligation in data.doorward.decision.obligations
	obligation.id == "audit"
}
