package simulation

import (
	"runtime/debug"
	"testing"
	"time"

	"doorward/internal/gate/internal/rule"
)

const ms = time.Millisecond

// A removed rule is one that is taken out, and the kind of schedules that miss it: for
// most any will do, for some the right faults have to come together.
type removed struct {
	rule  string
	of    mutant
	focus func(*plan)
}

func without(r rule.Rule) mutant { return mutant{rules: rule.Without(r)} }

// onlyFaults makes a schedule of some faults.
func onlyFaults(least, most int, faults ...fault) func(*plan) {
	return func(p *plan) { p.least, p.most, p.faults = least, most, faults }
}

// onlyLong makes a schedule of some faults that last for so many seconds.
func onlyLong(from, to time.Duration, faults ...fault) func(*plan) {
	return func(p *plan) {
		onlyFaults(2, 5, faults...)(p)
		p.lasts = [2]time.Duration{from * time.Second, to * time.Second}
	}
}

// also adds to a focus.
func also(focus func(*plan), more func(*plan)) func(*plan) {
	return func(p *plan) { focus(p); more(p) }
}

// removedRules are all rules that gates, directories, their store and what they share keep
// (R1 to R13, R15, R16). R14 is the verbs' and the store's, and orders of steps inside of one
// transaction (R1, R2, R8) are PostgreSQL's: rules_test.go of the store there takes them out.
// What is said twice is taken out as a whole: whom an entry is about is under its seal and in
// its body, and before and after Redis is asked there has to be a lease.
var removedRules = []removed{
	{"R1: a gate whose position is not held drops everything", without(rule.ForgetForeign), onlyFaults(1, 4, restoreOld, killReplica)},
	{string(soleCommit), mutant{flaw: soleCommit}, nil},
	{string(heldAck), mutant{flaw: heldAck}, onlyFaults(1, 4, restoreOld, killReplica)},
	{"R2: an ask acknowledges what is applied", without(rule.AcknowledgeApplied), func(p *plan) { p.changes = 1 }},
	{"R2: only the answer to the ask under way counts", without(rule.OwnAnswer), onlyFaults(3, 6, slowNetwork)},
	{"R2: the answer may carry a lease only if the database can commit", without(rule.Proof), also(onlyFaults(1, 3, failOverBehind), func(p *plan) { p.reconnects = 50 })},
	{"R3: a row belongs to one process", mutant{sameName: true}, onlyFaults(3, 6, twinSidecar, cutOff)},
	{"R4: a lease counts from before the gate asked", without(rule.CountFromAsking), onlyFaults(2, 6, slowNetwork, stopSidecar, cutOff)},
	{"R4: a lease holds only when all up to the head is applied", without(rule.CaughtUp), also(onlyLong(1, 4, cutOff, stopSidecar), func(p *plan) { p.changes, p.rush = 1, 4 })},
	{"R4: the wall clock counts as well", without(rule.WallClock), onlyLong(2, 6, sleepSidecar)},
	{"R5: the lease taken before looking up is the one that is checked", without(rule.SameLease), onlyLong(2, 6, stopSidecar, cutOff, holdSidecar)},
	{"R5, R11: it says nothing of what another database was asked", without(rule.LeaseHistory), also(onlyFaults(1, 3, failOverBehind), func(p *plan) { p.reconnects, p.mixed = 50, 2 })},
	{"R6: the barrier waits for who does not acknowledge", without(rule.WaitOut), nil},
	{"R6: as long as the row says, which has what R9 adds", without(rule.WaitTerm), bounded(3, 6)},
	{"R6: a marked row is watched before it is deleted", without(rule.WatchMark), func(p *plan) { p.idle = 200 * ms }},
	{"R6: for as long as the row says", without(rule.WatchTerm), bounded(4, 10)},
	{string(uniqueMark), mutant{flaw: uniqueMark}, func(p *plan) {
		p.replicas, p.idle, p.changeEvery, p.staleness, p.most = 3, 10*ms, [2]time.Duration{4 * time.Second, 6 * time.Second}, 0, 0
	}},
	{string(clearedMark), mutant{flaw: clearedMark}, func(p *plan) { p.idle = 200 * ms }},
	{"R6: a gate stops answering before it leaves", without(rule.StopFirst), onlyFaults(2, 6, leaveSidecar)},
	{"R7: who finds the right gone runs the barrier all the same", mutant{trustsGone: true}, nil},
	{"R7: and commits something", mutant{readsGone: true}, also(onlyFaults(1, 3, failOverBehind), func(p *plan) {
		p.reconnects, p.mixed, p.changes, p.changeEvery = 1000, 2, 1000, [2]time.Duration{10 * ms, 200 * ms}
	})},
	{"R7: a position that was only seen is made durable", without(rule.Durable), onlyFaults(3, 6, strayCommit)},
	{"R8: what changed since it was read is not put in", without(rule.Door), nil},
	{"R8: nor what was read before all that is known to have changed", without(rule.InWindow), also(onlyLong(1, 4, cutOff, addSidecar), func(p *plan) { p.window = 5 })},
	{"R8: nor what is ahead of everything else", without(rule.NotAhead), nil},
	{"R8: nor what another database said", without(rule.OneHistory), onlyFaults(1, 4, restoreOld, failOverBehind)},
	{string(oneSnapshot), mutant{flaw: oneSnapshot}, nil},
	{"R9: a strict question needs a lease", without(rule.Strict), bounded(2, 6)},
	{"R9: a question joins a read that begins after it came", without(rule.NextFlight), also(onlyLong(2, 3, leaveSidecar, slowNetwork), func(p *plan) {
		p.staleness, p.sidecars, p.changeEvery, p.askEvery = 0, 1, [2]time.Duration{5 * ms, 200 * ms}, 10*ms
	})},
	{"R9: a gate uses no more than its row says", mutant{statesLess: true}, bounded(4, 10)},
	{"R9, R11: a read without a lease is from a database that can commit", without(rule.Confirmed), onlyFaults(2, 6, failOverBehind, cutOff)},
	{"R10: what is shared counts only if a gate has sealed it", without(rule.Sealed), nil},
	{"R10: for the name that it is under", mutant{anyName: true}, nil},
	{"R10: in that very era", mutant{anyEra: true}, onlyFaults(1, 4, restoreOld)},
	{"R10: with a key that the directory has not retired", mutant{keepsKeys: true}, nil},
	{"R10, R5: what is borrowed is answered under a lease", without(rule.LentUnderLease), onlyLong(2, 6, stopSidecar, cutOff, slowRedis)},
	{"R11: after a start or a failover barriers wait for rows that may be missing", without(rule.Grace), onlyFaults(1, 4, restoreOld)},
	{"R11: until somebody has waited for them in that database", without(rule.Settled), onlyFaults(1, 4, restoreOld)},
	{string(settledHere), mutant{flaw: settledHere}, onlyFaults(1, 4, restoreOld)},
	{"R11: a commit that is lost is not called enforced", without(rule.Held), also(onlyFaults(4, 6, loseCommits, breakConns), func(p *plan) { p.synchronous = false })},
	{"R12: times are judged by the database's clock, as an interval", without(rule.DirectoryTime), nil},
	{"R13: facts go with the policy that was in force then", without(rule.PolicyToo), onlyLong(2, 6, stopSidecar, killSidecar)},
	{"R13: a policy is known by more than its revision", mutant{byRevision: true}, onlyFaults(2, 5, restoreOld)},
	{"R15: an answer is not older than demanded", without(rule.Minimum), nil},
	{"R16: a sensitive decision is kept before it is given", without(rule.Spooled), nil},
}

// bounded makes schedules in which sidecars that are cut off answer bounded questions for
// a long while.
func bounded(from, to time.Duration) func(*plan) {
	return also(onlyLong(from, to, cutOff), func(p *plan) { p.staleness, p.idle = 5*time.Second, 200*ms })
}

// Every rule is needed: without it, some schedule breaks the promise. What the protocol
// does with all rules in the same kind of schedules is checked as well, so that a focus
// that breaks the promise by itself proves nothing.
func TestEveryRuleIsNeeded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	t.Run("all", func(t *testing.T) {
		for _, r := range removedRules {
			t.Run(r.rule, func(t *testing.T) {
				t.Parallel()
				free := &tasks{}
				defer free.Close()
				for seed := range uint64(40) {
					if _, err := simulate(seed, free, mutant{}, r.focus, nil); err != nil {
						t.Fatalf("with all rules, seed %d: %v", seed, err)
					}
				}
				seed, err := missed(r, free, 3000)
				if err == nil {
					t.Fatal("3000 schedules do not miss it")
				}
				t.Logf("missed by seed %d: %v", seed, err)
			})
		}
	})
}

// missed returns the first schedule that breaks the promise.
func missed(r removed, free *tasks, schedules uint64) (seed uint64, err error) {
	for seed = range schedules {
		if _, err = simulate(seed, free, r.of, r.focus, nil); err != nil {
			return seed, err
		}
	}
	return seed, nil
}
