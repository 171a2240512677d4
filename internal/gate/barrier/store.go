package barrier

import (
	"context"
	"errors"
	"time"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A Row is what the directory knows of one process of a sidecar. As long as it is
// there, that process may hold a lease (R6). Rows are logged: they survive a crash, and
// a failover as far as anything does.
type Row struct {
	Instance     gate.Instance
	Label        string // to be shown
	Policy       string // to be shown
	Acknowledged portal.Revision
	Term         time.Duration // how long, from asking on, the process may answer from what it knows
	Mark         string        // "": none
}

// A Store is the primary database as the protocol needs it. It may be called from many
// goroutines and by several directories. An error tells nothing of what was committed.
//
// Every call is one transaction, and its snapshot is taken after the call began. A call
// that has committed something succeeds only when that survives a failover, and with it
// all that was committed before: commits are replicated synchronously, and one whose
// wait for the replica was cut short has failed. What a call has merely read may be lost
// in a failover, or come from a database that one has left behind.
//
// What a call returns has the Era it was read or committed in. Two calls may be served
// by two databases when a failover lies between them, or when the old primary still
// answers; their eras differ then.
type Store interface {
	// Touch makes the row of row.Instance or brings it up to date, and clears its mark.
	// The position after is acknowledged if this history holds it, in the same
	// transaction; otherwise nothing is. Acknowledged and Term never become less. When
	// the row says all that already, nothing is written; row.Acknowledged and row.Mark
	// are ignored.
	Touch(ctx context.Context, row Row, after portal.Position) (Touched, error)
	// Feed returns, from one snapshot, the head and what changed after a position: at
	// most limit changes, but whole revisions, and at least one if there are any. When
	// the history does not hold the position, or more than window changes came after
	// it, Feed begins about window changes before the head instead.
	Feed(ctx context.Context, after portal.Position, limit, window int) (Feed, error)
	// Rows returns all rows from one snapshot, by instance, and whether its history
	// holds a position.
	Rows(ctx context.Context, at portal.Position) (Rows, error)
	// Mark marks a row that has no mark. No mark is ever used twice.
	Mark(ctx context.Context, who gate.Instance, mark string) error
	// Delete deletes a row that has that very mark. One that has another, or none, stays.
	Delete(ctx context.Context, who gate.Instance, mark string) error
	// Leave deletes a row.
	Leave(ctx context.Context, who gate.Instance) error
	// Settle says that in an era all gates have rows that may have a lease. It counts
	// until another era begins; in another it is not said.
	Settle(ctx context.Context, era gate.Era) error
	// Pulse commits something small. Calls may share one commit that began after all of
	// them did.
	Pulse(ctx context.Context) (gate.Era, error)
	// Facts returns the facts of every key, the head and the rest of Found but
	// Confirmed, from one snapshot.
	Facts(ctx context.Context, keys []portal.FactKey) (gate.Found, error)
	// Keep keeps records, each name and number once.
	Keep(ctx context.Context, spool string, records []gate.Record) error
}

// A Kept is a record as it was kept.
type Kept struct {
	At    time.Time // when it came, to the microsecond
	Spool string
	gate.Record
}

// An Archive is a Store whose records can be read again.
type Archive interface {
	Store
	// Records returns, of those after one, the first that came, at most so many: by the
	// time at which they came, and what came together by spool and number. The zero Kept
	// is before all.
	Records(ctx context.Context, after Kept, limit int) ([]Kept, error)
}

// Touched says what Touch did.
type Touched struct {
	Wrote bool // something was committed
	Era   gate.Era
}

// A Feed is what came after a position.
type Feed struct {
	From, To, Head portal.Position
	Changes        []directory.Change
	Era            gate.Era
	Time           time.Time       // by the database's clock, when the snapshot was taken
	Policy         portal.Promoted // in force at Head
}

// Rows are all rows at one time.
type Rows struct {
	Rows []Row
	Held bool // the position asked about is held
	Era  gate.Era
	// Settled tells that somebody has settled this era: no gate has a lease that has no
	// row.
	Settled bool
}

// Errors of a Keeper.
var (
	// ErrTerm: a gate wants to answer from what it knows for longer than the directory
	// allows. Its configuration and the directory's must agree.
	ErrTerm = errors.New("the gate's lease and staleness are longer than the directory allows")
	// ErrLost: the database does not hold the commit that was to be enforced: it was
	// lost in a failover or a restore, and has to be made again.
	ErrLost = errors.New("the commit was lost")
	// ErrUnconfirmed: nothing proves that a read came from a database that can commit.
	ErrUnconfirmed = errors.New("the database may have been left behind by a failover")
)
