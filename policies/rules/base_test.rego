# What the tests start from: an active member who holds what the action needs, on an
# active account, with a login that says nothing of itself. Each test replaces what
# it is about.
package doorward_test

member := {
	"action": {"name": "invoice.view", "category": "invoices", "effect": "read", "sensitive": false},
	"subject": {"type": "user", "kind": "member", "status": "active", "staff_may": false},
	"grant": {
		"state": "active",
		"holds": true,
		"in_scope": "whole_account",
		"subscribed": "no",
		"has": {"invoices": false, "orders": false, "product_passwords": false},
	},
	"account": {"status": "active", "mfa_required": false},
	"session": {"mfa": false, "mfa_fresh": false, "acting": "same", "actor": "nobody"},
	"resource": {"own": false, "member": "nobody"},
	"request": {"resource": {"properties": {"department": ""}}},
}

# The switches that the rules read, each at its strictest.
strict := {
	"contacts": {"mode": "notify_only"},
	"delegation": {"inviters": "owner"},
	"cancellations": "owner_only",
	"notify": {"users": "explicit", "credentials_require_permission": true},
	"billing": {"pay": false},
	"closed": {"access": "none"},
	"suspended": {"writes": ["invoices", "payment_methods", "tickets"]},
	"session": {"require_acting": true},
	"step_up": {"mode": "enforce", "max_age": 900},
}

view := {"name": "invoice.view", "category": "invoices", "effect": "read", "sensitive": false}

pay := {"name": "invoice.pay", "category": "invoices", "effect": "write", "sensitive": false}

order := {"name": "order.place", "category": "orders", "effect": "write", "sensitive": true}

cancel := {"name": "service.cancel", "category": "cancellations", "effect": "write", "sensitive": true}

list_users := {"name": "user.list", "category": "users", "effect": "read", "sensitive": false}

hand_over := {"name": "ownership.transfer.request", "category": "ownership", "effect": "write", "sensitive": true}

remove := {"name": "user.remove", "category": "users", "effect": "write", "sensitive": true}

view_permissions := {"name": "user.permissions.view", "category": "users", "effect": "read", "sensitive": false}

set_2fa_policy := {"name": "account.2fa_policy.set", "category": "security", "effect": "write", "sensitive": true}

open_ticket := {"name": "ticket.open", "category": "tickets", "effect": "write", "sensitive": false}

reveal := {"name": "password.reveal", "category": "product_passwords", "effect": "write", "sensitive": true}

switch_account := {"name": "account.switch", "category": "self", "effect": "read", "sensitive": false}

summary := {"name": "account.summary.view", "category": "self", "effect": "read", "sensitive": false}

leave := {"name": "membership.leave", "category": "self", "effect": "write", "sensitive": false}

enable_2fa := {"name": "self.2fa.enable", "category": "self", "effect": "write", "sensitive": false}

change_password := {"name": "self.password.change", "category": "self", "effect": "write", "sensitive": true}

login_as := {"name": "staff.login_as", "category": "staff", "effect": "write", "sensitive": true}

mail_invoice := {"name": "mail.invoice.receive", "category": "invoices", "effect": "read", "sensitive": false}

mail_product := {"name": "mail.product.receive", "category": "products", "effect": "read", "sensitive": false}

mail_security := {"name": "mail.security.receive", "category": "mail", "effect": "read", "sensitive": false}
