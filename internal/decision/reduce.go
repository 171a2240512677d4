package decision

import (
	"cmp"
	"slices"
	"time"

	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// reduce makes of question and facts the small document that rules see. What
// depends on time or on sets is computed here, so that the document has few
// values and says all that the answer may depend on.
func (c *consideration) reduce(p *policy.Policy, facts portal.Facts, now time.Time) rules.Input {
	action := c.plan.action
	state := grantState(facts.Membership, now)
	held := heldBy(p, facts.Membership, state)
	c.held = held
	in := rules.Input{
		Action: rules.ActionFacts{
			Name: action.Name, Category: action.Category, Effect: string(action.Effect), Sensitive: action.Sensitive,
		},
		Subject: rules.SubjectFacts{
			Type:   subjectType(c.question.Subject.Type),
			Kind:   kind(c.question.Subject.Type, facts.Membership, state),
			Status: cmp.Or(string(facts.User.Status), "unknown"),
		},
		Grant: rules.GrantFacts{
			State:      state,
			Holds:      state == stateActive && held.Contains(action.Guard),
			InScope:    c.inScope(facts.Membership.Grant),
			Subscribed: action.Mail != "" && held.Has(action.MailBit),
		},
		Account: rules.AccountFacts{Status: c.accountStatus(facts.Account), MFARequired: facts.Account.MFARequired},
		Session: rules.SessionFacts{
			MFA: c.session.mfa, MFAFresh: c.session.fresh(now, p.Provider.StepUpMaxAge()), Acting: c.acting,
		},
		Resource: rules.ResourceFacts{Own: c.own(state)},
		Has:      c.plan.noHas,
		Request:  c.request,
	}
	if len(c.plan.has) > 0 {
		in.Has = append(c.hasRoom[:0], c.plan.noHas...)
		for _, i := range c.plan.has {
			in.Has[i] = held.Has(p.Rules.Schema().Has[i].Bit)
		}
	}
	return in
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
func grantState(m portal.MembershipFacts, now time.Time) string {
	switch m.State {
	case portal.MembershipPending:
		return statePending
	case portal.MembershipRemoved:
		return stateRemoved
	case portal.MembershipActive:
		switch {
		case m.Grant == nil:
			return stateNone
		case !m.Grant.NotAfter.IsZero() && !now.Before(m.Grant.NotAfter):
			return stateExpired
		case now.Before(m.Grant.NotBefore):
			return statePending
		}
		return stateActive
	}
	return stateNone
}

// heldBy expands a grant in force to categories; any other holds nothing.
func heldBy(p *policy.Policy, m portal.MembershipFacts, state string) catalogue.Set {
	if state != stateActive {
		return catalogue.Set{}
	}
	return p.Presets.Holds(m.Grant.Presets, m.Grant.Categories)
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

// inScope tells whether a scoped grant covers the resource (A13.16): only an
// action with a scope, on a listed resource of that type, is covered.
func (c *consideration) inScope(g *portal.Grant) string {
	switch {
	case g == nil || len(g.Scope) == 0:
		return "whole_account"
	case c.plan.action.Scope == catalogue.ScopeNone:
		return "no"
	case c.question.Resource.Type == c.plan.action.Scope && slices.Contains(g.Scope, c.question.Resource.Ref):
		return "yes"
	}
	return "no"
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
// action's first guard. A rule can miss, besides a guard, only the subscription
// to a mail and a category that inputs.yaml declares for the action.
func (c *consideration) category(p *policy.Policy, outcome *rules.Outcome) string {
	guards := c.plan.action.Guards
	if Reason(outcome.Reason) == CategoryMissing {
		for _, name := range guards {
			if !c.held.Contains(p.Catalogue.Set(name)) {
				return name
			}
		}
		if mail := c.plan.action.Mail; mail != "" && !c.held.Has(c.plan.action.MailBit) {
			return catalogue.MailObject(mail)
		}
		for _, i := range c.plan.has {
			if leaf := &p.Rules.Schema().Has[i]; !c.held.Has(leaf.Bit) {
				return leaf.Category
			}
		}
	}
	if len(guards) == 0 {
		return ""
	}
	return guards[0]
}
