package storetest

import (
	"context"
	"fmt"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// Over is the fixture of a directory whose rows store and other keep.
func Over(s directory.Store, store, other barrier.Store) Fixture {
	update := func(t *testing.T, fn func(context.Context, directory.Tx) error) portal.Position {
		t.Helper()
		at, err := s.Update(t.Context(), func(tx directory.Tx) error {
			tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put", Object: "account:a0"})
			return fn(t.Context(), tx)
		})
		return must(t, at, err)
	}
	promoted := 0
	return Fixture{
		Store: store, Other: other, Key: key,
		Put: func(t *testing.T, user int, active bool) portal.Position {
			t.Helper()
			return update(t, func(ctx context.Context, tx directory.Tx) error { return put(ctx, tx, key(user).Subject.ID, active) })
		},
		Promote: func(t *testing.T) portal.Position {
			t.Helper()
			promoted++
			p := directory.Promotion{Digest: fmt.Sprintf("%064x", promoted), Bundle: []byte("bundle")}
			return update(t, func(ctx context.Context, tx directory.Tx) error { return tx.PutPolicy(ctx, p) })
		},
	}
}

func key(user int) portal.FactKey {
	return portal.FactKey{Account: "a0", Subject: portal.Ref{Type: portal.TypeUser, ID: fmt.Sprint("u", user)}}
}

// put makes a member of a0, which has an owner.
func put(ctx context.Context, tx directory.Tx, id string, active bool) error {
	user := portal.User{ID: portal.UserID(id), Status: portal.UserDisabled}
	if active {
		user.Status = portal.UserActive
	}
	member := portal.Membership{Account: "a0", User: user.ID, State: portal.MembershipActive}
	owner := portal.Membership{Account: "a0", User: "anna", State: portal.MembershipActive, Owner: true}
	if err := tx.PutAccount(ctx, portal.Account{ID: "a0", Status: portal.AccountActive}); err != nil {
		return err
	}
	for _, u := range []portal.User{{ID: owner.User, Status: portal.UserActive}, user} {
		if err := tx.PutUser(ctx, u); err != nil {
			return err
		}
	}
	for _, m := range []portal.Membership{owner, member} {
		if err := tx.PutMembership(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
