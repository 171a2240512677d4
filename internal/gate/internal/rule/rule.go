// Package rule lets the simulation take one rule of the freshness protocol out of the
// production code, to see that it notices (design section 5).
//
// It knows nothing of the rules but their names. Its invariant: outside of
// internal/gate nobody can make a Set in which a rule is missing. Go lets nobody else
// import this package, and the zero Set has every rule.
package rule

// A Rule is one thing that the protocol rests on. Those that the store, the clocks or
// the wiring keep are taken out there, by the simulation.
type Rule int

// The rules, with the number they have in docs/freshness.md.
const (
	_ Rule = iota

	// ForgetForeign (R1): a gate whose position the directory does not hold drops everything.
	ForgetForeign
	// AcknowledgeApplied (R2): an ask names what is applied, not what was heard of.
	AcknowledgeApplied
	// OwnAnswer (R2): only the answer to the ask under way counts.
	OwnAnswer
	// RowFirst (R2): the row is committed before head and changes are read.
	RowFirst
	// Proof (R2): a lease needs a commit that began after the ask came.
	Proof
	// CountFromAsking (R4): the lease counts from before the gate asked.
	CountFromAsking
	// CaughtUp (R4): a lease holds only once everything up to the head is applied.
	CaughtUp
	// WallClock (R4): a lease is too old when the wall clock says so.
	WallClock
	// SameLease (R5): the lease that was taken before looking up is the one that is checked.
	SameLease
	// LeaseHistory (R5, R11): a lease says nothing of what another database was asked.
	LeaseHistory
	// WaitOut (R6): the barrier waits for gates that do not acknowledge.
	WaitOut
	// WaitTerm (R6, R9): it waits as long as the row says, not the length of a lease.
	WaitTerm
	// WatchMark (R6): a marked row is deleted only after it was watched for its term.
	WatchMark
	// WatchTerm (R6): that term is the row's, not the length of a lease.
	WatchTerm
	// StopFirst (R6): a gate stops answering before it gives its lease back.
	StopFirst
	// Durable (R7, R11): a position that the caller has not committed is made durable first.
	Durable
	// Door (R8): what was read is put in only if no later change to it is known.
	Door
	// InWindow (R8): and if the changes since are known at all.
	InWindow
	// NotAhead (R8): and if everything up to it is applied.
	NotAhead
	// OneHistory (R8, R11): and if it comes from the database that the feed comes from.
	OneHistory
	// Strict (R9): a strict question is not answered from memory without a lease.
	Strict
	// NextFlight (R9): a question joins a read that begins after it, never one under way.
	NextFlight
	// Confirmed (R9, R11): a read without a lease comes from a database that can commit.
	Confirmed
	// Grace (R11): barriers wait for gates that a new database may have lost.
	Grace
	// Settled (R11): until somebody has waited for them in that database.
	Settled
	// Held (R11): a commit that a failover lost is not called enforced.
	Held
	// Sealed (R10): what is in a shared cache counts only if a gate of this directory sealed it.
	Sealed
	// LentUnderLease (R10, R5): what is borrowed is answered under a lease, as all of memory.
	LentUnderLease
	// DirectoryTime (R12): the time comes with the feed, as an interval.
	DirectoryTime
	// PolicyToo (R13): facts go with the policy that was in force where they were true.
	PolicyToo
	// Minimum (R15): an answer is not older than the asker demands.
	Minimum
	// Spooled (R16): a sensitive decision is kept before it is given.
	Spooled
)

// A Set says which rules are kept. The zero Set keeps all of them.
type Set struct{ without Rule }

// Without is the set of all rules but one, for the simulation.
func Without(r Rule) Set { return Set{without: r} }

// Keeps tells whether a rule is kept.
func (s Set) Keeps(r Rule) bool { return s.without != r }
