package importer

import (
	"strings"
	"time"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// invite reads an invitation (req 81-91). The token that was mailed is never read: a
// pending invitation has to be sent again to be accepted here.
func (o object) invite() invitePlan {
	created, resent := o.time("created_at"), o.time("updated_at")
	accepted, deleted := o.time("accepted_at"), o.time("deleted_at")
	i := invitePlan{Invitation: portal.Invitation{
		ID:        portal.InvitationID(o.id("id")),
		Account:   portal.AccountID(o.id("account")),
		Email:     o.text("email"),
		State:     portal.InvitationPending,
		Grant:     o.in.grants.read(o, false, "an invitation"),
		ByStaff:   o.flag("by_staff"),
		ExpiresAt: o.time("expires_at"),
		Origin:    o.origin(),
		CreatedAt: created,
	}}
	if o.says("invited_by") {
		i.InvitedBy = portal.UserID(o.id("invited_by"))
	}
	if resent.Before(created) {
		resent = created
	}
	if i.ExpiresAt.IsZero() && !resent.IsZero() { // C1: what the export said when it was sent
		i.ExpiresAt = resent.Add(o.in.meta.inviteTTL)
	}
	switch {
	case !accepted.IsZero():
		i.State, i.EndedAt = portal.InvitationAccepted, accepted
	case !deleted.IsZero():
		i.State, i.EndedAt = portal.InvitationRevoked, deleted
	}
	if i.State != portal.InvitationPending {
		i.Email = o.orNone(i.Email)
	}
	o.unknown("id", "account", "email", "permissions", "presets", "categories", "scope", "account_wide", "not_before", "not_after",
		"invited_by", "by_staff", "created_at", "updated_at", "expires_at", "accepted_at", "deleted_at")
	return i
}

func (o object) inviteRow() shelf.Row {
	i := o.invite()
	row := shelf.Row{Kind: shelf.Invite, Account: string(i.Account), ID: string(i.ID), Email: folded(i.Email)}
	switch {
	case i.State != portal.InvitationPending:
	case i.ExpiresAt.IsZero():
		row.Reason = "nothing says when it was sent, so it would be open for ever"
	default:
		row.Reason = badAddress(i.Email)
	}
	if row.Reason == "" {
		o.storable(directory.CheckInvitation(i.Invitation))
	}
	return row
}

// maxHistory bounds what a line of history says, in bytes.
const maxHistory = 32 << 10

// history reads a line of another system's log.
func (o object) history() portal.HistoryLine {
	l := portal.HistoryLine{
		Source: o.in.meta.source, ID: o.id("id"), At: o.time("at"),
		Staff: o.text("staff"), Actor: o.text("actor"), IP: o.text("ip"), Text: o.long("text"),
	}
	if o.says("account") {
		l.Account = portal.AccountID(o.id("account"))
	}
	if o.says("user") {
		l.User = portal.UserID(o.id("user"))
	}
	o.unknown("id", "at", "account", "user", "staff", "actor", "ip", "text")
	return l
}

// long reads a text of many words and lines. NUL, which not every store keeps, becomes
// the sign for what cannot be shown.
func (o object) long(member string) string {
	v := o.value.Get(member)
	switch v.Kind() {
	case ijson.Absent, ijson.Null:
		return ""
	case ijson.String:
		if len(v.Text()) > maxHistory {
			o.faultf(member, "Shorten it.", "longer than %d bytes", maxHistory)
			return ""
		}
		return strings.ReplaceAll(v.Text(), "\x00", "\ufffd")
	default:
		o.faultf(member, "", "must be a string, not %s", v.Kind())
		return ""
	}
}

func (o object) historyRow() shelf.Row {
	l := o.history()
	o.storable(directory.CheckHistory(l))
	return shelf.Row{Kind: shelf.History, Account: string(l.Account), ID: l.ID}
}

func sameInvitation(a, b portal.Invitation) bool {
	times := func(i portal.Invitation) [3]time.Time { return [3]time.Time{i.ExpiresAt, i.EndedAt, i.CreatedAt} }
	for n, at := range times(a) {
		if !at.Equal(times(b)[n]) {
			return false
		}
	}
	return a.Account == b.Account && a.Email == b.Email && a.State == b.State && a.InvitedBy == b.InvitedBy &&
		a.ByStaff == b.ByStaff && a.Origin == b.Origin && sameGrant(a.Grant, b.Grant)
}
