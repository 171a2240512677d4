package storetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// crowd puts two accounts with members in every state, contacts and staff, whose ids
// differ by case, by length, and by what a number would be.
func crowd(t *testing.T, s directory.Store) map[directory.List][]string {
	t.Helper()
	found(t, s)
	other(t, s)
	ids := []string{"10", "9", "A", "_", "a", "a.b", "a:b", "b"}
	var things []any
	for i, id := range ids {
		u, m := user(portal.UserID(id)), member(acme, portal.UserID(id))
		m.State = []portal.MembershipState{portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved}[i%3]
		c, a := contact(acme, portal.ContactID(id)), account(portal.AccountID(id))
		if i%2 == 0 {
			u.Staff, c.Status = portal.NewStaffRights("staff.read"), portal.ContactRemoved
		}
		of := owner(a.ID, ben)
		things = append(things, u, a, of, m, c)
	}
	commit(t, s, things...)
	with := func(more ...string) []string { return slices.Sorted(slices.Values(append(more, ids...))) }
	return map[directory.List][]string{
		{Kind: directory.ListAccounts}:                         with("acme", "other"),
		{Kind: directory.ListUsers}:                            with("anna", "ben"),
		{Kind: directory.ListAccountsOf, User: ben}:            with("acme", "other"),
		{Kind: directory.ListAccountsOf, User: anna}:           {"acme"},
		{Kind: directory.ListAccountsOf, User: "nobody"}:       nil,
		{Kind: directory.ListAccountsOf}:                       nil,
		{Kind: directory.ListMembers, Account: acme}:           with("anna", "ben"),
		{Kind: directory.ListMembers, Account: "other"}:        {"ben"},
		{Kind: directory.ListMembers, Account: "Acme"}:         nil, // S14
		{Kind: directory.ListMembers}:                          nil,
		{Kind: directory.ListContacts, Account: acme}:          with(),
		{Kind: directory.ListContacts, Account: "other"}:       nil,
		{Kind: directory.ListContacts, Account: "' OR 1=1 --"}: nil,
		{Kind: directory.ListStaff}:                            {"10", "A", "a", "a:b"},
	}
}

// Walked in parts of any size a list is the whole list, in its order.
func lists(t *testing.T, s directory.Store) {
	for of, want := range crowd(t, s) {
		for _, limit := range []int{1, 2, 3, len(want) + 1, 1000} {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				part, err := s.IDs(t.Context(), of, after, limit)
				if err != nil || len(part) > limit {
					t.Fatalf("%+v after %q: %v, %v", of, after, part, err)
				}
				if len(part) == 0 {
					break
				}
				got = append(got, part...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v in parts of %d:\n%s", of, limit, diff)
			}
		}
	}
	listsAfterWhatIsNotThere(t, s)
}

func listsAfterWhatIsNotThere(t *testing.T, s directory.Store) {
	t.Helper()
	members := directory.List{Kind: directory.ListMembers, Account: acme}
	got, err := s.IDs(t.Context(), members, "a.", 2)
	if diff := cmp.Diff([]string{"a.b", "a:b"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for of, limit := range map[directory.List]int{members: 0, {}: 10, {Kind: "everything"}: 10} {
		if got, err := s.IDs(t.Context(), of, "", limit); !errors.Is(err, directory.ErrInvalid) || got != nil {
			t.Errorf("%+v, limit %d: %v, %v", of, limit, got, err)
		}
	}
	// An update reads what it has written.
	_, err = s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		if err := put(t.Context(), tx, user("zoe"), member(acme, "zoe")); err != nil {
			return err
		}
		got, err := tx.IDs(t.Context(), members, "b", 10)
		if diff := cmp.Diff([]string{"ben", "zoe"}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
