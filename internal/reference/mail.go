package reference

import (
	"slices"
	"strings"

	"doorward/internal/portal"
)

// mailed judges whether a member is sent a mail (D2, 109). Mail has no login, so
// what is asked of logins does not stop it (ADR 5).
func (s *situation) mailed() string {
	switch {
	case !s.guardsHeld() && !(s.mail == "product" && s.presetSends()):
		return "category_missing" // 110; 69
	case !s.sent():
		return "category_missing"
	case s.mail == "product" && s.CredentialsNeedPermission && !s.here("product_passwords"):
		return "category_missing" // C10
	case s.mail == "security":
		return s.guardrail()
	case !s.inScope():
		return "out_of_scope" // A13.16
	}
	return s.guardrail()
}

// sent tells whether the member is subscribed (C12).
func (s *situation) sent() bool {
	var chosen, declined bool
	if choices := s.Membership.Mail; choices != nil {
		chosen, declined = slices.Contains(choices.On, s.mail), slices.Contains(choices.Off, s.mail)
	}
	switch {
	case s.mail == "security":
		return true
	case declined:
		return false
	case s.owner() || s.NotifyUsers == "by_permission":
		return chosen || s.byDefault()
	}
	return chosen && s.NotifyUsers == "explicit"
}

// byDefault tells whether the grant brings the mail with it.
func (s *situation) byDefault() bool {
	guard := mails[s.mail].guard
	return s.presetSends() || slices.Contains(s.grant.Categories, guard) || slices.Contains(s.grant.AccountWide, guard)
}

// presetSends tells whether a preset brings the mail with it.
func (s *situation) presetSends() bool {
	return slices.ContainsFunc(s.grant.Presets, func(preset string) bool {
		return columns[preset] != "" && strings.Contains(mails[s.mail].presets, columns[preset])
	})
}

// contact judges a question whose subject is a contact (A13.8, 16).
func (s *situation) contact() string {
	switch {
	case s.Contact == nil || s.Contact.Status != portal.ContactActive || !s.receives() && !s.writesTickets():
		return "contact_never_acts"
	case s.account == "":
		return "account_required"
	case !s.accountExists():
		return "not_member"
	case s.closed() != "":
		return s.closed()
	case s.class == "guarded" && s.suspended():
		return "account_suspended"
	}
	return ""
}

// receives tells whether the contact is sent the mail (22, 25).
func (s *situation) receives() bool {
	if s.class != "mail" || s.mail == "security" || !slices.Contains(s.Contact.Mails, s.mail) {
		return false
	}
	return s.scope == "" || len(s.Contact.Scope) == 0 ||
		s.Resource.Type == s.scope && slices.Contains(s.Contact.Scope, s.Resource)
}

// writesTickets tells whether the contact may do that with a ticket (26, C2).
func (s *situation) writesTickets() bool {
	return s.ContactsMode == "limited" && has("ticket.open ticket.view ticket.reply", s.name) &&
		s.Properties["contact"] == s.Subject.ID && s.department != "billing" && s.acting() != "other"
}
