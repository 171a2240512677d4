package portal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A FactKey names what a decision rests on: one subject's place in one account.
// Account may be empty, for questions about the subject alone.
type FactKey struct {
	Account AccountID
	Subject Ref
}

// Facts are what the directory knows of a FactKey at one position. The zero
// value knows nothing and so grants nothing.
type Facts struct {
	Account    AccountFacts
	User       UserFacts
	Membership MembershipFacts
	// Contact is nil unless the subject is a contact of the account. It is shared
	// between facts and never modified.
	Contact *ContactFacts
}

// AccountFacts are the facts of an account. A zero Status means: no such account.
type AccountFacts struct {
	Status      AccountStatus
	MFARequired bool
}

// UserFacts are the facts of a user. A zero Status means: no such user.
type UserFacts struct {
	Status UserStatus
	Staff  StaffRights
}

// MembershipFacts are the facts of a membership. A zero State means: none.
type MembershipFacts struct {
	State MembershipState
	Owner bool
	// Grant is shared between facts and never modified. It is nil exactly when
	// State is zero.
	Grant *Grant
	// Mail is shared like Grant. It is nil when the member chose nothing.
	Mail *MailChoices
}

// ContactFacts are the facts of a contact of the key's account.
type ContactFacts struct {
	Status ContactStatus
	Mails  []string
	Scope  []Ref
}

// A Revision counts the directory's commits. The first commit is 1.
type Revision uint64

// A Tag is the audit chain's hash at a revision. Two directories that agree on
// revision and tag have the same history up to it.
type Tag [32]byte

// A Position names one state of one directory (design R1).
type Position struct {
	Revision Revision
	Tag      Tag
}

// tagDigits is how many hex digits of the tag a written position carries: 128
// bits, so that two histories are not mistaken for each other.
const tagDigits = 32

// String returns the position as revision.tag, as headers and tools show it.
func (p Position) String() string {
	return string(p.AppendText(make([]byte, 0, 21+tagDigits)))
}

// AppendText appends the position as String writes it.
func (p Position) AppendText(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(p.Revision), 10)
	dst = append(dst, '.')
	return hex.AppendEncode(dst, p.Tag[:tagDigits/2])
}

// AppendWhole appends the position with all 64 digits of its tag.
func (p Position) AppendWhole(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(p.Revision), 10)
	dst = append(dst, '.')
	return hex.AppendEncode(dst, p.Tag[:])
}

// Promoted names a policy that was promoted: where, and its digest. A restore may use the
// revision again for another; the digest tells them apart. The zero Promoted is none.
type Promoted struct {
	At     Revision
	Digest string // hex of SHA-256
}

// ErrPosition tells that a text is not a whole position.
var ErrPosition = errors.New("must be a revision, a dot and 64 hex digits")

// ParsePosition reads a position exactly as AppendWhole writes it.
func ParsePosition(s string) (p Position, err error) {
	revision, tag, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(revision, 10, 64)
	if err != nil || len(tag) != hex.EncodedLen(len(p.Tag)) {
		return Position{}, ErrPosition
	}
	p.Revision = Revision(n)
	if _, err := hex.Decode(p.Tag[:], []byte(tag)); err != nil || string(p.AppendWhole(nil)) != s {
		return Position{}, ErrPosition
	}
	return p, nil
}

// A Mark is a position as written: its tag is shortened to 128 bits.
type Mark struct {
	Revision Revision
	Prefix   [tagDigits / 2]byte
}

// ErrMark tells that a text is not a position.
var ErrMark = errors.New("not a position: write it as decision headers show it, revision.tag")

// ParseMark reads a position exactly as String writes it.
func ParseMark(s string) (Mark, error) {
	rev, tag, ok := strings.Cut(s, ".")
	if !ok || len(tag) != tagDigits {
		return Mark{}, fmt.Errorf("%q: %w", s, ErrMark)
	}
	n, err := strconv.ParseUint(rev, 10, 64)
	if err != nil {
		return Mark{}, fmt.Errorf("%q: %w", s, ErrMark)
	}
	m := Mark{Revision: Revision(n)}
	if _, err := hex.Decode(m.Prefix[:], []byte(tag)); err != nil || m.String() != s {
		return Mark{}, fmt.Errorf("%q: %w", s, ErrMark)
	}
	return m, nil
}

// String returns the mark as the position it marks is written.
func (m Mark) String() string {
	p := Position{Revision: m.Revision}
	copy(p.Tag[:], m.Prefix[:])
	return p.String()
}

// Marks tells whether m is the written form of p.
func (m Mark) Marks(p Position) bool {
	return m.Revision == p.Revision && string(m.Prefix[:]) == string(p.Tag[:tagDigits/2])
}
