package reference

import (
	"maps"
	"slices"
	"strings"

	"doorward/internal/portal"
)

// actionNames are the names of all actions by class.
var actionNames = func() map[string][]string {
	names := map[string][]string{}
	all := actions()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		names[all[name].class] = append(names[all[name].class], name)
	}
	return names
}()

// newQuestion asks anything, mostly something sensible.
func (d dice) newQuestion(w Directory) Question {
	q := Question{Action: d.action(), Subject: d.subject()}
	q.Properties, q.Context = map[string]any{}, map[string]any{}
	account := pick(d, accountIDs...)
	if d.one(40) {
		account = "ghost"
	}
	if strings.HasPrefix(q.Action, "ticket.") && d.one(4) || d.one(40) {
		d.askForContact(&q, w, &account)
	}
	d.aim(&q, w, account)
	d.actFor(&q, w, account)
	d.resource(&q, w, account)
	if q.Resource.Type != portal.TypeAccount && !d.one(5) {
		q.Properties["account"] = account
	}
	d.ticket(&q)
	d.context(&q, account)
	d.spoil(&q)
	return q
}

func (d dice) action() string {
	switch n := d.IntN(100); {
	case n < 50:
		return pick(d, actionNames["guarded"]...)
	case n < 64:
		return pick(d, actionNames["mail"]...)
	case n < 74:
		return pick(d, actionNames["self"]...)
	case n < 79:
		return pick(d, actionNames["staff"]...)
	case n < 88:
		return pick(d, "user.permissions.update", "user.remove", "user.permissions.view")
	case n < 94:
		return pick(d, "ticket.open", "ticket.view", "ticket.reply", "ticket.close")
	case n < 99:
		return pick(d, "service.list", "domain.list", "download.list", "service.cancel", "quote.accept", "mail.domain.receive")
	}
	return pick(d, "invoice.burn", "Invoice.list", "invoice", "", "*", "mail.invoice", "staff")
}

func (d dice) subject() portal.Ref {
	switch n := d.IntN(100); {
	case n < 90:
		return portal.Ref{Type: portal.TypeUser, ID: pick(d, userIDs...)}
	case n < 98:
		return portal.Ref{Type: portal.TypeContact, ID: pick(d, contactIDs...)}
	}
	return portal.Ref{Type: pick(d, "User", "robot", portal.TypeUser, portal.TypeContact), ID: pick(d, "u1", "nobody")}
}

// aim looks for a subject who may do it, mostly: by chance alone few may.
func (d dice) aim(q *Question, w Directory, account string) {
	if q.Subject.Type != portal.TypeUser || d.one(4) {
		return
	}
	for range 8 {
		f := w[portal.FactKey{Account: portal.AccountID(account), Subject: q.Subject}]
		if g := f.Membership.Grant; f.User.Staff.May(q.Action) || g != nil && f.Membership.State == portal.MembershipActive && holdsGuard(*g, q.Action) {
			return
		}
		q.Subject.ID = pick(d, userIDs...)
	}
}

// holdsGuard tells whether a grant holds the first guard of an action, if it has one.
func holdsGuard(g portal.Grant, action string) bool {
	guards := shippedModel.actions[action].guards
	return len(guards) == 0 && !strings.HasPrefix(action, "staff.") || len(guards) > 0 && shippedModel.holds(g, guards[0])
}

var shippedModel = New(silent())

// askForContact asks as a contact that is in the account, about its own ticket.
func (d dice) askForContact(q *Question, w Directory, account *string) {
	q.Subject = portal.Ref{Type: portal.TypeContact, ID: pick(d, contactIDs...)}
	for _, a := range accountIDs {
		if w[portal.FactKey{Account: portal.AccountID(a), Subject: q.Subject}].Contact != nil {
			*account = a
		}
	}
	q.Properties["contact"] = pick[any](d, q.Subject.ID, q.Subject.ID, q.Subject.ID, "c0", "", nil, int64(1), []any{q.Subject.ID})
}

// actFor lets somebody of the staff act, mostly in the owner's name.
func (d dice) actFor(q *Question, w Directory, account string) {
	if !d.one(9) {
		return
	}
	if !d.one(5) {
		q.Subject = portal.Ref{Type: portal.TypeUser, ID: d.owner(w, account, "u0")}
	}
	by := portal.Ref{Type: portal.TypeUser, ID: pick(d, append(userIDs, "nobody")...)}
	for range 8 {
		if !w[portal.FactKey{Subject: by}].User.Staff.May("staff.login_as") {
			by.ID = pick(d, userIDs...)
		}
	}
	if d.one(20) {
		by = pick(d, q.Subject, portal.Ref{Type: portal.TypeContact, ID: "c0"}, portal.Ref{Type: "robot", ID: by.ID})
	}
	properties := map[string]any{"ticket": "T-1", "expires_at": now.Unix() + int64(pick(d, 600, 600, 600, 1, 0, -1))}
	q.Context["actor"] = map[string]any{"type": by.Type, "id": by.ID, "properties": properties}
}

// owner is the id of the account's owner, or other if there is none.
func (d dice) owner(w Directory, account, other string) string {
	for _, id := range userIDs {
		if w[portal.FactKey{Account: portal.AccountID(account), Subject: portal.Ref{Type: portal.TypeUser, ID: id}}].Membership.Owner {
			return id
		}
	}
	return other
}

// resource chooses what the action is done to.
func (d dice) resource(q *Question, w Directory, account string) {
	u := portal.Ref{Type: portal.TypeUser, ID: pick(d, append(userIDs, "nobody")...)}
	whole := portal.Ref{Type: portal.TypeAccount, ID: account}
	manages := strings.HasPrefix(q.Action, "user.")
	switch n := d.IntN(100); {
	case manages && n < 90:
		q.Resource = u
		switch d.IntN(12) {
		case 0:
			q.Resource = q.Subject
		case 1:
			q.Resource.ID = d.owner(w, account, q.Resource.ID)
		}
	case strings.HasPrefix(q.Action, "self.") && n < 75, q.Action == "account.list" && n < 75:
		q.Resource = q.Subject
	case n < 50:
		q.Resource = whole
	case n < 90:
		q.Resource = d.fitting(q.Action)
	case n < 98:
		q.Resource = pick(d, u, portal.Ref{Type: "invoice", ID: "9"}, portal.Ref{Type: "ticket", ID: "t1"})
	default:
		q.Resource = portal.Ref{Type: pick(d, "Account", "account ", "ACCOUNT", "accounts"), ID: account}
	}
}

// fitting is a thing of the kind that the action is about.
func (d dice) fitting(name string) portal.Ref {
	switch {
	case has(ofService, name) && !d.one(8):
		return pick(d, services...)
	case has(ofDomain, name) && !d.one(8):
		return pick(d, domains...)
	}
	return pick(d, things...)
}

// ticket adds a ticket's department and contact.
func (d dice) ticket(q *Question) {
	if !strings.HasPrefix(q.Action, "ticket.") && !d.one(20) {
		return
	}
	switch d.IntN(30) {
	case 0:
		q.Properties["department"] = pick[any](d, int64(1), true, []any{"billing"}, map[string]any{})
	case 1:
		q.Properties["department"] = pick[any](d, nil, strings.Repeat("x", 256), strings.Repeat("x", 257), "Billing", "")
	case 2, 3, 4, 5, 6:
		q.Properties["department"] = "billing"
	case 7, 8:
		q.Properties["department"] = "sales"
	}
}

// context adds the acting account and the login.
func (d dice) context(q *Question, account string) {
	switch n := d.IntN(100); {
	case n < 50:
		q.Context["account"] = account
	case n < 62:
		q.Context["account"] = pick(d, append(accountIDs, "ghost")...)
	}
	if !d.one(3) {
		q.Context["amr"] = pick(d, []any{"otp"}, []any{"pwd", "mfa"}, []any{"pwd"}, []any{}, []any{"hwk"}, []any{"pwd", "sms"}, []any{"sc", "nonesuch"})
	}
	if !d.one(3) {
		ages := []int64{0, 5, 60, 899, 900, 901, 100000, -30, -60, -61, -3600}
		q.Context["auth_time"] = now.Unix() - pick(d, ages...)
	}
}

// spoil gives a part of the question a value that it must not have.
func (d dice) spoil(q *Question) {
	if !d.one(40) {
		return
	}
	wrong := pick[any](d, nil, "", "x\n", true, int64(7), 1.5, []any{int64(1)}, []any{"otp", nil}, map[string]any{}, strings.Repeat("y", 257))
	switch d.IntN(6) {
	case 0:
		q.Properties["account"] = wrong
	case 1:
		q.Context["account"] = wrong
	case 2:
		q.Context["amr"] = wrong
	case 3:
		q.Context["auth_time"] = wrong
	case 4:
		q.Context["actor"] = wrong
	default:
		if actor, ok := q.Context["actor"].(map[string]any); ok {
			actor[pick(d, "type", "id", "properties")] = wrong
			return
		}
		q.Context["actor"] = map[string]any{"type": "user", "id": "u1", "properties": pick[any](d, nil, wrong, map[string]any{"ticket": "T", "expires_at": wrong}, map[string]any{"ticket": wrong, "expires_at": int64(1 << 40)})}
	}
}
