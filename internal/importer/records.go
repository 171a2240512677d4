package importer

import (
	"fmt"
	"regexp"
	"time"

	// The image has no time zones of its own, and exports name theirs.
	_ "time/tzdata"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// sourceName is what a source may be called; it goes into the audit trail.
var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// readMeta reads the line that says what the file is.
func (in *reader) readMeta(line int, value ijson.Value) {
	o := in.object("meta", line, value)
	if in.meta.line > 0 {
		o.in.faultf(line, "Import files one by one.", "a second meta line; the first is in line %d", in.meta.line)
		return
	}
	in.meta.line = line
	in.meta.zone = time.UTC
	if format := o.text("format"); format != Format {
		o.faultf("format", fmt.Sprintf("This version reads %q.", Format), "cannot read %s", quote(format))
	}
	if in.meta.source = o.text("source"); !sourceName.MatchString(in.meta.source) {
		o.faultf("source", `Name the system it comes from, as in "source":"whmcs".`, "missing, or not a short lower-case name")
	}
	if name := o.text("timezone"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			o.faultf("timezone", `Use an IANA name, as in "Europe/London".`, "there is no time zone %s", quote(name))
		} else {
			in.meta.zone = zone
		}
	}
	o.unknown("format", "source", "version", "exported_at", "timezone", "invite_ttl")
	in.flush()
}

// zone is the zone of times without one.
func (in *reader) zone() *time.Location {
	if in.meta.zone == nil {
		return time.UTC
	}
	return in.meta.zone
}

// readUser reads a user (req 2). Passwords, tokens and secrets of second factors
// are never read.
func (in *reader) readUser(line int, value ijson.Value) {
	o := in.object("user", line, value)
	u := userPlan{line: line, statusGiven: o.says("status"), factorGiven: o.has("second_factor"), User: portal.User{
		ID:     portal.UserID(o.id("id")),
		Status: portal.UserStatus(o.word("status", string(portal.UserActive), string(portal.UserDisabled))),
		Person: portal.Person{
			Email:     o.text("email"),
			FirstName: o.text("first_name"),
			LastName:  o.text("last_name"),
			Locale:    o.text("language"),
		},
		MFA:       o.text("second_factor") != "",
		CreatedAt: o.time("created_at"),
	}}
	if why := emailFault(u.Person.Email); why != "" {
		o.faultf("email", "Give one plain address, as in anna@example.org.", "%s", why)
	}
	o.storable(directory.CheckUser(u.User))
	o.unknown("id", "status", "email", "first_name", "last_name", "language", "second_factor", "created_at")
	if u.ID == "" {
		in.lost = true
		return
	}
	if first, ok := in.users[u.ID]; ok {
		o.faultf("id", "Ids are unique within the file.", "user %s is already in line %d", u.ID, first.line)
		return
	}
	in.users[u.ID] = record[userPlan]{line, u}
	in.order.users = append(in.order.users, u.ID)
}

// accountStatus maps the words of exports to ours (A13.15).
var accountStatus = map[string]portal.AccountStatus{
	"active":    portal.AccountActive,
	"inactive":  portal.AccountActive,
	"suspended": portal.AccountSuspended,
	"closed":    portal.AccountClosed,
}

// readAccount reads an account (req 1).
func (in *reader) readAccount(line int, value ijson.Value) {
	o := in.object("account", line, value)
	plan := accountPlan{statusGiven: o.says("status"), mfaGiven: o.has("mfa_required"), account: portal.Account{
		ID:          portal.AccountID(o.id("id")),
		Name:        o.text("name"),
		Status:      accountStatus[o.word("status", "active", "inactive", "suspended", "closed")],
		MFARequired: o.flag("mfa_required"),
		CreatedAt:   o.time("created_at"),
	}}
	a := plan.account
	mail, given := in.grants.mails(o, "email_preferences")
	o.storable(directory.CheckAccount(a))
	o.unknown("id", "name", "status", "mfa_required", "email_preferences", "created_at")
	if a.ID == "" {
		in.lost = true
		return
	}
	if first, ok := in.accounts[a.ID]; ok {
		o.faultf("id", "Ids are unique within the file.", "account %s is already in line %d", a.ID, first.line)
		return
	}
	if given { // what is not declined is sent to an owner anyway
		in.preferences[a.ID] = portal.MailChoices{Off: mail.Off}
	}
	in.accounts[a.ID] = record[accountPlan]{line, plan}
	in.order.accounts = append(in.order.accounts, a.ID)
}

// readMembership reads a user's place in an account (req 10).
func (in *reader) readMembership(line int, value ijson.Value) {
	o := in.object("membership", line, value)
	m := memberPlan{Membership: portal.Membership{
		Account: portal.AccountID(o.id("account")),
		User:    portal.UserID(o.id("user")),
		State: portal.MembershipState(o.word("state",
			string(portal.MembershipActive), string(portal.MembershipPending), string(portal.MembershipRemoved))),
		Owner:     o.flag("owner"),
		LastLogin: o.time("last_login"),
		CreatedAt: o.time("created_at"),
	}}
	m.stateGiven = m.Owner || o.says("state")
	m.Grant = in.grants.read(o, m.Owner)
	m.Mail, m.mailed = in.grants.mails(o, "emails")
	if m.Owner && m.State != portal.MembershipActive {
		o.faultf("state", "Leave it out.", "the owner's membership is always active")
	}
	o.storable(directory.CheckMembership(m.Membership))
	o.unknown("id", "user", "account", "owner", "state", "permissions", "presets", "categories", "scope",
		"account_wide", "not_before", "not_after", "emails", "last_login", "created_at")
	if m.Account != "" && m.User != "" && in.claimID(o) {
		in.seat(o, m)
	}
}

// claimID notes a membership's own id, which is optional, and tells whether it
// is its first use.
func (in *reader) claimID(o object) bool {
	if o.value.Get("id").Kind() == ijson.Absent {
		return true
	}
	id := o.id("id")
	if first, ok := in.ids[id]; ok && id != "" {
		o.faultf("id", "Ids are unique within the file.", "membership %s is already in line %d", id, first)
		return false
	}
	in.ids[id] = o.line
	return id != ""
}

// seat notes the membership m.
func (in *reader) seat(o object, m memberPlan) {
	at := seat{m.Account, m.User}
	if first, ok := in.memberships[at]; ok {
		in.faultf(o.line, "Put what both grant into one.",
			"user %s is already a member of account %s in line %d", m.User, m.Account, first.line)
		return
	}
	in.memberships[at] = record[memberPlan]{o.line, m}
	in.order.seats[m.Account] = append(in.order.seats[m.Account], at)
}
