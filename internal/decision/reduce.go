package decision

import (
	"cmp"
	"slices"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// reduce makes of question and facts the small document that rules see. What
// depends on time or on sets is computed here, so that the document has few
// values and says all that the answer may depend on.
func (c *consideration) reduce(p *policy.Policy, who People, now Moment) rules.Input {
	if c.plan.action.Class == catalogue.Entity {
		return c.reduceEntity(p, now)
	}
	facts, action := &who.Subject, c.plan.action
	state, grant := grantState(facts.Membership, now), unlimited(facts.Membership)
	if state == stateActive {
		c.holding = holdingBy(p, facts.Membership)
	}
	in := rules.Input{
		Action: actionFacts(action),
		Subject: rules.SubjectFacts{
			Type:     subjectType(c.question.Subject.Type),
			Kind:     kind(c.question.Subject.Type, facts.Membership, state),
			Status:   cmp.Or(string(facts.User.Status), "unknown"),
			StaffMay: c.acting.by == portal.Ref{} && StaffMay(action, facts.User.Staff),
		},
		Grant: rules.GrantFacts{
			State:      state,
			Holds:      state == stateActive && c.holding.holds(action),
			InScope:    c.inScope(grant),
			Subscribed: c.subscribed(facts.Membership, state),
		},
		Account: rules.AccountFacts{Status: c.accountStatus(facts.Account), MFARequired: facts.Account.MFARequired},
		Session: rules.SessionFacts{
			MFA: c.session.mfa, MFAFresh: c.session.fresh(now.Latest, p.Provider.StepUpMaxAge()),
			Acting: c.account, Actor: c.actor(who.Actor, now.Latest),
		},
		Resource: rules.ResourceFacts{Own: c.own(state), Member: c.member(p, facts.Membership, who.Member)},
		Request:  c.request,
	}
	if in.Subject.StaffMay {
		in.Grant.InScope = scopeWhole // a right of staff knows no scope
	}
	if c.question.Subject.Type == portal.TypeContact {
		c.reduceContact(&in, facts.Contact)
	}
	c.asMember = c.question.Subject.Type == portal.TypeUser && state == stateActive && !in.Subject.StaffMay
	c.subscription, c.scope = in.Grant.Subscribed, in.Grant.InScope
	in.Has = c.has(p)
	return in
}

func actionFacts(a *catalogue.Action) rules.ActionFacts {
	return rules.ActionFacts{Name: a.Name, Category: a.Category, Effect: a.Effect, Sensitive: a.Sensitive}
}

// has tells of every declared category whether it is held where the action is done.
func (c *consideration) has(p *policy.Policy) []bool {
	if len(c.plan.has) == 0 {
		return c.plan.noHas
	}
	has := append(c.hasRoom[:0], c.plan.noHas...)
	for _, i := range c.plan.has {
		has[i] = c.holding.hasHere(p.Rules.Schema().Has[i].Bit, c.scope)
	}
	return has
}

// StaffMay tells whether a right of staff covers an action (A13.19).
func StaffMay(a *catalogue.Action, rights portal.StaffRights) bool {
	switch a.Class {
	case catalogue.Staff:
		return rights.May(a.Name)
	case catalogue.Guarded:
		return a.Effect == catalogue.Read && rights.May(RightRead)
	}
	return false
}

// How somebody is subscribed to a mail, as rules see it.
const (
	mailChosen    = "chosen"
	mailDeclined  = "declined"
	mailByDefault = "by_default"
	mailNo        = "no"
)

// subscribed tells how a member is subscribed to the mail of a mail action: by
// choice, or by the grant. A preset gives mail by its lines, and a category that was
// given by itself the mail that it guards (109, D2).
func (c *consideration) subscribed(m portal.MembershipFacts, state string) string {
	a := c.plan.action
	switch {
	case a.Mail == "" || state != stateActive:
		return mailNo
	case m.Mail != nil && slices.Contains(m.Mail.Off, a.Mail):
		return mailDeclined
	case m.Mail != nil && slices.Contains(m.Mail.On, a.Mail):
		return mailChosen
	case c.holding.all.Has(a.MailBit), len(a.Guards) > 0 && guardGiven(a, m.Grant):
		return mailByDefault
	}
	return mailNo
}

// guardGiven tells whether a mail's guard was given by itself, not by a preset.
func guardGiven(a *catalogue.Action, g *portal.Grant) bool {
	return slices.Contains(g.Categories, a.Guards[0]) || slices.Contains(g.AccountWide, a.Guards[0])
}

// reduceContact puts in what is different for a contact: no membership counts for
// it, it is subscribed to what it was subscribed to, and some tickets are its own
// (A13.8).
func (c *consideration) reduceContact(in *rules.Input, contact *portal.ContactFacts) {
	in.Grant.Subscribed, in.Grant.InScope = mailNo, scopeWhole
	if contact == nil || contact.Status != portal.ContactActive {
		return
	}
	a := c.plan.action
	if a.Mail != "" && slices.Contains(contact.Mails, a.Mail) {
		in.Grant.Subscribed = mailChosen
	}
	if len(contact.Scope) > 0 && a.Scope != catalogue.ScopeNone {
		in.Grant.InScope = covered(a, c.question.Resource.Ref, contact.Scope)
	}
	in.Resource.Own = a.Category == "tickets" && c.question.Resource.Properties.Get("contact").Text() == c.question.Subject.ID
}

// The states of a grant as rules see them.
const (
	stateNone    = "none"
	stateActive  = "active"
	statePending = "pending"
	stateExpired = "expired"
	stateRemoved = "removed"
)

// grantState judges a membership at a time. A grant that has not begun is
// pending; any state that is not known gives nothing.
func grantState(m portal.MembershipFacts, now Moment) string {
	switch m.State {
	case portal.MembershipPending:
		return statePending
	case portal.MembershipRemoved:
		return stateRemoved
	case portal.MembershipActive:
		switch {
		case m.Grant == nil:
			return stateNone
		case !m.Grant.NotAfter.IsZero() && !now.Latest.Before(m.Grant.NotAfter):
			return stateExpired
		case now.Earliest.Before(m.Grant.NotBefore):
			return statePending
		}
		return stateActive
	}
	return stateNone
}

func subjectType(name string) string {
	switch name {
	case portal.TypeUser, portal.TypeContact:
		return name
	}
	return "unknown"
}

func kind(subjectType string, m portal.MembershipFacts, state string) string {
	switch {
	case subjectType == portal.TypeContact:
		return "contact"
	case state != stateActive:
		return "stranger"
	case m.Owner:
		return "owner"
	}
	return "member"
}

func (c *consideration) accountStatus(a portal.AccountFacts) string {
	if c.key.Account == "" {
		return "none"
	}
	return cmp.Or(string(a.Status), "unknown")
}

// own tells whether a self action names the subject's own object (A13.18): the
// user, or an account the user is a member of. Invitations and transfers are not
// in the directory yet, so nobody owns one.
func (c *consideration) own(state string) bool {
	q := &c.question
	switch c.plan.action.Self {
	case portal.TypeUser:
		return q.Subject.Type == portal.TypeUser && q.Resource.Ref == q.Subject.Ref
	case portal.TypeAccount:
		return q.Resource.Type == portal.TypeAccount && state == stateActive
	}
	return false
}

// category names the permission an answer is about: the missing one, else the
// action's first guard. A rule can miss, besides a guard, only a mail and a category
// that inputs.yaml declares for the action.
func (c *consideration) category(p *policy.Policy, outcome *rules.Outcome) string {
	a := c.plan.action
	if Reason(outcome.Reason) == CategoryMissing {
		for _, name := range a.Guards {
			if !c.holding.all.Contains(p.Catalogue.Set(name)) && !(a.ByRole && c.holding.holds(a)) {
				return name
			}
		}
		if a.Mail != "" && (c.subscription == mailNo || c.subscription == mailDeclined || !c.holding.holds(a)) {
			return catalogue.MailObject(a.Mail)
		}
		for _, i := range c.plan.has {
			if leaf := &p.Rules.Schema().Has[i]; !c.holding.hasHere(leaf.Bit, c.scope) {
				return leaf.Category
			}
		}
		if a.Mail != "" {
			return catalogue.MailObject(a.Mail)
		}
	}
	if len(a.Guards) == 0 {
		return ""
	}
	return a.Guards[0]
}

// filter lists the resources that an allowed list action is limited to (A13.16); nil
// when it is limited to none.
func (c *consideration) filter(allow bool, g *portal.Grant) []portal.Ref {
	if !allow || c.scope != scopeListed {
		return nil
	}
	return ofType(c.plan.action.Scope, g.Scope)
}
