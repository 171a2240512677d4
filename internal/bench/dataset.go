package main

import (
	"context"
	"fmt"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// membersPerAccount is how many users share an account of the dataset: one for
// each of these presets.
const membersPerAccount = 5

var presetsOfAccount = [membersPerAccount]string{"owner", "administrator", "billing", "support", "developer"}

// A member is one membership of the dataset.
type member struct {
	account portal.AccountID
	user    portal.UserID
	preset  string
}

// dataset makes n memberships, always the same.
func dataset(n int) []member {
	members := make([]member, n)
	for i := range members {
		members[i] = member{
			account: portal.AccountID(fmt.Sprintf("account-%d", i/membersPerAccount)),
			user:    portal.UserID(fmt.Sprintf("user-%d", i)),
			preset:  presetsOfAccount[i%membersPerAccount],
		}
	}
	return members
}

// fill puts the dataset into an empty directory.
func fill(ctx context.Context, store directory.Store, members []member) error {
	const accountsAtOnce = 2000
	for start := 0; start < len(members); start += accountsAtOnce * membersPerAccount {
		part := members[start:min(len(members), start+accountsAtOnce*membersPerAccount)]
		_, err := store.Update(ctx, func(tx directory.Tx) error {
			tx.Log(audit.Entry{Actor: "bench", Action: "fill", Object: "directory"})
			return put(ctx, tx, part)
		})
		if err != nil {
			return fmt.Errorf("fill the directory: %w", err)
		}
	}
	return nil
}

func put(ctx context.Context, tx directory.Tx, members []member) error {
	for _, m := range members {
		owner := m.preset == "owner"
		if owner {
			if err := tx.PutAccount(ctx, portal.Account{ID: m.account, Name: string(m.account), Status: portal.AccountActive}); err != nil {
				return err
			}
		}
		if err := tx.PutUser(ctx, portal.User{ID: m.user, Status: portal.UserActive}); err != nil {
			return err
		}
		if err := tx.PutMembership(ctx, portal.Membership{
			Account: m.account, User: m.user, Owner: owner,
			State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{m.preset}},
		}); err != nil {
			return err
		}
	}
	return nil
}
