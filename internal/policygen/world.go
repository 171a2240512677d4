package policygen

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"doorward/internal/portal"
)

// A World is the facts of a small directory. It is a decision.Facts.
type World map[portal.FactKey]portal.Facts

// at is the position of every fact of a World.
var at = portal.Position{Revision: 7, Tag: portal.Tag{7}}

// Read returns the facts of a key.
func (w World) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	return w[key], at, nil
}

// ReadAll returns the facts of each key.
func (w World) ReadAll(_ context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i] = w[key]
	}
	return all, at, nil
}

// World draws a directory with the accounts and people that questions are about.
func (a *Asker) World(t *rapid.T) World {
	w := World{}
	owned := map[portal.AccountID]portal.AccountFacts{}
	for _, id := range accounts {
		status := mostly(portal.AccountActive, portal.AccountSuspended, portal.AccountClosed, "")
		owned[id] = portal.AccountFacts{Status: status.Draw(t, "account status"), MFARequired: oneIn(t, 4)}
	}
	for _, id := range people {
		user := a.user(t)
		subject := portal.Ref{Type: portal.TypeUser, ID: id}
		w[portal.FactKey{Subject: subject}] = portal.Facts{User: user}
		for account, facts := range owned {
			w[portal.FactKey{Account: account, Subject: subject}] = portal.Facts{Account: facts, User: user}
			contact := portal.FactKey{Account: account, Subject: portal.Ref{Type: portal.TypeContact, ID: id}}
			w[contact] = portal.Facts{Account: facts}
		}
		for _, account := range accounts { // in order: what is drawn must not depend on a map
			w.draw(portal.FactKey{Account: account, Subject: subject}, func(f *portal.Facts) { f.Membership = a.membership(t) })
			w.draw(portal.FactKey{Account: account, Subject: portal.Ref{Type: portal.TypeContact, ID: id}}, func(f *portal.Facts) { f.Contact = a.contact(t) })
		}
	}
	return w
}

// draw changes the facts of a key.
func (w World) draw(key portal.FactKey, change func(*portal.Facts)) {
	facts := w[key]
	change(&facts)
	w[key] = facts
}

// mostly draws the usual value more often than all others together.
func mostly[T any](usual T, others ...T) *rapid.Generator[T] {
	for range 2 * len(others) {
		others = append([]T{usual}, others...)
	}
	return rapid.SampledFrom(others)
}

func (a *Asker) user(t *rapid.T) portal.UserFacts {
	status := mostly(portal.UserActive, portal.UserDisabled, "")
	f := portal.UserFacts{Status: status.Draw(t, "user status")}
	if oneIn(t, 3) {
		rights := rapid.SliceOfN(rapid.SampledFrom([]string{"staff.read", "staff.login_as", "staff.2fa.reset"}), 1, 3)
		f.Staff = portal.NewStaffRights(rights.Draw(t, "staff")...)
	}
	return f
}

func (a *Asker) membership(t *rapid.T) portal.MembershipFacts {
	state := mostly(portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved, "")
	m := portal.MembershipFacts{State: state.Draw(t, "state")}
	if m.State == "" {
		return m
	}
	m.Grant = a.grant(t)
	if oneIn(t, 3) {
		m.Owner, m.Grant = true, &portal.Grant{Presets: []string{"owner"}}
	}
	if oneIn(t, 3) {
		mails := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"invoice", "support", "product", "general"}), 0, 2, rapid.ID).Draw(t, "mails")
		m.Mail = &portal.MailChoices{On: mails[:len(mails)/2], Off: mails[len(mails)/2:]}
	}
	return m
}

// grant draws a grant of any categories and presets, known and unknown. It is the
// policy that makes sense of them.
func (a *Asker) grant(t *rapid.T) *portal.Grant {
	categories := rapid.SliceOfN(rapid.SampledFrom(a.cat.Objects()), 0, 4)
	g := &portal.Grant{
		Presets:    rapid.SliceOfN(rapid.SampledFrom(append([]string{"gone"}, a.presets...)), 0, 3).Draw(t, "presets"),
		Categories: categories.Draw(t, "categories"),
		Scope:      scope(t),
	}
	if oneIn(t, 3) {
		g.AccountWide = categories.Draw(t, "account wide")
	}
	if oneIn(t, 4) {
		g.NotAfter = Now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "hours")) * time.Hour)
	}
	if oneIn(t, 8) {
		g.NotBefore = Now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "hours")) * time.Hour)
	}
	return g
}

func scope(t *rapid.T) []portal.Ref {
	if !oneIn(t, 4) {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(things), 0, 3, rapid.ID).Draw(t, "scope")
}

func (a *Asker) contact(t *rapid.T) *portal.ContactFacts {
	if oneIn(t, 3) {
		return nil
	}
	return &portal.ContactFacts{
		Status: mostly(portal.ContactActive, portal.ContactRemoved, "").Draw(t, "contact status"),
		Mails:  rapid.SliceOfN(rapid.SampledFrom([]string{"invoice", "product", "security"}), 0, 2).Draw(t, "mails"),
		Scope:  scope(t),
	}
}
