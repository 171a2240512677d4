// Package portal holds the nouns of a customer portal: accounts, the users who
// are members of them, and what a membership grants.
//
// It knows nothing of storage, policy or HTTP, and imports only the standard
// library, so that every other package can speak of the same things. Its
// invariant: the zero value of every status, state and fact grants nothing.
package portal

import "time"

// An AccountID names an account. It compares byte for byte.
type AccountID string

// A UserID names a user. It compares byte for byte: User and user are two people.
type UserID string

// An Account is the billable party that owns products and services (req 1).
type Account struct {
	ID          AccountID
	UUID        string // what the portal calls it besides, if anything
	Name        string
	Status      AccountStatus
	MFARequired bool // the account's policy: members without MFA are refused
	Origin      Origin
	CreatedAt   time.Time
}

// A User is one person with a login of their own (req 2).
type User struct {
	ID     UserID
	Status UserStatus
	Person Person
	// MFA tells whether the person has enrolled a second factor.
	MFA bool
	// Staff is what the person may do as one of the provider's own people (A13.19).
	Staff StaffRights
	// EmailVerifiedAt is when the address was last proved to be theirs. Zero: never.
	EmailVerifiedAt time.Time
	LastLogin       time.Time // to whichever account (req 95)
	Origin          Origin
	CreatedAt       time.Time
}

// A Person is what is personal about a user or a contact (req 13). Stores keep it
// apart, so that it can be erased while ids and the audit trail stay.
type Person struct {
	Email     string
	FirstName string
	LastName  string
	Locale    string
}

// A Membership is a user's place in an account (req 10).
type Membership struct {
	Account AccountID
	User    UserID
	State   MembershipState
	Owner   bool // exactly one membership of an account has it (req 4)
	Grant   Grant
	// Mail is what the member chose to be sent; what was not chosen follows the
	// grant (D2).
	Mail      MailChoices
	LastLogin time.Time // to this account
	Origin    Origin
	CreatedAt time.Time
}

// A Grant is what a membership gives: presets by name, and categories besides.
// The owner's grant is the preset "owner". Names are resolved by the policy in
// force; a name the policy does not know gives nothing.
type Grant struct {
	Presets    []string
	Categories []string
	// Scope limits presets and categories to the listed resources. Empty: the
	// whole account.
	Scope []Ref
	// AccountWide are categories held on the whole account whatever Scope lists
	// (A13.16).
	AccountWide []string
	// NotBefore and NotAfter bound the grant in time: it is in force from
	// NotBefore on and before NotAfter. Zero: no bound.
	NotBefore time.Time
	NotAfter  time.Time
}

// MailChoices are the mail categories that somebody chose to be sent, and chose not
// to be sent, by name, as in invoice. None is in both.
type MailChoices struct {
	On  []string
	Off []string
}

// AccountStatus tells whether an account is in use. The zero value is no account.
type AccountStatus string

// The statuses of an account (A13.15).
const (
	AccountActive    AccountStatus = "active"
	AccountSuspended AccountStatus = "suspended"
	AccountClosed    AccountStatus = "closed"
)

// UserStatus tells whether a user may sign in. The zero value is no user.
type UserStatus string

// The statuses of a user (A13.15).
const (
	UserActive   UserStatus = "active"
	UserDisabled UserStatus = "disabled"
)

// MembershipState tells where a membership is in its life. The zero value is none.
type MembershipState string

// The states of a membership. Expiry is not stored: it is the grant's NotAfter
// judged at the time of the question.
const (
	MembershipActive  MembershipState = "active"
	MembershipPending MembershipState = "pending"
	MembershipRemoved MembershipState = "removed"
)
