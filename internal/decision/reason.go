package decision

// A Reason tells why a question was judged no. The list is closed: a policy
// whose rules answer with anything else could not be judged (docs/reasons.md).
type Reason string

// The reasons of a denial, besides the names of guardrails.
const (
	NotMember        Reason = "not_member"
	Pending          Reason = "pending"
	Expired          Reason = "expired"
	Removed          Reason = "removed"
	CategoryMissing  Reason = "category_missing"
	OutOfScope       Reason = "out_of_scope"
	ActionUnknown    Reason = "action_unknown"
	SubjectUnknown   Reason = "subject_unknown"
	SubjectDisabled  Reason = "subject_disabled"
	ContactNeverActs Reason = "contact_never_acts"
	AccountSuspended Reason = "account_suspended"
	AccountClosed    Reason = "account_closed"
	AccountRequired  Reason = "account_required"
	SwitchRequired   Reason = "switch_required"
	MFARequired      Reason = "mfa_required"
	StepUpRequired   Reason = "step_up_required"
	OwnerOnly        Reason = "owner_only"
	StaffOnly        Reason = "staff_only"
	BadInput         Reason = "bad_input"
)

// Reasons is the closed list.
var Reasons = []Reason{
	NotMember, Pending, Expired, Removed, CategoryMissing, OutOfScope,
	ActionUnknown, SubjectUnknown, SubjectDisabled, ContactNeverActs,
	AccountSuspended, AccountClosed, AccountRequired, SwitchRequired,
	MFARequired, StepUpRequired, OwnerOnly, StaffOnly, BadInput,
}
