package decision

import (
	"doorward/internal/ijson"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// A Question asks: may Subject do Action on Resource, in this Context? Names
// need not be known, but must be portal.ValidName.
type Question struct {
	Subject  Entity
	Action   Action
	Resource Entity
	Context  ijson.Value // an Object, or absent
}

// An Entity is a subject or a resource with what the asker says of it.
type Entity struct {
	portal.Ref
	Properties ijson.Value // an Object, or absent
}

// An Action is an action of the catalogue with what the asker says of it.
type Action struct {
	Name       string
	Properties ijson.Value // an Object, or absent
}

// A Decision is what was judged. The zero Decision denies.
type Decision struct {
	Allow bool
	// Reason tells why not; "" when Allow.
	Reason Reason
	// Category is the permission that guards the action: the missing one when
	// Reason is CategoryMissing, else the first. "" when no category is involved.
	Category string
	// Obligations are what the asker should do besides, in the policy's order. An
	// allow never depends on their being obeyed.
	Obligations []rules.Obligation
	// Filter lists, with an allow of an action that lists things, those that may be
	// listed; nil: all of the account (A13.16). Do not modify.
	Filter []portal.Ref
	// SwitchTo is the account to act on instead, when Reason is SwitchRequired.
	SwitchTo portal.AccountID
	// Basis is what the decision rests on.
	Basis Basis
}

// A Basis names the policy and the facts of a decision, and how it was found.
type Basis struct {
	Policy   string          // the policy's digest
	Position portal.Position // where the facts were read
	Tier     Tier
}

// A Tier tells how a decision was found: for metrics, never for the answer.
type Tier string

// The tiers.
const (
	TierRefused Tier = "refused" // refused before rules were asked
	TierMemo    Tier = "memo"    // the rules had answered this input before
	TierRules   Tier = "rules"   // the rules were evaluated
)

// An Answer is a Decision or, when the question could not be judged, an error.
type Answer struct {
	Decision Decision
	Err      error
}

// An UnavailableError tells that a question could not be judged. It is never
// remembered, and never an allow.
type UnavailableError struct {
	Code Unavailability
	Err  error // for the log, not for the asker; may be nil
}

// Error names the code and the cause.
func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Unavailability tells why a question could not be judged.
type Unavailability string

// The ways a question cannot be judged.
const (
	NotReady         Unavailability = "not_ready"
	FactsUnavailable Unavailability = "facts_unavailable"
	PolicyError      Unavailability = "policy_error"
	Deadline         Unavailability = "deadline"
	// What is known may be too old, and the directory cannot be asked (R9).
	Stale Unavailability = "stale"
	// The asker demands a later position than there is (R15).
	RevisionNotReached Unavailability = "revision_not_reached"
	// The action is sensitive, and what is kept of such decisions could not be (R16).
	NotRecorded Unavailability = "not_recorded"
)
