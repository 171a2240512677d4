package gate

import (
	"context"
	"time"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// An Instance names one process of a sidecar, and no other ever (R3).
type Instance string

// An Era names one unbroken life of a database: whatever was read from the same era is
// of one history. Failing over, restoring and restarting the database begin another
// (R11). It compares with == and means nothing else.
type Era string

// Times of the protocol that both sides must agree on.
const (
	// Patience is how long a question waits for the directory (R15).
	Patience = 500 * time.Millisecond
	// ReadTimeout is how long one read of the directory may take: a question can wait
	// for one under way and then make its own.
	ReadTimeout = Patience / 2
	// Drift is the share of a time by which two machines' clocks may come to differ
	// over it: 1/Drift. Real ones differ by a tenth of that at most.
	Drift = 200
)

// A Directory is the directory as a gate sees it: any of its replicas. Whatever a call
// returns came in answer to that call; that is the transport's to keep.
type Directory interface {
	// Ask gives up after ask.Wait and ReadTimeout.
	Ask(ctx context.Context, ask Ask) (Answer, error)
	// Leave gives a lease back (R6).
	Leave(ctx context.Context, who Instance) error
	// Facts reads the facts of every key from the primary database, in one snapshot
	// that begins after the call. It gives up after ReadTimeout. Confirmed, it is an
	// error unless the database has committed something that began after the call.
	Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (Found, error)
}

// An Ask acknowledges what a gate has applied and asks for what came after, and for a
// lease (R2).
type Ask struct {
	// Instance and Number name the ask: the answer repeats them. Number counts up.
	Instance Instance
	Number   uint64
	Label    string          // the configured name, to be shown
	Policy   string          // the digest of the policy in force, to be shown
	After    portal.Position // everything up to it is applied
	// Term is how long, from asking on, the gate may answer from what it knows: the
	// lease, and what R9 adds. It is the same in every ask of a process.
	Term time.Duration
	Wait time.Duration // how long the directory may wait for a change before it answers
	// Window is how many changes the gate wants to be told that joins.
	Window uint64
	// Records are those that the directory has not said it keeps (R16), from the spool
	// of that name.
	Spool   string
	Records []Record
}

// An Answer says what a gate has to apply, and whether it has a lease then.
type Answer struct {
	Instance Instance
	Number   uint64
	// From is where Changes begin. When it is not where the gate is, the directory does
	// not hold the gate's position, or is too far ahead of it (R1).
	From, To portal.Position
	Changes  []directory.Change // after From, up to To, in commit order
	Head     portal.Position    // read in the same snapshot
	// Lease tells that a gate that has applied everything up to Head has a lease from
	// the moment it asked.
	Lease bool
	Era   Era
	// Time is what the database's clock said when the snapshot was read (R12).
	Time   time.Time
	Policy portal.Promoted // in force at Head (R13)
	Stored uint64          // records of the ask's spool up to it are kept
}

// Found is what the directory knows of some keys.
type Found struct {
	Facts    []portal.Facts // in the order of the keys
	Position portal.Position
	Era      Era
	Time     time.Time
	Policy   portal.Promoted
	// Confirmed tells that the database has committed something that began after the
	// read was asked for, so that it was no database that a failover had left behind.
	Confirmed bool
}

// A Record is something that has to reach the directory: a sensitive decision (R16).
type Record struct {
	Seq  uint64 // counts the records of one spool, from 1
	Data []byte
}
