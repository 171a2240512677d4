package rules

// An Input is everything a rule can know about one question: small facts, every
// one of them always present. Two questions with equal inputs get equal answers,
// which is what lets AppendKey name a remembered answer. The zero Input is
// refused by Eval.
type Input struct {
	Action   ActionFacts
	Subject  SubjectFacts
	Grant    GrantFacts
	Account  AccountFacts
	Session  SessionFacts
	Resource ResourceFacts

	// Has is parallel to Schema.Has: whether the grant holds that category. False
	// for actions that the leaf is not for.
	Has []bool
	// Request is parallel to Schema.Request: the declared parts of the question.
	// The leaf's absent value for actions that the leaf is not for.
	Request []Value
}

// ActionFacts are what the catalogue says of the action.
type ActionFacts struct {
	Name      string
	Category  string // the first guard; "self", "staff", "mail" or "entity" when there is none
	Effect    string // read or write
	Sensitive bool
}

// SubjectFacts are about who asks.
type SubjectFacts struct {
	Type   string // user, contact or unknown
	Kind   string // owner, member, stranger or contact
	Status string // active, disabled or unknown
	// StaffMay tells whether a right of the provider's staff covers the action: the
	// right of that name for a staff action, staff.read for reading in an account.
	StaffMay bool
}

// GrantFacts are about the subject's place in the question's account.
type GrantFacts struct {
	State      string // active, none, pending, expired or removed
	Holds      bool   // all guards of the action
	InScope    string // yes, no, listed or whole_account
	Subscribed string // to a mail action's mail category: chosen, declined, by_default or no
}

// AccountFacts are about the question's account.
type AccountFacts struct {
	Status      string // active, suspended, closed, unknown; none when the question names no account
	MFARequired bool
}

// SessionFacts are about the subject's login, as the asker told them.
type SessionFacts struct {
	MFA      bool   // the login met what the provider counts as several factors
	MFAFresh bool   // the login is not older than the provider's step_up.max_age
	Acting   string // same, other or absent: the acting account against the question's
	Actor    string // who acts in the subject's name: nobody, staff, expired or other
}

// ResourceFacts are about what the action is done to.
type ResourceFacts struct {
	Own bool // the resource is the subject's own
	// Member tells who the action is about, for actions about a member of the
	// account: self, owner, manager, covered, exceeding or stranger; else nobody.
	Member string
}

// A Value is one declared part of a question. The zero Value is no value.
type Value struct {
	Type Type
	Text string // of a string its content, of a number its literal, of a boolean true or false
}

// A Type is the type of a Value.
type Type string

// The types of values.
const (
	String  Type = "string"
	Number  Type = "number"
	Boolean Type = "boolean"
)

// An Outcome is what the rules say of an Input. The zero Outcome denies.
type Outcome struct {
	Allow       bool
	Reason      string // one of Reasons or a guardrail's name; "" when Allow
	Obligations []Obligation
}

// An Obligation is something the asker should do besides.
type Obligation struct {
	ID   string
	JSON []byte // the whole object, canonical, with its id
}
