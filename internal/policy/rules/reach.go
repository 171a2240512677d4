package rules

import (
	"fmt"
	"slices"

	"doorward/internal/policy/catalogue"
)

// A reach is what questions about one action can amount to.
type reach struct {
	action  *catalogue.Action
	facts   ActionFacts
	schema  *Schema
	has     []bool // parallel to Schema.Has: the leaf is for this action
	request []bool // parallel to Schema.Request
}

func reachOf(a *catalogue.Action, schema *Schema) *reach {
	r := &reach{action: a, schema: schema, facts: ActionFacts{Name: a.Name, Category: a.Category, Effect: a.Effect, Sensitive: a.Sensitive}}
	for _, leaf := range schema.Has {
		r.has = append(r.has, leaf.For(a.Name))
	}
	for _, leaf := range schema.Request {
		r.request = append(r.request, leaf.For(a.Name))
	}
	return r
}

// kind names what decides which inputs there are, given what rules learn about names
// and categories: actions with equal kinds have inputs that no rule can tell apart.
func (r *reach) kind(read readings) string {
	a := r.action
	return fmt.Sprint(read["input.action.name"].of(a.Name), read["input.action.category"].of(a.Category), a.Effect, a.Sensitive, a.Class,
		a.Self == selfAccount, a.Scope == catalogue.ScopeNone, a.List, a.AboutMember, a.Guard.IsEmpty(), a.Category == tickets, r.has, r.request)
}

// What decides, in internal/decision, which resources can be somebody's own.
const (
	selfAccount = "account" // of a self action: an account that one is a member of
	tickets     = "tickets" // the category whose resources can be a contact's
)

// ordinary is the question of a member who may do what is asked: nothing in it gives
// a reason to refuse.
func (r *reach) ordinary() Input {
	if r.action.Class == catalogue.Entity {
		return r.ordinaryEntity()
	}
	in := Input{
		Action:  r.facts,
		Subject: SubjectFacts{Type: "user", Kind: "member", Status: "active"},
		Grant:   GrantFacts{State: "active", Holds: true, InScope: "whole_account", Subscribed: "no"},
		Account: AccountFacts{Status: "active"},
		Session: SessionFacts{MFA: true, MFAFresh: true, Acting: "same", Actor: "nobody"},
		Has:     slices.Clone(r.has),
	}
	if r.action.Mail != "" {
		in.Grant.Subscribed = "chosen"
	}
	in.Resource = ResourceFacts{Own: r.action.Class == catalogue.Self, Member: "nobody"}
	if r.action.AboutMember {
		in.Resource.Member = "covered"
	}
	for _, leaf := range r.schema.Request {
		in.Request = append(in.Request, leaf.Absent)
	}
	return in
}

// bases are the questions of people who may do what is asked, each for a reason of
// their own. Every other input is one of them with something changed. The last ones are
// the others with one thing changed, and so need no pairs of changes of their own.
func (r *reach) bases() (inPairs, singly []Input) {
	if r.action.Class == catalogue.Entity {
		return []Input{r.ordinary()}, nil
	}
	for _, become := range []change{nothing, owner, contact, staff} {
		inPairs = append(inPairs, r.changed(r.ordinary(), become))
	}
	for _, become := range []change{outsider("none"), inTheOwnersName, atHome} {
		singly = append(singly, r.changed(r.ordinary(), become))
	}
	return inPairs, singly
}

// changed is in with something changed, and with what follows from that.
func (r *reach) changed(in Input, change change) Input {
	in.Has, in.Request = slices.Clone(in.Has), slices.Clone(in.Request)
	change(&in)
	if in.Subject.Kind == "owner" { // who holds everything
		copy(in.Has, r.has)
	}
	if r.action.Self == selfAccount && in.Grant.State != "active" { // one's own are those one is in
		in.Resource.Own = false
	}
	return in
}

// possible tells whether the directory and a question can amount to in: what
// internal/decision computes of them, said again as conditions. An input too many
// would only be one more that an invariant must hold for.
func (r *reach) possible(in *Input) bool {
	if r.action.Class == catalogue.Entity {
		return r.possibleEntity(in)
	}
	return r.possibleSubject(&in.Subject) && r.possibleGrant(in) && r.possibleAccount(in) && r.possibleResource(in) && r.possibleParts(in)
}

func (r *reach) possibleSubject(s *SubjectFacts) bool {
	mayStaff := r.action.Class == catalogue.Staff || r.action.Class == catalogue.Guarded && r.action.Effect == catalogue.Read
	switch {
	case s.StaffMay && (!mayStaff || s.Type != "user" || s.Status == "unknown"):
		return false
	case s.Type == "user": // who is unknown is a member of nothing
		return s.Kind != "contact" && (s.Status != "unknown" || s.Kind == "stranger")
	case s.Type == "contact": // contacts are no users, so their status is not known
		return s.Kind == "contact" && s.Status == "unknown"
	}
	return s.Kind == "stranger" && s.Status == "unknown"
}

func (r *reach) possibleGrant(in *Input) bool {
	g, a, member := &in.Grant, r.action, in.Subject.Kind == "member" || in.Subject.Kind == "owner"
	switch {
	case (g.State == "active") != member:
		return false
	case g.State != "none" && (in.Subject.Type != "user" || in.Subject.Status == "unknown"):
		return false
	case g.Holds && !member, !g.Holds && member && a.Guard.IsEmpty() && a.Mail == "":
		return false // an action without guards needs nothing held
	case in.Subject.Kind == "owner" && (!g.Holds || g.InScope != "whole_account"):
		return false // the owner holds everything, everywhere
	case g.Subscribed == "no":
	case a.Mail == "", !member && in.Subject.Kind != "contact", in.Subject.Kind == "contact" && g.Subscribed != "chosen":
		return false
	}
	return r.possibleScope(in)
}

// possibleScope checks a grant's scope: only a grant that names services or domains,
// or a contact's, is less than for the whole account (A13.16).
func (r *reach) possibleScope(in *Input) bool {
	a, contact := r.action, in.Subject.Kind == "contact"
	switch in.Grant.InScope {
	case "whole_account":
		return true
	case "no":
		return a.Class != catalogue.Self && a.Class != catalogue.Staff && (in.Grant.State != "none" || contact && a.Scope != catalogue.ScopeNone)
	}
	return a.Scope != catalogue.ScopeNone && (in.Grant.State != "none" || contact) && (in.Grant.InScope != "listed" || a.List)
}

func (r *reach) possibleAccount(in *Input) bool {
	switch in.Account.Status {
	case "none": // the question names no account, so nobody acts on one
		alone := r.action.Class == catalogue.Self || r.action.Class == catalogue.Staff
		return alone && in.Session.Acting == "absent" && in.Grant.State == "none" && !in.Account.MFARequired
	case "unknown":
		return in.Grant.State == "none" && !in.Account.MFARequired
	}
	return true
}

func (r *reach) possibleResource(in *Input) bool {
	a, user := r.action, in.Subject.Type == "user"
	if in.Resource.Own {
		switch {
		case in.Subject.Kind == "contact":
			if a.Category != tickets {
				return false
			}
		case !user, a.Class != catalogue.Self, a.Self == selfAccount && in.Grant.State != "active":
			return false
		}
	}
	switch in.Resource.Member {
	case "nobody":
		return true
	case "self":
		return a.AboutMember && user
	case "owner", "exceeding": // the owner is one, and covers everybody
		return a.AboutMember && in.Subject.Kind != "owner" && (in.Account.Status != "unknown" || in.Resource.Member != "owner")
	case "manager":
		return a.AboutMember && in.Account.Status != "unknown"
	case "covered": // whoever had a grant may have covered what they no longer may edit
		return a.AboutMember && in.Grant.State != "none"
	}
	return a.AboutMember
}

// possibleParts checks what inputs.yaml declares: only for the actions it is for.
func (r *reach) possibleParts(in *Input) bool {
	for i, held := range in.Has {
		if held && (!r.has[i] || in.Grant.State != "active") || !held && r.has[i] && in.Subject.Kind == "owner" {
			return false
		}
	}
	for i, leaf := range r.schema.Request {
		if in.Request[i] != leaf.Absent && !r.request[i] {
			return false
		}
	}
	return true
}
