package importer

import (
	"slices"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// readContact reads a contact of an account (req 17). Only its address must be given
// (req 20).
func (in *reader) readContact(line int, value ijson.Value) {
	o := in.object("contact", line, value)
	c := contactPlan{statusGiven: o.says("status"), Contact: portal.Contact{
		ID:      portal.ContactID(o.id("id")),
		Account: portal.AccountID(o.id("account")),
		Status:  portal.ContactStatus(o.word("status", string(portal.ContactActive), string(portal.ContactRemoved))),
		Person: portal.Person{
			Email:     o.text("email"),
			FirstName: o.text("first_name"),
			LastName:  o.text("last_name"),
			Locale:    o.text("language"),
		},
		Scope:     scope(o),
		CreatedAt: o.time("created_at"),
	}}
	var mail portal.MailChoices
	mail, c.mailed = in.grants.mails(o, "emails")
	c.Mails = mail.On
	if why := emailFault(c.Person.Email); why != "" && (c.Person.Email != "" || c.Status != portal.ContactRemoved) {
		o.faultf("email", "Give one plain address, as in books@acme.example.", "%s", why)
	}
	if o.flag("subaccount") {
		in.notes.warn(line, "a contact that could log in before WHMCS 8; it is taken as a contact, make it a user if it is to log in")
	}
	o.storable(directory.CheckContact(c.Contact))
	o.unknown("id", "account", "status", "email", "first_name", "last_name", "language", "emails", "scope", "subaccount", "created_at")
	in.contact(o, c)
}

// contact notes the contact c.
func (in *reader) contact(o object, c contactPlan) {
	if c.ID == "" || c.Account == "" {
		return
	}
	if first, ok := in.contacts[c.ID]; ok {
		o.faultf("id", "Ids are unique within the file.", "contact %s is already in line %d", c.ID, first.line)
		return
	}
	in.contacts[c.ID] = record[contactPlan]{o.line, c}
	in.order.contacts[c.Account] = append(in.order.contacts[c.Account], c.ID)
}

// checkContacts refuses contacts of accounts that the file does not have.
func (in *reader) checkContacts() {
	for _, c := range in.contacts {
		if _, ok := in.accounts[c.value.Account]; !ok {
			in.faultf(c.line, "Add its line, or leave this one out.", "/account: the file has no account %s", c.value.Account)
		}
	}
}

// warnAboutContacts reports contacts who would be sent everything twice, being a
// member of the account under the same address.
func (in *reader) warnAboutContacts() {
	for account, ids := range in.order.contacts {
		addresses := map[string]bool{}
		for _, at := range in.order.seats[account] {
			addresses[folded(in.users[at.user].value.Person.Email)] = true
		}
		for _, id := range ids {
			if c := in.contacts[id]; addresses[folded(c.value.Person.Email)] {
				in.notes.warn(c.line, "a contact with the email address of a member of its account")
			}
		}
	}
}

// folded is an address to compare with others. Only ASCII is folded: others may look
// alike and be two people (S33).
func folded(email string) string { return strings.Map(lowerASCII, email) }

func sameContact(a, b portal.Contact) bool {
	return a.Account == b.Account && a.Status == b.Status && a.Person == b.Person && a.CreatedAt.Equal(b.CreatedAt) &&
		slices.Equal(a.Mails, b.Mails) && slices.Equal(a.Scope, b.Scope)
}
