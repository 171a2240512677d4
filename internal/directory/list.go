package directory

import "doorward/internal/portal"

// A List names ids of the directory that are read a part at a time, because there can
// be a million of them. The zero List has none.
type List struct {
	Kind    ListKind
	Account portal.AccountID // whose members or contacts
	User    portal.UserID    // whose accounts
}

// A ListKind tells what a List is of.
type ListKind string

// The kinds of list.
const (
	// ListAccounts are all accounts.
	ListAccounts ListKind = "accounts"
	// ListUsers are all users.
	ListUsers ListKind = "users"
	// ListAccountsOf are the accounts that the user has a membership in, of any state.
	ListAccountsOf ListKind = "accounts of a user"
	// ListMembers are the users who have a membership in the account, of any state.
	ListMembers ListKind = "members"
	// ListContacts are the contacts of the account, removed ones too.
	ListContacts ListKind = "contacts"
	// ListStaff are the users who have a right of staff (A13.19).
	ListStaff ListKind = "staff"
)
