package wire

import (
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// Facts are written with every member they have, so that one that was lost is a fault and
// not a grant without a limit. Whoever adds a member that takes something away (a limit, a
// condition) also writes its name into requires of the object it is in, where it is set:
// a gate that does not know it then fails to read the answer that they are in.

func (w *writer) facts(key portal.FactKey, f portal.Facts) {
	w.braces(func(w *writer) {
		w.key(key)
		w.object("of_account", true, func(w *writer) {
			w.text("status", string(f.Account.Status))
			w.flag("mfa_required", f.Account.MFARequired)
		})
		w.object("of_user", true, func(w *writer) {
			w.text("status", string(f.User.Status))
			w.text("staff", string(f.User.Staff))
		})
		w.object("membership", f.Membership != portal.MembershipFacts{}, func(w *writer) { w.membership(f.Membership) })
		w.object("contact", f.Contact != nil, func(w *writer) {
			w.text("status", string(f.Contact.Status))
			w.texts("mails", f.Contact.Mails)
			w.refs("scope", f.Contact.Scope)
		})
	})
}

func (w *writer) membership(m portal.MembershipFacts) {
	w.text("state", string(m.State))
	w.flag("owner", m.Owner)
	w.object("grant", m.Grant != nil, func(w *writer) {
		w.texts("presets", m.Grant.Presets)
		w.texts("categories", m.Grant.Categories)
		w.refs("scope", m.Grant.Scope)
		w.texts("account_wide", m.Grant.AccountWide)
		w.moment("not_before_us", m.Grant.NotBefore)
		w.moment("not_after_us", m.Grant.NotAfter)
	})
	w.object("mail", m.Mail != nil, func(w *writer) {
		w.texts("on", m.Mail.On)
		w.texts("off", m.Mail.Off)
	})
}

// facts reads what is known of a key.
func (r *reader) facts(v ijson.Value, key portal.FactKey) (f portal.Facts) {
	if !r.expect(v, ijson.Object) {
		return f
	}
	r.enter(v, func(o object) {
		if o.key() != key {
			r.fail("is about another key than was asked for")
			return
		}
		f.Account, f.User = o.account("of_account"), o.user("of_user")
		o.object("membership", func(o object) { f.Membership = o.membership() })
		var contact portal.ContactFacts
		if o.object("contact", func(o object) {
			contact = portal.ContactFacts{
				Status: oneOf(o, "status", portal.ContactActive, portal.ContactRemoved), Mails: o.texts("mails"), Scope: o.refs("scope"),
			}
		}) {
			f.Contact = &contact
		}
	})
	return f
}

// A status that this program does not know might be one that shuts somebody out, so it is
// a fault.

func (o object) account(name string) (f portal.AccountFacts) {
	o.member(name, ijson.Object, func(v ijson.Value) {
		o.r.enter(v, func(o object) {
			f.Status = oneOf(o, "status", "", portal.AccountActive, portal.AccountSuspended, portal.AccountClosed)
			f.MFARequired = o.flag("mfa_required")
		})
	})
	return f
}

func (o object) user(name string) (f portal.UserFacts) {
	o.member(name, ijson.Object, func(v ijson.Value) {
		o.r.enter(v, func(o object) {
			f.Status = oneOf(o, "status", "", portal.UserActive, portal.UserDisabled)
			f.Staff = portal.StaffRights(o.text("staff"))
		})
	})
	return f
}

func (o object) membership() (m portal.MembershipFacts) {
	m.State = oneOf(o, "state", portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved)
	m.Owner = o.flag("owner")
	o.member("grant", ijson.Object, func(v ijson.Value) { o.r.enter(v, func(o object) { m.Grant = o.grant() }) })
	var mail portal.MailChoices
	if o.object("mail", func(o object) { mail = portal.MailChoices{On: o.texts("on"), Off: o.texts("off")} }) {
		m.Mail = &mail
	}
	return m
}

func (o object) grant() *portal.Grant {
	return &portal.Grant{
		Presets: o.texts("presets"), Categories: o.texts("categories"),
		Scope: o.refs("scope"), AccountWide: o.texts("account_wide"),
		NotBefore: o.moment("not_before_us"), NotAfter: o.moment("not_after_us"),
	}
}

// key writes what a read is about: the members account and subject.
func (w *writer) key(key portal.FactKey) {
	w.text("account", string(key.Account))
	w.name("subject")
	w.pair(key.Subject)
}

func (o object) key() (key portal.FactKey) {
	key.Account = portal.AccountID(o.maybe("account"))
	o.member("subject", ijson.Array, func(v ijson.Value) { key.Subject = o.r.pair(v) })
	return key
}
