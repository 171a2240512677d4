package reference

import "strings"

// categories are part D's rows with its columns of presets: O owner, A
// administrator, B billing, S support, D developer, * all. Every action that a
// category guards stands in its row; (A13.n) marks what an amendment moved.
var categories = []struct{ name, presets, actions string }{
	{"profile", "OA*", `account.profile.view account.profile.update account.tax_id.update account.language.set
		account.billing_contact.set account.default_gateway.set account.email_preferences.update account.marketing.set
		account.sso_allowed.set`}, // 37, 74
	{"contacts", "OA*", `contact.list contact.view contact.create contact.update contact.delete
		contact.subscription.update contact.domain.attach`}, // 38, 25, 73
	{"users", "OA", `user.list user.permissions.view user.invite invite.list invite.resend invite.revoke
		user.permissions.update user.remove access_review.open access_review.confirm`}, // 73; * by a switch (A13.2)
	{"products", "OAD*", `service.list service.view service.usage.view addon.view ssl.view download.list
		download.get`}, // 39, 56
	{"product_passwords", "OAD*", `password.reveal password.change`},                   // 40, 56
	{"product_manage", "OA*", `service.action.run service.label.update ssl.configure`}, // 56 gives passwords only
	{"sso", "OAD*", `sso.start`},                  // 41, 56
	{"domains", "OA*", `domain.list domain.view`}, // 42
	{"domain_manage", "OA*", `domain.update domain.nameservers.update domain.dns.update domain.whois.update
		domain.lock.update domain.autorenew.update domain.epp.reveal domain.private_ns.update
		domain.email_forwarding.update domain.idprotect.update domain.transfer_out`}, // 43
	{"orders", "O*", `order.place order.list order.view service.upgrade service.options.upgrade addon.order
		domain.register domain.transfer_in`}, // 44, 58, 75
	{"renewals", "OA*", `service.renew domain.renew`},                                                 // A13.3
	{"cancellations", "O", `service.cancel service.cancel.withdraw addon.cancel subscription.cancel`}, // 61, 76; * by C5
	{"invoices", "OAB*", `invoice.list invoice.view invoice.download invoice.pay invoice.masspay transaction.list
		credit.view`}, // 45, 62, 71, 57
	{"payment_methods", "OAB*", `paymethod.list paymethod.add paymethod.update paymethod.delete
		paymethod.set_default card.update credit.apply funds.add`}, // 63; the last two by A13.4
	{"quotes", "OA*", `quote.list quote.view quote.download quote.accept`}, // 74
	{"tickets", "OASD*", `ticket.list ticket.view ticket.open ticket.reply ticket.close ticket.attachment.get
		ticket.cc.update ticket.rate`}, // 46, 56, 65-68
	{"affiliates", "OA*", `affiliate.view affiliate.activate affiliate.withdraw`}, // 74
	{"emails", "OA*", `email.list email.view`},                                    // 65, 71
	{"audit", "OA*", `audit.view audit.export`},                                   // 113; * holds what can be delegated (A13.2)
	{"security", "O", `account.2fa_policy.set account.ip_rules.set`},              // 112
	{"ownership", "O", `ownership.transfer.request ownership.transfer.confirm ownership.transfer.withdraw
		account.close`}, // 8, 105-108
}

// secondGuard is what an action needs besides its category (A13.17).
var secondGuard = map[string]string{"quote.accept": "orders"}

// mails are D2's rows: whom a mail is sent to without their asking (the marks ✓),
// and the category that a member must hold.
var mails = map[string]struct{ guard, presets string }{
	"invoice":   {"invoices", "OAB*"},  // 64, 70, 57
	"support":   {"tickets", "OAS*"},   // 65; D may choose it
	"product":   {"products", "OASD*"}, // 69, without the guard for S
	"domain":    {"domains", "OA*"},    // 25 is for contacts
	"general":   {"", "OA"},            // any membership
	"affiliate": {"affiliates", "O"},
	"security":  {"", "OABSD*"}, // about oneself
}

// columns are the presets' letters in part D and D2.
var columns = map[string]string{
	"owner": "O", "administrator": "A", "billing": "B", "support": "S", "developer": "D", "all": "*",
}

// ownAffairs is part D's row (self), staffActions its row (staff) with the right
// to read of A13.19.
const (
	ownAffairs = `self.profile.update self.email.change self.password.change self.2fa.enable self.2fa.disable
		self.sessions.revoke self.linked_login.update self.notifications.update account.list account.switch
		account.summary.view membership.leave invite.accept invite.decline ownership.transfer.accept`
	staffActions = `staff.member.add staff.preset.assign staff.ownership.approve staff.ownership.reject staff.2fa.reset
		staff.login_as staff.import.run staff.read`
)

// readingWords end the names of actions that change nothing; pretenders look like
// them and hand out power (ADR 5).
const (
	readingWords = "view list get download export switch read"
	pretenders   = "password.reveal domain.epp.reveal sso.start"
)

// ofService and ofDomain are the actions done on one service or one domain, and
// the lists of such (A13.16, which leaves it to the catalogue whether downloads
// belong to a service). All others are about the account.
const (
	ofService = `service.list service.view service.usage.view addon.view ssl.view download.list download.get
		password.reveal password.change service.action.run service.label.update ssl.configure sso.start service.upgrade service.options.upgrade
		addon.order service.renew service.cancel service.cancel.withdraw addon.cancel subscription.cancel`
	ofDomain = `domain.list domain.view domain.update domain.nameservers.update domain.dns.update domain.whois.update
		domain.lock.update domain.autorenew.update domain.epp.reveal domain.private_ns.update
		domain.email_forwarding.update domain.idprotect.update domain.transfer_out domain.renew mail.domain.receive`
)

// sensitive are the actions of invariant 13, and those by which a login, an
// account or a product changes hands.
const sensitive = `password.reveal password.change domain.epp.reveal domain.transfer_out
	ownership.transfer.request ownership.transfer.confirm ownership.transfer.withdraw ownership.transfer.accept
	account.close account.2fa_policy.set account.ip_rules.set
	user.list user.permissions.view user.invite user.permissions.update user.remove
	card.update paymethod.update service.cancel addon.cancel subscription.cancel
	staff.member.add staff.preset.assign staff.ownership.approve staff.ownership.reject staff.2fa.reset
	staff.login_as staff.import.run
	self.email.change self.password.change self.2fa.disable self.linked_login.update`

// has tells whether a list of words has one.
func has(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}
