package policytool

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorward/internal/portal"
)

// rowFacts is the directory of one row: one account and the people in it.
type rowFacts struct {
	account portal.AccountFacts
	people  map[portal.Ref]portal.Facts
}

// tableFacts are the facts of the row whose turn it is.
type tableFacts struct{ rowFacts }

// Read returns the row's facts for the row's account; elsewhere its people are
// strangers.
func (f rowFacts) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	facts := f.people[key.Subject]
	if key.Account != tableAccount {
		return portal.Facts{User: facts.User}, portal.Position{}, nil
	}
	facts.Account = f.account
	return facts, portal.Position{}, nil
}

// ReadAll reads each key.
func (f rowFacts) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i], _, _ = f.Read(ctx, key)
	}
	return all, portal.Position{}, nil
}

// facts makes the directory of a row.
func (r *Row) facts() (rowFacts, error) {
	f := rowFacts{
		account: portal.AccountFacts{
			Status:      portal.AccountStatus(cmp.Or(r.Account.Status, string(portal.AccountActive))),
			MFARequired: r.Account.MFARequired,
		},
		people: make(map[portal.Ref]portal.Facts),
	}
	for id, who := range map[string]*Who{tableSubject: &r.Who, tableMember: r.Member, tableActor: r.Actor} {
		if who == nil || who.Entity != "" {
			continue
		}
		facts, err := who.facts()
		if err != nil {
			return f, err
		}
		f.people[portal.Ref{Type: cmp.Or(who.Subject, portal.TypeUser), ID: id}] = facts
	}
	return f, nil
}

// facts are what a directory would know of somebody and their place in the account.
func (w *Who) facts() (portal.Facts, error) {
	var f portal.Facts
	grant, err := w.grant()
	if err != nil {
		return f, err
	}
	if w.Subject == portal.TypeContact {
		f.Contact = w.contact(grant)
	} else if w.User != "none" {
		f.User.Status = portal.UserStatus(cmp.Or(w.User, string(portal.UserActive)))
		f.User.Staff = portal.NewStaffRights(w.Staff...)
	}
	state := portal.MembershipState(cmp.Or(w.State, string(portal.MembershipActive)))
	switch state {
	case "none":
		return f, nil
	case "expired": // a state of the answer, not of the directory
		grant.NotAfter, state = time.Unix(1, 0), portal.MembershipActive
	}
	f.Membership = portal.MembershipFacts{State: state, Owner: slices.Equal(grant.Presets, []string{"owner"}), Grant: grant}
	if on, off := w.chosen(true), w.chosen(false); len(on)+len(off) > 0 {
		f.Membership.Mail = &portal.MailChoices{On: on, Off: off}
	}
	return f, nil
}

// contact is the row's contact; nil when the row says that there is none.
func (w *Who) contact(grant *portal.Grant) *portal.ContactFacts {
	if w.User == "none" {
		return nil
	}
	status := portal.ContactActive
	if w.State == string(portal.MembershipRemoved) {
		status = portal.ContactRemoved
	}
	return &portal.ContactFacts{Status: status, Mails: w.chosen(true), Scope: grant.Scope}
}

// chosen lists the mails that were chosen so, by name.
func (w *Who) chosen(on bool) []string {
	var list []string
	for _, mail := range slices.Sorted(maps.Keys(w.Mail)) {
		if w.Mail[mail] == on {
			list = append(list, mail)
		}
	}
	return list
}

func (w *Who) grant() (*portal.Grant, error) {
	g := &portal.Grant{Presets: w.Presets, Categories: w.Categories, AccountWide: w.Wide}
	for _, text := range w.Scope {
		ref, err := portal.ParseRef(text)
		if err != nil {
			return nil, err
		}
		g.Scope = append(g.Scope, ref)
	}
	for _, bound := range []struct {
		text string
		into *time.Time
	}{{w.NotBefore, &g.NotBefore}, {w.NotAfter, &g.NotAfter}} {
		if bound.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, bound.text)
		if err != nil {
			return nil, fmt.Errorf("%q is no time: write it as 2026-01-31T12:00:00Z", bound.text)
		}
		*bound.into = at
	}
	return g, nil
}
