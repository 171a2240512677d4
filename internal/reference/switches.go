package reference

import "time"

// Switches are the provider's answers (A11) as far as decisions depend on them.
type Switches struct {
	ContactsMode              string   // C2: notify_only or limited
	Inviters                  string   // C6: owner, administrators or holders_of_users
	AllAdds                   []string // A13.2: what the preset all has besides
	Cancellations             string   // C5: owner_only or with_orders
	NotifyUsers               string   // C12: by_permission, explicit or none
	CredentialsNeedPermission bool     // C10
	BillingPay                bool     // A13.4
	ClosedAccess              string   // A13.15: none or read
	SuspendedWrites           []string // A13.15: categories
	RequireActing             bool     // req 104
	MFAMethods                []string // req 111
	StepUpMode                string   // invariant 13: advise or enforce
	StepUpMaxAge              time.Duration
}

// silent is where the articles say nothing, or nothing that differs: the chosen
// defaults of A12, A13.4, A13.15 and ADR 5.
func silent() Switches {
	return Switches{
		ContactsMode: "notify_only", Inviters: "owner", Cancellations: "with_orders", NotifyUsers: "explicit",
		BillingPay: true, ClosedAccess: "none", SuspendedWrites: []string{"invoices", "payment_methods", "tickets"},
		MFAMethods: []string{"mfa", "otp", "hwk", "sc"}, StepUpMode: "advise", StepUpMaxAge: 15 * time.Minute,
	}
}

// Profile returns a column of A12 by the profile's name. The name "" is the shipped
// setting: simple, with people authorized by administrators (ADR 5).
func Profile(name string) (s Switches, ok bool) {
	s = silent()
	switch name {
	case "": // ADR 5
		s.Inviters = "administrators"
	case "mixed": // column 000
		s.ContactsMode, s.NotifyUsers = "limited", "by_permission"
	case "indichosts": // column 001
		s.ContactsMode, s.NotifyUsers = "limited", "by_permission"
		s.Inviters, s.AllAdds = "holders_of_users", []string{"users"}
	case "webops": // column 002
		s.Cancellations = "owner_only"
	case "simple": // column 003
	case "four-roles": // column 004
		s.Inviters, s.Cancellations, s.NotifyUsers = "administrators", "owner_only", "by_permission"
	default:
		return Switches{}, false
	}
	return s, true
}
