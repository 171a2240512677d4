package importer

import (
	"context"
	"fmt"
	"regexp"
	"time"

	// The image has no time zones of its own, and exports name theirs.
	_ "time/tzdata"

	"doorward/internal/directory"
	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// sourceName is what a source may be called; it goes into the audit trail.
var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// readMeta reads the line that says what the file is.
func (in *reader) readMeta(ctx context.Context, r Record) {
	o := in.object(r)
	if in.meta.line > 0 {
		in.faultf(r.Line, "Import files one by one.", "a second meta line; the first is in line %d", in.meta.line)
		return
	}
	in.meta.line = r.Line
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
	if text := o.text("invite_ttl"); text != "" {
		ttl, err := time.ParseDuration(text)
		if err != nil || ttl <= 0 {
			o.faultf("invite_ttl", `Write a positive time, as in "168h".`, "%s is no time to live", quote(text))
		} else {
			in.meta.inviteTTL = ttl
		}
	}
	o.unknown("format", "source", "version", "exported_at", "timezone", "invite_ttl")
	in.flush(ctx)
}

// user reads a user (req 2). Passwords, tokens and secrets of second factors are never
// read.
func (o object) user() userPlan {
	u := userPlan{line: o.line, statusGiven: o.says("status"), factorGiven: o.has("second_factor"), User: portal.User{
		ID:              portal.UserID(o.id("id")),
		Status:          portal.UserStatus(o.word("status", string(portal.UserActive), string(portal.UserDisabled))),
		Person:          o.person(),
		MFA:             o.text("second_factor") != "",
		EmailVerifiedAt: o.time("email_verified_at"),
		LastLogin:       o.time("last_login"),
		Origin:          o.origin(),
		CreatedAt:       o.time("created_at"),
	}}
	if u.Status == portal.UserDisabled {
		u.Person.Email = o.orNone(u.Person.Email)
	}
	o.unknown("id", "status", "email", "first_name", "last_name", "language", "second_factor",
		"email_verified_at", "last_login", "created_at")
	return u
}

// person reads what is personal.
func (o object) person() portal.Person {
	return portal.Person{
		Email:     o.text("email"),
		FirstName: o.text("first_name"),
		LastName:  o.text("last_name"),
		Locale:    o.text("language"),
	}
}

func (o object) origin() portal.Origin { return portal.Origin{Source: o.in.meta.source} }

func (o object) userRow() shelf.Row {
	u := o.user()
	o.storable(directory.CheckUser(u.User))
	row := shelf.Row{Kind: shelf.User, ID: string(u.ID), Email: folded(u.Person.Email)}
	if u.Status != portal.UserDisabled {
		row.Reason = badAddress(u.Person.Email)
	}
	return row
}

// orNone is the address of what is disabled, removed or over, or none if it is not one
// plain address: that somebody goes must not wait for their address to be mended.
func (o object) orNone(email string) string {
	if email == "" || emailFault(email) == "" {
		return email
	}
	o.in.notes.warn(o.line, "the address of what is out of use is left out, as it is not one plain address")
	return ""
}

// badAddress says why what has the address goes into quarantine.
func badAddress(email string) string {
	if why := emailFault(email); why != "" {
		return "email " + quote(email) + ": " + why
	}
	return ""
}

// accountStatus maps the words of exports to ours (A13.15).
var accountStatus = map[string]portal.AccountStatus{
	"active":    portal.AccountActive,
	"inactive":  portal.AccountActive,
	"suspended": portal.AccountSuspended,
	"closed":    portal.AccountClosed,
}

// account reads an account (req 1).
func (o object) account() accountPlan {
	plan := accountPlan{statusGiven: o.says("status"), mfaGiven: o.has("mfa_required"), account: portal.Account{
		ID:          portal.AccountID(o.id("id")),
		UUID:        o.text("uuid"),
		Name:        o.text("name"),
		Status:      accountStatus[o.word("status", "active", "inactive", "suspended", "closed")],
		MFARequired: o.flag("mfa_required"),
		Origin:      o.origin(),
		CreatedAt:   o.time("created_at"),
	}, billing: portal.ContactID(o.text("billing_contact"))}
	plan.preferences, plan.preferred = o.in.grants.mails(o, "email_preferences")
	if plan.preferred { // what is not declined is sent to an owner anyway
		plan.preferences.On = nil
	}
	if o.has("allow_sso") && !o.flag("allow_sso") {
		o.in.notes.warn(o.line, "an account where single sign-on is switched off; Doorward has no such switch: take sso from its members")
	}
	o.unknown("id", "uuid", "name", "status", "mfa_required", "email_preferences", "billing_contact", "allow_sso", "created_at")
	return plan
}

func (o object) accountRow() shelf.Row {
	a := o.account().account
	o.storable(directory.CheckAccount(a))
	return shelf.Row{Kind: shelf.Account, Account: string(a.ID), ID: string(a.ID)}
}

// LastUsed is a member of memberships that is shown beside them and means nothing in a
// record: so what was shown can be put.
const LastUsed = "last_used"

// membership reads a user's place in an account (req 10).
func (o object) membership() memberPlan {
	m := memberPlan{Membership: portal.Membership{
		Account: portal.AccountID(o.id("account")),
		User:    portal.UserID(o.id("user")),
		State: portal.MembershipState(o.word("state",
			string(portal.MembershipActive), string(portal.MembershipPending), string(portal.MembershipRemoved))),
		Owner:     o.flag("owner"),
		LastLogin: o.time("last_login"),
		Origin:    o.origin(),
		CreatedAt: o.time("created_at"),
	}}
	m.stateGiven = m.Owner || o.says("state")
	m.Grant = o.in.grants.read(o, m.Owner, "a member")
	m.Mail, m.mailed = o.in.grants.mails(o, "emails")
	if m.Owner && m.State != portal.MembershipActive {
		o.faultf("state", "Leave it out.", "the owner's membership is always active")
	}
	o.unknown("id", "user", "account", "owner", "state", "permissions", "presets", "categories", "scope",
		"account_wide", "not_before", "not_after", "emails", "invite", "last_login", LastUsed, "created_at")
	return m
}

func (o object) membershipRow() shelf.Row {
	m := o.membership()
	o.storable(directory.CheckMembership(m.Membership))
	row := shelf.Row{Kind: shelf.Membership, Account: string(m.Account), ID: string(m.User), Owner: m.Owner}
	if o.has("id") {
		row.Own = o.id("id")
	}
	return row
}
