package gate

import (
	"time"

	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// A lease allows to answer from memory. It is a value that never changes: a question
// keeps the one it took (R5). The zero lease never holds.
type lease struct {
	asked Reading // both clocks before the gate asked (R4)
	lasts time.Duration
}

// holds tells whether the lease holds at a reading of the clocks, or ended no longer
// than extra ago. Both clocks must say so: the monotonic one stands still while the
// machine sleeps, the wall clock may be set back (R4).
func (l lease) holds(now Reading, extra time.Duration, rules rule.Set) bool {
	mono, wall := now.since(l.asked)
	within := func(age time.Duration) bool { return 0 <= age && age < l.lasts+extra }
	return l.lasts > 0 && within(mono) && (within(wall) || !rules.Keeps(rule.WallClock))
}

// A standing is what a gate knows of where it is. It never changes: a new one takes its
// place.
type standing struct {
	lease    lease
	position portal.Position // applied
	era      Era             // "": nothing was heard of the directory yet
	time     clocked
	policy   portal.Promoted // in force here (R13)
	head     portal.Revision // the directory's, as it was heard of last
	// tokens counts what may have changed client tokens.
	tokens uint64
	// generation counts what may have changed facts in memory. As long as it is the
	// same, all that is found there was true together, at position.
	generation uint64
}
