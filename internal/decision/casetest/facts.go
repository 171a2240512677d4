package casetest

import (
	"strings"
	"time"

	"doorward/internal/policy/presets"
	"doorward/internal/portal"
)

func (d drawer) account() portal.AccountFacts {
	status := portal.AccountActive
	if d.rarely(5) {
		status = pick(d, "account", portal.AccountSuspended, portal.AccountClosed, "")
	}
	return portal.AccountFacts{Status: status, MFARequired: d.rarely(4)}
}

func (d drawer) user() portal.UserFacts {
	u := portal.UserFacts{Status: portal.UserActive}
	if d.rarely(10) {
		return portal.UserFacts{}
	}
	if d.rarely(10) {
		u.Status = portal.UserDisabled
	}
	if d.rarely(4) {
		u.Staff = portal.NewStaffRights(some(d, "staff", []string{"staff.read", "staff.login_as", "staff.2fa.reset"})...)
	}
	return u
}

func (d drawer) membership() portal.MembershipFacts {
	if d.rarely(8) {
		return portal.MembershipFacts{}
	}
	m := portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{}}
	if d.rarely(8) {
		m.State = pick(d, "state", portal.MembershipPending, portal.MembershipRemoved)
	}
	if d.rarely(5) {
		m.Owner, m.Grant.Presets = true, []string{presets.Owner}
		return m
	}
	d.grant(m.Grant)
	if mails := d.mails(); d.rarely(3) {
		m.Mail = &portal.MailChoices{On: some(d, "on", mails[:3]), Off: some(d, "off", mails[3:])}
	}
	return m
}

func (d drawer) grant(g *portal.Grant) {
	var offered, categories []string
	for _, name := range d.p.Presets.Names() {
		if name != presets.Owner {
			offered = append(offered, name)
		}
	}
	for _, c := range d.p.Catalogue.Categories {
		categories = append(categories, c.Name)
	}
	g.Presets, g.Categories = some(d, "presets", offered), some(d, "categories", categories)
	if d.rarely(4) {
		g.Scope, g.AccountWide = d.scope(), some(d, "wide", categories)
	}
	if d.rarely(6) {
		g.NotBefore = d.now.Add(pick(d, "not before", -time.Hour, time.Hour))
	}
	if d.rarely(4) {
		g.NotAfter = d.now.Add(pick(d, "not after", -time.Hour, time.Hour, 48*time.Hour))
	}
}

func (d drawer) scope() []portal.Ref {
	all := []portal.Ref{{Type: "service", ID: "5"}, {Type: "service", ID: "6"}, {Type: "domain", ID: "a.example"}}
	return all[:1+len(some(d, "scope", []string{"x", "y"}))]
}

func (d drawer) contact() *portal.ContactFacts {
	if d.rarely(6) {
		return nil
	}
	c := &portal.ContactFacts{Status: portal.ContactActive, Mails: some(d, "mails", d.mails())}
	if d.rarely(8) {
		c.Status = portal.ContactRemoved
	}
	if d.rarely(3) {
		c.Scope = d.scope()
	}
	return c
}

// mails are the mail categories there are.
func (d drawer) mails() []string {
	var names []string
	for _, object := range d.p.Catalogue.Objects() {
		if mail, ok := strings.CutPrefix(object, "mail:"); ok {
			names = append(names, mail)
		}
	}
	return names
}
