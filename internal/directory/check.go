package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"doorward/internal/audit"
	"doorward/internal/portal"
)

// The Check functions say what every Store refuses to keep. Their errors wrap
// ErrInvalid and name the field.

// CheckAccount checks the fields of an account.
func CheckAccount(a portal.Account) error {
	c := checker{what: "account:" + string(a.ID)}
	c.id("id", string(a.ID))
	c.text("uuid", a.UUID)
	c.text("name", a.Name)
	c.origin(a.Origin, a.Status == portal.AccountClosed)
	switch a.Status {
	case portal.AccountActive, portal.AccountSuspended, portal.AccountClosed:
	default:
		c.wrong("status", "%q is none of active, suspended, closed", a.Status)
	}
	c.time("creation", a.CreatedAt)
	return c.err
}

// CheckUser checks the fields of a user.
func CheckUser(u portal.User) error {
	c := checker{what: "user:" + string(u.ID)}
	c.id("id", string(u.ID))
	switch u.Status {
	case portal.UserActive, portal.UserDisabled:
	default:
		c.wrong("status", "%q is none of active, disabled", u.Status)
	}
	c.origin(u.Origin, u.Status == portal.UserDisabled)
	c.time("proof of the address", u.EmailVerifiedAt)
	c.time("last login", u.LastLogin)
	c.person(u.Person)
	c.names("staff rights", u.Staff.Actions())
	if portal.NewStaffRights(u.Staff.Actions()...) != u.Staff {
		c.wrong("staff rights", "%q is not sorted, or names one twice", u.Staff)
	}
	c.time("creation", u.CreatedAt)
	return c.err
}

// CheckMembership checks the fields of a membership by themselves. An owner is a
// member in force: no account may depend on one who is pending or removed (req 4).
func CheckMembership(m portal.Membership) error {
	c := checker{what: fmt.Sprintf("membership of user:%s in account:%s", m.User, m.Account)}
	c.id("account", string(m.Account))
	c.id("user", string(m.User))
	switch m.State {
	case portal.MembershipActive:
	case portal.MembershipPending, portal.MembershipRemoved:
		if m.Owner {
			c.wrong("owner", "an owner's membership must be active, not %s", m.State)
		}
	default:
		c.wrong("state", "%q is none of active, pending, removed", m.State)
	}
	c.origin(m.Origin, m.State == portal.MembershipRemoved)
	c.grant(m.Grant)
	c.choices(m.Mail)
	c.time("last login", m.LastLogin)
	c.time("creation", m.CreatedAt)
	return c.err
}

// CheckContact checks the fields of a contact by themselves. Only the address must
// be given (req 20), and what is personal of a removed contact may be erased.
func CheckContact(contact portal.Contact) error {
	c := checker{what: "contact:" + string(contact.ID)}
	c.id("id", string(contact.ID))
	c.id("account", string(contact.Account))
	switch contact.Status {
	case portal.ContactActive:
		if contact.Person.Email == "" {
			c.wrong("email", "is missing: a contact is there to receive mail")
		}
	case portal.ContactRemoved:
	default:
		c.wrong("status", "%q is none of active, removed", contact.Status)
	}
	c.origin(contact.Origin, contact.Status == portal.ContactRemoved)
	c.person(contact.Person)
	c.names("mails", contact.Mails)
	c.scope(contact.Scope)
	c.time("creation", contact.CreatedAt)
	return c.err
}

// CheckInvitation checks the fields of an invitation by themselves. Its address may be
// erased once it has ended.
func CheckInvitation(i portal.Invitation) error {
	c := checker{what: "invitation:" + string(i.ID)}
	c.id("id", string(i.ID))
	c.id("account", string(i.Account))
	if i.InvitedBy != "" {
		c.id("inviter", string(i.InvitedBy))
	}
	switch i.State {
	case portal.InvitationPending:
		if i.Email == "" {
			c.wrong("email", "is missing: nobody could accept it")
		}
		if i.ExpiresAt.IsZero() {
			c.wrong("expiry", "is missing: it would be open for ever")
		}
	case portal.InvitationAccepted, portal.InvitationRevoked:
	default:
		c.wrong("state", "%q is none of pending, accepted, revoked", i.State)
	}
	c.text("email", i.Email)
	c.origin(i.Origin, i.State == portal.InvitationRevoked)
	c.grant(i.Grant)
	c.time("expiry", i.ExpiresAt)
	c.time("end", i.EndedAt)
	c.time("creation", i.CreatedAt)
	return c.err
}

// CheckHistory checks the fields of a line of another system's log.
func CheckHistory(l portal.HistoryLine) error {
	c := checker{what: "history of " + l.Source + ", line " + l.ID}
	c.names("source", []string{l.Source})
	c.id("id", l.ID)
	if l.Account != "" {
		c.id("account", string(l.Account))
	}
	if l.User != "" {
		c.id("user", string(l.User))
	}
	for _, s := range []string{l.Staff, l.Actor, l.IP, l.Text} {
		c.text("text", s)
	}
	c.time("time", l.At)
	return c.err
}

// CheckToken checks the fields of a token.
func CheckToken(t Token) error {
	c := checker{what: "token " + t.ID}
	c.id("id", t.ID)
	c.text("name", t.Name)
	c.names("scopes", t.Scopes)
	c.limits(t.Limits)
	if t.Digest == [32]byte{} {
		c.wrong("digest", "is missing")
	}
	c.time("creation", t.CreatedAt)
	c.time("revocation", t.RevokedAt)
	return c.err
}

// CheckEntry checks an entry of the trail: who and what must be said, and every
// text must be one that all stores keep as it is.
func CheckEntry(e audit.Entry) error {
	c := checker{what: "audit entry " + e.Action}
	if e.Actor == "" || e.Action == "" {
		c.wrong("actor and action", "must be given")
	}
	for _, s := range []string{e.Actor, e.Client, e.Action, e.Object} {
		c.text("text", s)
	}
	for k, v := range e.Detail {
		c.text("detail", k)
		c.text("detail "+k, v)
	}
	return c.err
}

// A checker keeps the first thing wrong with what.
type checker struct {
	what string
	err  error
}

func (c *checker) wrong(field, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%q: %w: %s: %s", c.what, ErrInvalid, field, fmt.Sprintf(format, args...))
	}
}

func (c *checker) id(field, s string) {
	if !portal.ValidID(s) {
		c.wrong(field, "%q is no id: 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ -", s)
	}
}

// text refuses what a store could not give back byte for byte. PostgreSQL keeps
// no NUL.
func (c *checker) text(field, s string) {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		c.wrong(field, "%q is not plain UTF-8 text", s)
	}
}

// origin refuses what was pruned and is in use all the same: an import would take it
// for its own to open again.
func (c *checker) origin(o portal.Origin, ended bool) {
	if o.Source != "" {
		c.names("source", []string{o.Source})
	}
	if o.Pruned && (!ended || o.Source == "") {
		c.wrong("origin", "pruned, and yet in use or of no source")
	}
}

func (c *checker) names(field string, names []string) {
	for _, s := range names {
		if !portal.ValidName(s) {
			c.wrong(field, "%q is no name", s)
		}
	}
}

func (c *checker) person(p portal.Person) {
	c.text("email", p.Email)
	c.text("first name", p.FirstName)
	c.text("last name", p.LastName)
	c.text("locale", p.Locale)
}

// limits refuses those that are none: whoever reads them would not know whether the
// client may ask everything or nothing.
func (c *checker) limits(l *portal.Limits) {
	if l == nil {
		return
	}
	if len(l.Accounts)+len(l.Types) == 0 {
		c.wrong("limits", "are of nothing")
	}
	for _, id := range l.Accounts {
		c.id("account", string(id))
	}
	c.names("types", l.Types)
}

// choices refuses mail that is both chosen and declined.
func (c *checker) choices(m portal.MailChoices) {
	c.names("mail", m.On)
	c.names("mail", m.Off)
	for _, s := range m.On {
		if slices.Contains(m.Off, s) {
			c.wrong("mail", "%q is both chosen and declined", s)
		}
	}
}

func (c *checker) grant(g portal.Grant) {
	c.names("presets", g.Presets)
	c.names("categories", g.Categories)
	c.names("account-wide categories", g.AccountWide)
	c.scope(g.Scope)
	c.time("validity", g.NotBefore)
	c.time("validity", g.NotAfter)
}

func (c *checker) scope(refs []portal.Ref) {
	for _, r := range refs {
		if !portal.ValidID(r.Type) || !portal.ValidID(r.ID) || strings.Contains(r.Type, ":") {
			c.wrong("scope", "%q does not name a resource: write type:id, as in service:5", r)
		}
	}
}

// time refuses what does not fit RFC 3339, whose years have four digits.
func (c *checker) time(field string, t time.Time) {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		c.wrong(field, "the year %d is not between 1 and 9999", y)
	}
}
