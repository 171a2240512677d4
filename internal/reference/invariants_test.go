package reference

import (
	"slices"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// invariants are those of part D that speak of decisions. 5 is about making grants
// and 8 about the directory.
var invariants = []string{
	"invariant 1", "invariant 2", "invariant 3", "invariant 4", "invariant 6", "invariant 7", "invariant 9",
	"invariant 10", "invariant 11", "invariant 12", "invariant 13",
}

// knowledge is what the invariants speak of, read straight from question and facts.
type knowledge struct {
	*situation
	isUser, inForce, isOwner, wellFormed, staffReader bool
}

func (o *observer) knowledge(q Question) knowledge {
	s := &situation{Model: o.pair.model, Question: q, known: o.world.known, now: now}
	k := knowledge{situation: s}
	s.action = s.actions[q.Action]
	k.wellFormed = s.read()
	s.Facts = s.known[portal.FactKey{Account: portal.AccountID(s.account), Subject: q.Subject}]
	if s.Membership.Grant != nil {
		s.grant = *s.Membership.Grant
		if s.Membership.Owner {
			s.grant.Scope = nil
		}
	}
	g := s.grant
	k.isUser = q.Subject.Type == portal.TypeUser && s.User.Status == portal.UserActive
	k.inForce = s.Membership.State == portal.MembershipActive && !now.Before(g.NotBefore) && (g.NotAfter.IsZero() || now.Before(g.NotAfter))
	k.isOwner = k.isUser && k.inForce && s.Membership.Owner
	k.staffReader = s.User.Staff.May("staff.read") && s.reads
	return k
}

// check checks the invariants that one answer can keep or break. It counts those
// whose condition was met.
func (k knowledge) check(a Answer, met reached, broken func(what string)) {
	if !k.wellFormed && a.Allow {
		broken("an ill-formed question is allowed")
	}
	if a.Allow != (a.Reason == "") || !a.Allow && a.Filter != nil {
		broken("an allow with a reason, or a denial without one")
	}
	for _, i := range []struct {
		name      string
		met, kept bool
	}{
		{"invariant 1", k.guardedOrMail() && !k.staffReader && !k.inForce && k.Subject.Type == portal.TypeUser, !a.Allow},
		{"invariant 2", k.ownerUnhindered(), a.Allow},
		{"invariant 3", k.Subject.Type == portal.TypeContact, !a.Allow || k.mayContact()},
		{"invariant 4", k.name == "", !a.Allow && a.Reason == "action_unknown"},
		{"invariant 6", k.class == "guarded" && k.wellFormed && k.isUser && !k.staffReader && k.by == portal.Ref{} &&
			k.acting() == "other", a.Reason == k.elsewhere()},
		{"invariant 7", (k.name == "user.permissions.update" || k.name == "user.remove") && a.Allow, k.mayManage()},
		{"invariant 10", k.Account.MFARequired && !k.mfa && k.isUser && (k.class == "guarded" || k.class == "self") && !k.staffReader,
			!a.Allow || has("self.2fa.enable self.2fa.disable account.switch membership.leave invite.decline", k.name)},
		{"invariant 11", k.Account.Status == portal.AccountClosed && k.guardedOrMail() && !k.staffReader,
			!a.Allow || k.ClosedAccess == "read" && k.reads},
		{"invariant 13", k.sensitive && k.StepUpMode == "enforce" && !k.fresh(), !a.Allow},
	} {
		if i.met {
			met[i.name]++
			if !i.kept {
				broken(i.name)
			}
		}
	}
}

func (k knowledge) guardedOrMail() bool { return k.class == "guarded" || k.class == "mail" }

// ownerUnhindered: the owner asks about the account in use, as themselves, with a
// login that meets every demand.
func (k knowledge) ownerUnhindered() bool {
	return k.isOwner && k.wellFormed && k.class == "guarded" && k.acting() == "same" && k.by == portal.Ref{} &&
		k.Account.Status == portal.AccountActive && (k.mfa || !k.Account.MFARequired) && k.fresh() && k.Resource != k.Subject
}

// mayContact: mail, or the limited ticket actions (A13.8).
func (k knowledge) mayContact() bool {
	return k.class == "mail" || k.ContactsMode == "limited" && slices.Contains([]string{"ticket.open", "ticket.view", "ticket.reply"}, k.name)
}

func (k knowledge) elsewhere() string {
	if k.inForce {
		return "switch_required"
	}
	return "not_member"
}

// mayManage: nobody themselves or the owner, and nobody but the owner what they do
// not hold or hold for a shorter time, or who holds users.
func (k knowledge) mayManage() bool {
	if k.Resource.Type != portal.TypeUser {
		return true
	}
	them := k.known[portal.FactKey{Account: portal.AccountID(k.account), Subject: k.Resource}].Membership
	if k.Resource == k.Subject || them.Owner {
		return false
	}
	if k.isOwner || them.Grant == nil || them.State == portal.MembershipRemoved {
		return true
	}
	for _, c := range categoryNames {
		if k.holds(*them.Grant, c) && (c == "users" || !k.holds(k.grant, c)) {
			return false
		}
	}
	mine, theirs := k.grant.NotAfter, them.Grant.NotAfter
	return mine.IsZero() || !theirs.IsZero() && !theirs.After(mine)
}

// takeAway asks once more after the membership was removed (invariant 9).
func (o *observer) takeAway(t *testing.T, q Question, asked decision.Question, k knowledge) {
	removed := k.Facts
	removed.Membership.State, removed.Membership.Owner = portal.MembershipRemoved, false
	want, got := o.askAgain(t, q, asked, k, removed)
	o.changed("invariant 9", want.Allow, got.Allow, q, want, got)
}

// spellOut asks once more with the categories of the presets in place of their
// names: an allow never comes from a name (invariant 12).
func (o *observer) spellOut(t *testing.T, q Question, asked decision.Question, k knowledge, first Answer, decided bool) {
	if len(k.grant.Presets) == 0 {
		return
	}
	spelt, grant := k.Facts, k.grant
	grant.Presets, grant.Categories = nil, nil
	for _, c := range categoryNames {
		if k.held(c) {
			grant.Categories = append(grant.Categories, c)
		}
	}
	spelt.Membership.Grant = &grant
	want, got := o.askAgain(t, q, asked, k, spelt)
	o.changed("invariant 12", want.Allow != first.Allow, got.Allow != decided, q, want, got)
}

// askAgain asks once more with other facts of the subject.
func (o *observer) askAgain(t *testing.T, q Question, asked decision.Question, k knowledge, other portal.Facts) (Answer, decision.Decision) {
	key := portal.FactKey{Account: portal.AccountID(k.account), Subject: q.Subject}
	o.world.known[key] = other
	want, got, _ := o.ask(t, q, asked)
	o.world.known[key] = k.Facts
	return want, got
}

// changed counts an invariant that speaks of two questions, and tells who broke it.
func (o *observer) changed(name string, model, policy bool, q Question, want Answer, got decision.Decision) {
	o.model[name]++
	o.policy[name]++
	if model {
		o.violated("the model", name, q, want, got)
	}
	if policy {
		o.violated("the policy", name, q, want, got)
	}
}
