package importer

import (
	"context"
	"slices"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// contact reads a contact of an account (req 17). Only its address must be given (req 20).
func (o object) contact() contactPlan {
	c := contactPlan{statusGiven: o.says("status"), Contact: portal.Contact{
		ID:        portal.ContactID(o.id("id")),
		Account:   portal.AccountID(o.id("account")),
		Status:    portal.ContactStatus(o.word("status", string(portal.ContactActive), string(portal.ContactRemoved))),
		Person:    o.person(),
		Scope:     scope(o),
		Origin:    o.origin(),
		CreatedAt: o.time("created_at"),
	}}
	if c.Status == portal.ContactRemoved {
		c.Person.Email = o.orNone(c.Person.Email)
	}
	var mail portal.MailChoices
	mail, c.mailed = o.in.grants.mails(o, "emails")
	c.Mails = mail.On
	c.noLogin = c.Status == portal.ContactRemoved || o.has("subaccount") && !o.flag("subaccount")
	known := []string{
		"id", "account", "status", "email", "first_name", "last_name", "language", "emails", "scope", "subaccount", "created_at",
	}
	if o.flag("subaccount") {
		known = append(known, "permissions")
	}
	o.unknown(known...)
	return c
}

func (o object) contactRow() shelf.Row {
	c := o.contact()
	row := shelf.Row{Kind: shelf.Contact, Account: string(c.Account), ID: string(c.ID), Email: folded(c.Person.Email)}
	if c.Status != portal.ContactRemoved {
		row.Reason = badAddress(c.Person.Email)
	}
	if row.Reason == "" {
		o.storable(directory.CheckContact(c.Contact))
	}
	return row
}

// loginOf is the id of the user made of a contact that could log in before WHMCS 8.
func loginOf(contact string) string { return "contact-" + contact }

// takeLogin makes a user and a membership of a contact that could log in (E3): a
// contact does not act, so whoever does is a user besides (req 35). Of one that is
// removed none is made, and work.endLogin ends what was.
func (in *reader) takeLogin(ctx context.Context, o object) {
	removed := strings.EqualFold(o.value.Get("status").Text(), string(portal.ContactRemoved))
	if !o.flag("subaccount") || removed || len(in.faults) > o.before {
		return
	}
	in.notes.warn(o.line, "a contact that could log in before WHMCS 8; a user is made of it, whose id begins with contact-")
	login := ijson.StringValue(loginOf(o.id("id")))
	user := o.part("user", "email", "first_name", "last_name", "language", "created_at")
	user.value = with(user.value, "id", login)
	row := user.userRow()
	row.Made = true
	in.put(ctx, user, row)
	member := o.part("membership", "account", "permissions", "created_at")
	member.value = with(member.value, "user", login)
	in.put(ctx, member, member.membershipRow())
}

// part is a record of another kind with some of the members of this one.
func (o object) part(kind string, members ...string) object {
	all := []ijson.Member{{Name: "kind", Value: ijson.StringValue(kind)}}
	for _, m := range o.value.Members() {
		if slices.Contains(members, m.Name) {
			all = append(all, m)
		}
	}
	o.kind, o.value = kind, ijson.ObjectValue(all...)
	return o
}

func with(v ijson.Value, name string, value ijson.Value) ijson.Value {
	return ijson.ObjectValue(append(slices.Clone(v.Members()), ijson.Member{Name: name, Value: value})...)
}

// folded is an address to compare with others. Only ASCII is folded: others may look
// alike and be two people (S33).
func folded(email string) string { return strings.Map(lowerASCII, email) }

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func sameContact(a, b portal.Contact) bool {
	return a.Account == b.Account && a.Status == b.Status && a.Person == b.Person && a.Origin == b.Origin && a.CreatedAt.Equal(b.CreatedAt) &&
		slices.Equal(a.Mails, b.Mails) && slices.Equal(a.Scope, b.Scope)
}
