// Package directory is the contract of the store that knows who belongs to which
// account: the one authority for facts (design section 5).
//
// It knows no SQL and no HTTP; directory/sqlite keeps the contract, and
// directory/storetest checks whoever says so. Its invariants: a change, its row
// in the change log and its audit line commit together or not at all; revisions
// follow commit order without holes; every account has exactly one owner.
package directory

import (
	"context"
	"errors"
	"iter"
	"time"

	"doorward/internal/audit"
	"doorward/internal/portal"
)

// Errors every Store returns, wrapped. Test for them with errors.Is.
var (
	// ErrNotFound: the thing asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the change breaks a rule of the directory; the text says which.
	ErrInvalid = errors.New("not allowed by the directory")
	// ErrUnaudited: an update changed something and logged no audit entry.
	ErrUnaudited = errors.New("change without an audit entry")
	// ErrForeignPosition: the position is not in this directory's history: another
	// directory's, or of a history that a restore has left.
	ErrForeignPosition = errors.New("position of another history")
	// ErrUnavailable: the store cannot be read or written now (locked, disk full,
	// closed). Nothing was changed; trying again later may succeed.
	ErrUnavailable = errors.New("directory unavailable")
	// ErrOutcomeUnknown: the store was lost while an update committed, and could not be
	// asked afterwards. The update was made or will be, whole, or it was not: look
	// before trying again.
	ErrOutcomeUnknown = errors.New("whether the directory was changed is not known")
)

// A Store keeps the directory. Its methods may be called from many goroutines,
// and several processes may have the same directory open.
type Store interface {
	Reader
	// Changes returns what committed after a position, in commit order, at most
	// limit of them but never only a part of one revision, and the position that
	// they lead to, which need not be the head: ask again from there until none
	// come. A first revision larger than limit comes whole. No changes: the
	// position is the head, and equal to after. A position that this directory's
	// history does not hold, also one beyond the head, is ErrForeignPosition
	// (design R1); the zero position is before the first commit of every history.
	// A limit below 1 is ErrInvalid.
	Changes(ctx context.Context, after portal.Position, limit int) ([]Change, portal.Position, error)
	// AuditLines yields the trail from the first line on, in order.
	AuditLines(ctx context.Context) iter.Seq2[audit.Line, error]
	// Update runs fn in one serializable transaction and commits if fn returns
	// nil, as one new revision. fn may run more than once, and must not call
	// Update itself. An update that neither changed nor logged anything commits
	// nothing and returns the head. Owners may change hands in any order inside
	// fn; an account that was touched must have exactly one when fn is done, else
	// ErrInvalid. If fn panics, nothing is committed and the panic goes on.
	Update(ctx context.Context, fn func(Tx) error) (portal.Position, error)
	// Close waits for calls under way and releases everything.
	Close() error
}

// A Reader reads the directory. Every call reads one snapshot.
type Reader interface {
	// Head is the position of the last commit.
	Head(ctx context.Context) (portal.Position, error)
	// Facts returns the facts of each key, in order, and the one position they
	// were all read at. What is not known is zero, never an error.
	Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error)

	Account(ctx context.Context, id portal.AccountID) (portal.Account, error)
	User(ctx context.Context, id portal.UserID) (portal.User, error)
	Membership(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Membership, error)
	// Members returns the memberships of an account, by user id.
	Members(ctx context.Context, account portal.AccountID) ([]portal.Membership, error)
	Contact(ctx context.Context, id portal.ContactID) (portal.Contact, error)
	// Contacts returns the contacts of an account, removed ones too, by id.
	Contacts(ctx context.Context, account portal.AccountID) ([]portal.Contact, error)
	Invitation(ctx context.Context, id portal.InvitationID) (portal.Invitation, error)
	// Invitations returns the invitations to an account, of any state, by id.
	Invitations(ctx context.Context, account portal.AccountID) ([]portal.Invitation, error)
	// History returns what other systems' logs said about an account, by time, source
	// and id: the first lines that come after one, at most limit of them. Every line
	// comes after the zero line. A limit below 1 is ErrInvalid.
	History(ctx context.Context, account portal.AccountID, after portal.HistoryLine, limit int) ([]portal.HistoryLine, error)
	HistoryLine(ctx context.Context, source, id string) (portal.HistoryLine, error)
	// Staff returns the users who have a right of staff, by id (A13.19).
	Staff(ctx context.Context) ([]portal.User, error)
	// IDs returns the first ids of a list that come after one, in byte order, at most
	// limit of them; every id comes after "". An unknown kind of list and a limit
	// below 1 are ErrInvalid.
	IDs(ctx context.Context, of List, after string, limit int) ([]string, error)
	// Tokens returns all client tokens, revoked ones too, by id.
	Tokens(ctx context.Context) ([]Token, error)
	// Promoted is the promotion of the policy that is in force, the last one (design R13).
	// Before the first there is none: ErrNotFound.
	Promoted(ctx context.Context) (Promotion, error)
	// PromotedAt is the promotion that was committed at a revision. Where none was, and
	// before the last KeptPromotions, it is ErrNotFound.
	PromotedAt(ctx context.Context, revision portal.Revision) (Promotion, error)
}

// A Tx changes the directory. It reads its own writes. It is valid only while
// the function it was given to runs.
type Tx interface {
	Reader
	// The Put methods create or replace. Putting what is already there, equal in
	// every field, changes nothing; times are kept to the microsecond and empty
	// lists as nil. What the Check functions refuse, a membership without its
	// account or user, and a contact or an invitation without its account or of
	// another account than before (req 17), is ErrInvalid. After any other error the update is
	// lost: whatever fn returns, it does not commit.
	PutAccount(ctx context.Context, a portal.Account) error
	PutUser(ctx context.Context, u portal.User) error
	PutMembership(ctx context.Context, m portal.Membership) error
	PutContact(ctx context.Context, c portal.Contact) error
	PutInvitation(ctx context.Context, i portal.Invitation) error
	// PutHistory keeps a line of another system's log, whose account and user need not
	// be known. The line of that source and id is replaced.
	PutHistory(ctx context.Context, l portal.HistoryLine) error
	PutToken(ctx context.Context, t Token) error
	// PutPolicy promotes a policy, also one of before: the commit's revision is what makes
	// it the last. Putting the one that is in force changes nothing.
	PutPolicy(ctx context.Context, p Promotion) error
	// Log adds a line to the trail. It is sealed when the update commits; an
	// entry that CheckEntry refuses is ErrInvalid then.
	Log(e audit.Entry)
	// Changed tells whether this update has changed anything so far.
	Changed() bool
}

// A Change names what one commit touched, so that whoever remembers facts
// forgets them.
type Change struct {
	Revision portal.Revision
	Kind     ChangeKind
	Account  portal.AccountID // of an account, a membership, a contact or an invitation
	User     portal.UserID    // of a user or a membership
	Contact  portal.ContactID // of a contact
}

// A ChangeKind tells what kind of thing a Change names.
type ChangeKind string

// The kinds of change.
const (
	ChangedAccount    ChangeKind = "account"
	ChangedUser       ChangeKind = "user"
	ChangedMembership ChangeKind = "membership"
	ChangedContact    ChangeKind = "contact"
	// ChangedInvitation names the account, whichever of its invitations it was: no
	// facts rest on them.
	ChangedInvitation ChangeKind = "invitation"
	ChangedToken      ChangeKind = "token"
	// ChangedPolicy tells that a policy was promoted. It names nothing: no facts rest on it.
	ChangedPolicy ChangeKind = "policy"
	// ChangedNothing marks a revision that only added to the trail, or to the history
	// of another system.
	ChangedNothing ChangeKind = "none"
)

// A Token is a client's credential as the directory keeps it. The secret itself
// is shown once, when it is made, and never stored (S26).
type Token struct {
	ID        string
	Name      string
	Digest    [32]byte // SHA-256 of the secret, which has 256 random bits
	Scopes    []string
	Limits    *portal.Limits // nil: none; shared and never modified
	CreatedAt time.Time
	RevokedAt time.Time // zero: in force
}
