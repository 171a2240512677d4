package policytool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"doorward/internal/portal"
)

// rowFacts is the directory of one row: one account, one subject.
type rowFacts portal.Facts

// Read returns the row's facts for the row's account; elsewhere the subject is a
// stranger.
func (f rowFacts) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	facts := portal.Facts{}
	if key.Subject == (portal.Ref{Type: portal.TypeUser, ID: tableSubject}) {
		facts.User = f.User
	}
	if key.Account != tableAccount {
		return facts, portal.Position{}, nil
	}
	facts.Account, facts.Membership = f.Account, f.Membership
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
		Account: portal.AccountFacts{
			Status:      portal.AccountStatus(cmp.Or(r.Account.Status, string(portal.AccountActive))),
			MFARequired: r.Account.MFARequired,
		},
		User: portal.UserFacts{Status: portal.UserStatus(cmp.Or(r.Who.User, string(portal.UserActive)))},
	}
	if f.User.Status == "none" {
		f.User.Status = ""
	}
	grant, err := r.Who.grant()
	if err != nil {
		return f, err
	}
	switch r.Who.State {
	case "none":
		return f, nil
	case "expired": // a state of the answer, not of the directory
		grant.NotAfter, r.Who.State = time.Unix(1, 0), string(portal.MembershipActive)
	}
	f.Membership = portal.MembershipFacts{
		State: portal.MembershipState(cmp.Or(r.Who.State, string(portal.MembershipActive))),
		Owner: slices.Equal(grant.Presets, []string{"owner"}),
		Grant: grant,
	}
	return f, nil
}

func (w *Who) grant() (*portal.Grant, error) {
	g := &portal.Grant{Presets: w.Presets, Categories: w.Categories}
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
