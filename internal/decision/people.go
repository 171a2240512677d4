package decision

import (
	"strconv"
	"time"

	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// Besides the subject, a question can be about two more people: who acts in the
// subject's name, and the member that is managed.

// An acting is what the asker tells of who acts in the subject's name (A13.19): in
// context.actor, an entity with the properties ticket and expires_at.
type acting struct {
	by    portal.Ref // zero: nobody
	until time.Time
}

// The staff right to act in an owner's name, and the one to read in every account
// (A13.19).
const (
	RightLoginAs = "staff.login_as"
	RightRead    = "staff.read"
)

// readActor reads context.actor. It returns false when it is no user with a ticket
// and a time: staff must not act because a guard failed to fire.
func (c *consideration) readActor() bool {
	actor := c.question.Context.Get("actor")
	switch actor.Kind() {
	case ijson.Absent, ijson.Null:
		return true
	case ijson.Object:
	default:
		return false
	}
	by := portal.Ref{Type: actor.Get("type").Text(), ID: actor.Get("id").Text()}
	if actor.Get("type").Kind() != ijson.String || actor.Get("id").Kind() != ijson.String || !portal.ValidName(by.Type) || !portal.ValidName(by.ID) {
		return false
	}
	if by == c.question.Subject.Ref {
		return true // everybody acts in their own name
	}
	properties := actor.Get("properties")
	ticket, until := properties.Get("ticket"), properties.Get("expires_at")
	if ticket.Kind() != ijson.String || !portal.ValidName(ticket.Text()) || until.Kind() != ijson.Number {
		return false
	}
	seconds, err := strconv.ParseInt(until.Text(), 10, 64)
	if err != nil {
		return false
	}
	c.acting = acting{by: by, until: time.Unix(seconds, 0)}
	return true
}

// actor tells who acts in the subject's name, as rules see it.
func (c *consideration) actor(u portal.UserFacts, now time.Time) string {
	switch {
	case c.acting.by == portal.Ref{}:
		return "nobody"
	case c.acting.by.Type != portal.TypeUser || u.Status != portal.UserActive || !u.Staff.May(RightLoginAs):
		return "other"
	case !now.Before(c.acting.until):
		return "expired"
	}
	return "staff"
}

// aboutMember tells whether the resource is a member of the account that is managed.
func (c *consideration) aboutMember() bool {
	return c.plan.action.AboutMember && c.question.Resource.Type == portal.TypeUser && c.key.Account != ""
}

// namesMember tells whether an action about a member is done to a user, or to the
// account, which asks whether one manages people at all. Of a resource of any other
// type nobody could tell whom it is about, and what protects them would not apply.
func (c *consideration) namesMember() bool {
	typ := c.question.Resource.Type
	return !c.plan.action.AboutMember || typ == portal.TypeUser || typ == portal.TypeAccount
}

// member tells who is managed, as rules see it (A13.7, invariant 7).
func (c *consideration) member(p *policy.Policy, mine, m portal.MembershipFacts) string {
	switch {
	case !c.aboutMember():
		return "nobody"
	case c.question.Resource.Ref == c.question.Subject.Ref, c.question.Resource.Ref == c.acting.by:
		return "self"
	case m.Owner:
		return "owner"
	case m.State != portal.MembershipActive && m.State != portal.MembershipPending:
		return "stranger"
	}
	theirs := holdingOf(p, m.Grant)
	if bit, ok := p.Catalogue.Bit("users"); ok && theirs.all.Has(bit) {
		return "manager"
	}
	if mine.Owner || Covers(p, mine.Grant, m.Grant) {
		return "covered"
	}
	return "exceeding"
}

// alone tells whether a question is about its subject only.
func (c *consideration) alone() bool {
	return c.acting.by == portal.Ref{} && (c.plan == nil || !c.aboutMember())
}

// keys appends the keys of all facts that the question needs: the subject's, the
// actor's and the managed member's, as far as there are such people.
func (c *consideration) keys(dst []portal.FactKey) []portal.FactKey {
	dst = append(dst, c.key)
	if c.acting.by != (portal.Ref{}) {
		dst = append(dst, portal.FactKey{Subject: c.acting.by})
	}
	if c.plan != nil && c.aboutMember() {
		dst = append(dst, portal.FactKey{Account: c.key.Account, Subject: c.question.Resource.Ref})
	}
	return dst
}

// People are the facts of everybody that a question is about.
type People struct {
	Subject portal.Facts
	Actor   portal.UserFacts       // who acts in the subject's name, if anybody does
	Member  portal.MembershipFacts // the member that is managed, if one is
}

// people takes the facts of keys off the front of facts. It returns how many it took.
func (c *consideration) people(facts []portal.Facts) (who People, taken int) {
	who.Subject, taken = facts[0], 1
	if c.acting.by != (portal.Ref{}) {
		who.Actor = facts[taken].User
		taken++
	}
	if c.plan != nil && c.aboutMember() {
		who.Member = facts[taken].Membership
		taken++
	}
	return who, taken
}
