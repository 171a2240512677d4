package reference

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"doorward/internal/portal"
)

// A dice chooses.
type dice struct{ *rand.Rand }

// one chance in n.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some picks up to n, perhaps one twice.
func some[T any](d dice, n int, from ...T) []T {
	var picked []T
	for range d.IntN(n + 1) {
		picked = append(picked, pick(d, from...))
	}
	return picked
}

// The people, accounts and things of a random world. ghost and nobody are in
// questions only.
var (
	userIDs    = []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"}
	contactIDs = []string{"c0", "c1", "c2", "c3", "c4", "c5"}
	accountIDs = []string{"a0", "a1", "a2", "a3"}
	services   = []portal.Ref{{Type: "service", ID: "s1"}, {Type: "service", ID: "s2"}, {Type: "service", ID: "s3"}}
	domains    = []portal.Ref{{Type: "domain", ID: "d1"}, {Type: "domain", ID: "d2"}, {Type: "domain", ID: "d3"}}
	things     = slices.Concat(services, domains, services, domains, []portal.Ref{{Type: "none", ID: "n1"}, {Type: "ticket", ID: "t1"}})
)

// names of everything that can be given.
var (
	presetNames   = slices.Sorted(maps.Keys(columns))
	mailNames     = slices.Sorted(maps.Keys(mails))
	categoryNames = func() (names []string) {
		for _, c := range categories {
			names = append(names, c.name)
		}
		return names
	}()
)

// newWorld makes people, accounts, memberships and contacts by chance. It keeps
// what the directory keeps: one owner an account, with the preset owner and
// nothing that limits it; a contact in one account.
func (d dice) newWorld() Directory {
	w := Directory{}
	accounts := map[portal.AccountID]portal.AccountFacts{"": {}, "ghost": {}}
	for _, id := range accountIDs {
		status := pick(d, portal.AccountActive, portal.AccountActive, portal.AccountActive, portal.AccountActive,
			portal.AccountActive, portal.AccountSuspended, portal.AccountClosed)
		accounts[portal.AccountID(id)] = portal.AccountFacts{Status: status, MFARequired: d.one(5)}
	}
	users := map[string]portal.UserFacts{}
	for _, id := range userIDs {
		users[id] = d.newUser()
	}
	sorted := slices.Sorted(maps.Keys(accounts)) // chance must not depend on a map's order
	for _, account := range sorted {
		a, owner := accounts[account], pick(d, userIDs...)
		for _, id := range userIDs {
			u := users[id]
			f := portal.Facts{Account: a, User: u}
			if a.Status != "" && u.Status != "" {
				f.Membership = d.newMembership(id == owner)
			}
			w[portal.FactKey{Account: account, Subject: portal.Ref{Type: portal.TypeUser, ID: id}}] = f
		}
	}
	for _, id := range contactIDs {
		home := portal.AccountID(pick(d, accountIDs...))
		for _, account := range sorted {
			f := portal.Facts{Account: accounts[account]}
			if account == home {
				f.Contact = d.newContact()
			}
			w[portal.FactKey{Account: account, Subject: portal.Ref{Type: portal.TypeContact, ID: id}}] = f
		}
	}
	return w
}

func (d dice) newUser() portal.UserFacts {
	u := portal.UserFacts{Status: portal.UserActive}
	switch d.IntN(50) {
	case 0:
		return portal.UserFacts{}
	case 1, 2:
		u.Status = portal.UserDisabled
	}
	if d.one(3) {
		rights := some(d, 3, "staff.read", "staff.login_as", "staff.login_as", "staff.member.add", "staff.2fa.reset", "staff.import.run", "staff.ownership.approve")
		u.Staff = portal.NewStaffRights(rights...)
	}
	return u
}

func (d dice) newMembership(owner bool) portal.MembershipFacts {
	m := portal.MembershipFacts{State: portal.MembershipActive, Owner: owner, Grant: &portal.Grant{Presets: []string{"owner"}}}
	if d.one(3) {
		m.Mail = d.newChoices()
	}
	if owner {
		m.Grant.Categories = some(d, 1, categoryNames...)
		return m
	}
	m.Grant = d.newGrant()
	switch d.IntN(16) {
	case 0:
		return portal.MembershipFacts{}
	case 1:
		m.State = portal.MembershipPending
	case 2:
		m.State = portal.MembershipRemoved
	}
	return m
}

func (d dice) newGrant() *portal.Grant {
	g := &portal.Grant{}
	if d.one(2) {
		g.Presets = some(d, 2, append([]string{"administrator", "billing", "support", "developer", "all", "nonesuch"}, presetNames...)...)
	}
	if !d.one(3) {
		g.Categories = some(d, 5, append([]string{"users", "tickets", "invoices", "orders", "nonesuch"}, categoryNames...)...)
	}
	if d.one(3) {
		g.Scope = append(some(d, 3, things...), pick(d, things...))
	}
	if len(g.Scope) > 0 && d.one(2) || d.one(20) {
		g.AccountWide = some(d, 4, append([]string{"users", "tickets", "invoices", "orders"}, categoryNames...)...)
	}
	switch d.IntN(12) {
	case 0:
		g.NotBefore = now.Add(d.moment())
	case 1:
		g.NotAfter = now.Add(d.moment())
	case 2, 3:
		g.NotAfter = now.Add(pick(d, time.Hour, 2*time.Hour, 3*time.Hour))
	}
	return g
}

// moment is a time from now, often just at it.
func (d dice) moment() time.Duration {
	return pick(d, -time.Hour, -time.Nanosecond, 0, time.Nanosecond, time.Hour)
}

// newChoices chooses and declines mails, none of them both.
func (d dice) newChoices() *portal.MailChoices {
	c := &portal.MailChoices{}
	for _, m := range mailNames {
		switch d.IntN(3) {
		case 0:
			c.On = append(c.On, m)
		case 1:
			c.Off = append(c.Off, m)
		}
	}
	return c
}

func (d dice) newContact() *portal.ContactFacts {
	c := &portal.ContactFacts{Status: portal.ContactActive, Mails: some(d, 5, mailNames...)}
	if d.one(6) {
		c.Status = portal.ContactRemoved
	}
	if d.one(3) {
		c.Scope = append(some(d, 2, things...), pick(d, things...))
	}
	return c
}

// words are the switches that are a word or yes or no, each with how the model is
// told.
var words = []struct {
	name   string
	values []string
	set    func(s *Switches, value string)
}{
	{"contacts.mode", []string{"notify_only", "limited"}, func(s *Switches, v string) { s.ContactsMode = v }},
	{"delegation.inviters", []string{"owner", "administrators", "holders_of_users"}, func(s *Switches, v string) { s.Inviters = v }},
	{"cancellations", []string{"owner_only", "with_orders"}, func(s *Switches, v string) { s.Cancellations = v }},
	{"ownership.mode", []string{"staff_review", "self_service"}, func(*Switches, string) {}},
	{"direct_add", []string{"false", "true"}, func(*Switches, string) {}},
	{"notify.users", []string{"by_permission", "explicit", "none"}, func(s *Switches, v string) { s.NotifyUsers = v }},
	{"notify.credentials_require_permission", []string{"false", "true"}, func(s *Switches, v string) { s.CredentialsNeedPermission = v == "true" }},
	{"all_semantics", []string{"dynamic", "snapshot"}, func(*Switches, string) {}},
	{"billing.pay", []string{"false", "true"}, func(s *Switches, v string) { s.BillingPay = v == "true" }},
	{"closed.access", []string{"none", "read"}, func(s *Switches, v string) { s.ClosedAccess = v }},
	{"session.require_acting", []string{"false", "false", "true"}, func(s *Switches, v string) { s.RequireActing = v == "true" }},
	{"step_up.mode", []string{"advise", "enforce"}, func(s *Switches, v string) { s.StepUpMode = v }},
	{"suspended.writes", []string{"[]", "[tickets]", "[orders]"}, func(s *Switches, v string) { s.SuspendedWrites = []string{v[1 : len(v)-1]} }},
}

// newSetting sets switches of a profile otherwise: some, by chance, but the first few
// settings by number, so that no value is left out.
func (d dice) newSetting(profile string, number int) (name string, s Switches, changed map[string]string) {
	s, _ = Profile(profile)
	changed = map[string]string{}
	for i, w := range words {
		value := pick(d, w.values...)
		if number < 3 {
			value = w.values[(number+i)%len(w.values)]
		} else if d.one(2) {
			continue
		}
		w.set(&s, value)
		changed[w.name] = value
	}
	return fmt.Sprintf("%q with %v", profile, changed), s, changed
}
