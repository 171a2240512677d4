package explain

import (
	"slices"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// ofMembership makes, ends and restores the membership.
func (s subject) ofMembership() []candidate {
	m := s.People.Subject.Membership
	to := func(text string, state portal.MembershipState) []candidate {
		return []candidate{{ofGrant, text, func(c *decision.Case) { c.People.Subject.Membership.State = state }}}
	}
	switch m.State {
	case portal.MembershipActive:
		if m.Owner {
			return nil // an owner cannot be removed (8)
		}
		return to("remove them from the account", portal.MembershipRemoved)
	case portal.MembershipPending:
		return to("let them accept the invitation", portal.MembershipActive)
	case portal.MembershipRemoved:
		return to("restore the membership that was ended", portal.MembershipActive)
	}
	if s.Account == "" || s.Question.Subject.Type != portal.TypeUser {
		return nil
	}
	return s.joining()
}

// joining makes the subject a member with one category, or one preset.
func (s subject) joining() []candidate {
	join := func(text string, g portal.Grant) candidate {
		return candidate{ofGrant, "make them a member with the " + text, func(c *decision.Case) {
			c.People.Subject.Membership = portal.MembershipFacts{State: portal.MembershipActive, Grant: &g}
		}}
	}
	var list []candidate
	for _, name := range s.delegable() {
		list = append(list, join("category "+name, portal.Grant{Categories: []string{name}}))
	}
	for _, name := range s.offered(nil) {
		list = append(list, join("preset "+name+s.because(name, false), portal.Grant{Presets: []string{name}}))
	}
	return list
}

// ofMail changes what the member chose to be sent.
func (s subject) ofMail() []candidate {
	mail := s.action.Mail
	if mail == "" || !s.granted() {
		return nil
	}
	choose := func(text string, change func(*portal.MailChoices)) candidate {
		return candidate{ofPerson, text + mail, func(c *decision.Case) {
			var choices portal.MailChoices
			if before := c.People.Subject.Membership.Mail; before != nil {
				choices = portal.MailChoices{On: without(before.On, mail), Off: without(before.Off, mail)}
			}
			change(&choices)
			c.People.Subject.Membership.Mail = &choices
		}}
	}
	return []candidate{
		choose("let them choose the mail ", func(m *portal.MailChoices) { m.On = append(m.On, mail) }),
		choose("let them decline the mail ", func(m *portal.MailChoices) { m.Off = append(m.Off, mail) }),
		choose("let them make no choice of the mail ", func(*portal.MailChoices) {}),
	}
}

// ofContact changes what a contact is subscribed to, and for what.
func (s subject) ofContact() []candidate {
	if s.Question.Subject.Type != portal.TypeContact {
		return nil
	}
	mail, resource := s.action.Mail, s.Question.Resource.Ref
	if s.People.Subject.Contact == nil {
		if mail == "" {
			return nil
		}
		return []candidate{toContact("make it a contact of the account, subscribed to the mail "+mail, func(c *portal.ContactFacts) {
			*c = portal.ContactFacts{Status: portal.ContactActive, Mails: []string{mail}}
		})}
	}
	list := []candidate{
		toContact("let the contact be for all of the account", func(c *portal.ContactFacts) { c.Scope = nil }),
		toContact("restore the contact", func(c *portal.ContactFacts) { c.Status = portal.ContactActive }),
		toContact("remove the contact", func(c *portal.ContactFacts) { c.Status = portal.ContactRemoved }),
	}
	if resource.Type == s.action.Scope {
		list = slices.Insert(list, 0, toContact("add "+resource.String()+" to what the contact is for", func(c *portal.ContactFacts) {
			c.Scope = append(without(c.Scope, resource), resource)
		}))
	}
	if mail == "" {
		return list
	}
	return slices.Insert(list, 0,
		toContact("subscribe the contact to the mail "+mail, func(c *portal.ContactFacts) { c.Mails = append(without(c.Mails, mail), mail) }),
		toContact("end the contact's subscription to the mail "+mail, func(c *portal.ContactFacts) { c.Mails = without(c.Mails, mail) }))
}

// toContact makes a candidate that changes the contact, of which change gets a copy.
func toContact(text string, change func(*portal.ContactFacts)) candidate {
	return candidate{ofPerson, text, func(c *decision.Case) {
		var contact portal.ContactFacts
		if before := c.People.Subject.Contact; before != nil {
			contact = *before
		}
		change(&contact)
		c.People.Subject.Contact = &contact
	}}
}

// ofUser changes whether the user may sign in at all.
func (s subject) ofUser() []candidate {
	to := func(text string, status portal.UserStatus) []candidate {
		return []candidate{{ofPerson, text, func(c *decision.Case) { c.People.Subject.User.Status = status }}}
	}
	switch {
	case s.Question.Subject.Type != portal.TypeUser:
		return nil
	case s.People.Subject.User.Status == portal.UserActive:
		return to("disable the user", portal.UserDisabled)
	case s.People.Subject.User.Status == "":
		return to("bring the user into the directory", portal.UserActive)
	}
	return to("enable the user", portal.UserActive)
}

// ofStaff gives and takes the rights of the provider's staff that can count (A13.19).
// Who has none is a customer, for whom that is no advice.
func (s subject) ofStaff() []candidate {
	rights := s.People.Subject.User.Staff.Actions()
	if s.Question.Subject.Type != portal.TypeUser || len(rights) == 0 {
		return nil
	}
	right := ""
	switch {
	case s.action.Class == catalogue.Staff:
		right = s.action.Name
	case s.action.Class == catalogue.Guarded && s.action.Effect == catalogue.Read:
		right = decision.RightRead
	default:
		return nil
	}
	text, changed := "give the staff right "+right, append(slices.Clone(rights), right)
	if s.People.Subject.User.Staff.May(right) {
		text, changed = "take away the staff right "+right, without(rights, right)
	}
	return []candidate{{ofPerson, text, func(c *decision.Case) { c.People.Subject.User.Staff = portal.NewStaffRights(changed...) }}}
}

// ofMember takes from the member that is managed what may be too much (A13.7).
func (s subject) ofMember() []candidate {
	g := s.People.Member.Grant
	if s.Member == (portal.Ref{}) || g == nil || s.People.Member.Owner {
		return nil
	}
	take := func(text string, change func(*portal.Grant)) candidate {
		return candidate{ofGrant, "take away from " + s.Member.String() + " the " + text, func(c *decision.Case) {
			c.People.Member.Grant = copied(c.People.Member.Grant)
			change(c.People.Member.Grant)
		}}
	}
	var list []candidate
	for _, name := range union(g.Categories, g.AccountWide) {
		list = append(list, take("category "+name, func(g *portal.Grant) {
			g.Categories, g.AccountWide = without(g.Categories, name), without(g.AccountWide, name)
		}))
	}
	for _, name := range g.Presets {
		list = append(list, take("preset "+name, func(g *portal.Grant) { g.Presets = without(g.Presets, name) }))
	}
	return list
}
