# What the state of an account stops.
package doorward.invariants

import data.doorward.provider

# METADATA
# description: Invariant 11 (A13.15). Nothing changes in a closed account.
violated contains "closed_accounts_stay_as_they_are" if {
	allowed
	input.account.status == "closed"
	input.action.effect == "write"
	on_an_account
}

# METADATA
# description: Invariant 11 (A13.15). Where closed accounts show nothing, only staff see them.
violated contains "closed_accounts_show_nothing" if {
	allowed
	input.account.status == "closed"
	provider.closed.access == "none"
	input.action.effect == "read"
	input.subject.staff_may == false
	shows_an_account
}

# METADATA
# description: A13.15. In a suspended account one can look, and do what brings it back.
violated contains "suspended_accounts_are_looked_at" if {
	allowed
	input.account.status == "suspended"
	input.action.effect == "write"
	on_an_account
	not input.action.category in provider.suspended.writes
}

# METADATA
# description: 104. In an account that is not there nothing is done.
violated contains "accounts_that_are_not_there_give_nothing" if {
	allowed
	input.account.status in {"none", "unknown"}
	on_an_account
}
