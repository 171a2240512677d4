package portal

import "time"

// An InvitationID names an invitation. It compares byte for byte.
type InvitationID string

// An Invitation offers somebody a place in an account. It gives no access: only a
// membership does (req 84).
type Invitation struct {
	ID      InvitationID
	Account AccountID
	// Email is where it was sent. "": it was erased.
	Email string
	State InvitationState
	// Grant is what accepting it gives.
	Grant Grant
	// InvitedBy is the user who sent it; "" when that was the provider's staff, or is
	// not known.
	InvitedBy UserID
	ByStaff   bool
	// ExpiresAt is set when it is sent: a lifetime that is changed later moves no
	// invitation (C1).
	ExpiresAt time.Time
	// EndedAt is when it was accepted or revoked. Zero: neither, or not known.
	EndedAt   time.Time
	Origin    Origin
	CreatedAt time.Time
}

// InvitationState tells what became of an invitation. The zero value is no invitation.
type InvitationState string

// The states of an invitation. Expiry is not stored: it is ExpiresAt judged when
// somebody accepts (req 90).
const (
	InvitationPending  InvitationState = "pending"
	InvitationAccepted InvitationState = "accepted"
	InvitationRevoked  InvitationState = "revoked"
)
