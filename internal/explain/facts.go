package explain

import (
	"time"

	"doorward/internal/decision"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// A subject is what is explained: a case, what was judged of it, and the action; nil
// when the catalogue has none of that name.
type subject struct {
	*decision.Case
	judged *decision.Judgement
	action *catalogue.Action
	guards []Guard // what the answer can depend on
}

func newSubject(c *decision.Case, j *decision.Judgement) subject {
	s := subject{Case: c, judged: j}
	s.action, _ = c.Policy.Catalogue.Action(c.Question.Action.Name)
	s.guards = s.permissions()
	return s
}

// Facts are what the directory says of everybody in a question: nothing of entities.
type Facts struct {
	Account    *Account    `json:"account,omitempty"`
	User       *User       `json:"user,omitempty"`
	Membership *Membership `json:"membership,omitempty"`
	Contact    *Contact    `json:"contact,omitempty"`
	Actor      *User       `json:"actor,omitempty"`  // who acts in the subject's name
	Member     *Membership `json:"member,omitempty"` // the member that is managed
	// Unknown are the people and the account that the directory does not have.
	Unknown []string `json:"unknown,omitempty"`
}

// An Account is what counts of an account.
type Account struct {
	ID          portal.AccountID     `json:"id"`
	Status      portal.AccountStatus `json:"status"`
	MFARequired bool                 `json:"mfa_required"`
}

// A User is what counts of a user.
type User struct {
	Ref    string            `json:"ref"`
	Status portal.UserStatus `json:"status"`
	Staff  []string          `json:"staff,omitempty"`
}

// A Membership is a place in the account and what was granted there.
type Membership struct {
	Ref         string                 `json:"ref"`
	State       portal.MembershipState `json:"state"`
	Owner       bool                   `json:"owner"`
	Presets     []string               `json:"presets,omitempty"`
	Categories  []string               `json:"categories,omitempty"`
	AccountWide []string               `json:"account_wide,omitempty"`
	Scope       []string               `json:"scope,omitempty"`
	NotBefore   string                 `json:"not_before,omitempty"`
	NotAfter    string                 `json:"not_after,omitempty"`
	MailOn      []string               `json:"mail_on,omitempty"`
	MailOff     []string               `json:"mail_off,omitempty"`
}

// A Contact is what counts of a contact.
type Contact struct {
	Ref    string               `json:"ref"`
	Status portal.ContactStatus `json:"status"`
	Mails  []string             `json:"mails,omitempty"`
	Scope  []string             `json:"scope,omitempty"`
}

func (s subject) facts() Facts {
	var f Facts
	if s.aboutEntities() {
		return f
	}
	f = FactsOf(s.Account, s.Question.Subject.Ref, s.People.Subject)
	if s.Actor != (portal.Ref{}) {
		f.Actor = userFacts(s.Actor, s.People.Actor)
	}
	if s.Member != (portal.Ref{}) {
		f.Member = membershipFacts(s.Member, s.People.Member)
	}
	f.Unknown = s.unknown(f)
	return f
}

// FactsOf shows what is known of somebody in an account.
func FactsOf(account portal.AccountID, who portal.Ref, of portal.Facts) (f Facts) {
	if a := of.Account; a.Status != "" {
		f.Account = &Account{ID: account, Status: a.Status, MFARequired: a.MFARequired}
	}
	f.User, f.Membership = userFacts(who, of.User), membershipFacts(who, of.Membership)
	if c := of.Contact; c != nil {
		f.Contact = &Contact{Ref: who.String(), Status: c.Status, Mails: c.Mails, Scope: texts(c.Scope)}
	}
	return f
}

// unknown are those of whom f says nothing, as nothing is known.
func (s subject) unknown(f Facts) (refs []string) {
	who := s.Question.Subject.Ref
	if who.Type == portal.TypeUser && f.User == nil || who.Type == portal.TypeContact && f.Contact == nil {
		refs = append(refs, who.String())
	}
	if s.Account != "" && f.Account == nil {
		refs = append(refs, portal.Ref{Type: portal.TypeAccount, ID: string(s.Account)}.String())
	}
	if s.Actor != (portal.Ref{}) && f.Actor == nil {
		refs = append(refs, s.Actor.String())
	}
	return refs
}

func userFacts(who portal.Ref, u portal.UserFacts) *User {
	if u.Status == "" {
		return nil
	}
	return &User{Ref: who.String(), Status: u.Status, Staff: u.Staff.Actions()}
}

func membershipFacts(who portal.Ref, m portal.MembershipFacts) *Membership {
	if m.State == "" {
		return nil
	}
	shown := &Membership{Ref: who.String(), State: m.State, Owner: m.Owner}
	if g := m.Grant; g != nil {
		shown.Presets, shown.Categories, shown.AccountWide, shown.Scope = g.Presets, g.Categories, g.AccountWide, texts(g.Scope)
		shown.NotBefore, shown.NotAfter = timeText(g.NotBefore), timeText(g.NotAfter)
	}
	if m.Mail != nil {
		shown.MailOn, shown.MailOff = m.Mail.On, m.Mail.Off
	}
	return shown
}

func texts(refs []portal.Ref) []string {
	var all []string
	for _, r := range refs {
		all = append(all, r.String())
	}
	return all
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
