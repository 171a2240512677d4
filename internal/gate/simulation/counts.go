package simulation

import (
	"fmt"
	"time"

	"doorward/internal/gate"
)

// counts are what happened in schedules, so that no run passes by doing nothing.
type counts map[counted]int

// counted is something that is counted.
type counted string

const (
	schedules         counted = "schedules"
	questions         counted = "questions"
	cachedAllows      counted = "allows from memory under a lease"
	boundedAllows     counted = "allows from memory after a lease (R9)"
	directAllows      counted = "allows after reading the directory"
	unanswered        counted = "questions without an answer"
	soonAsked         counted = "questions within 50 ms after enforced"
	byAcknowledgement counted = "enforced by acknowledgement"
	byWaiting         counted = "enforced by waiting"
	byLeaving         counted = "enforced because gates left"
	pending           counted = "pending"
	timedAllows       counted = "allows of grants that end or begin (R12)"
	demands           counted = "questions that demand a revision (R15)"
	policyMoves       counted = "policies that moved under a question (R13)"
	sensitiveGiven    counted = "sensitive decisions given (R16)"
	spoolFull         counted = "sensitive decisions not given (R16)"
	asksSent          counted = "asks"
	severalKeys       counted = "questions about two at once"
	lentAllows        counted = "allows of what was just borrowed (R10)"
	lentLate          counted = "allows of what was just borrowed after a lease (R9, R10)"
	goodEntries       counted = "entries in Redis that were good (R10)"
	oldEntries        counted = "entries in Redis that were good, and back from before (R10)"
	changedEntries    counted = "entries in Redis from before a change (R8)"
	aheadEntries      counted = "entries in Redis ahead of the gate (R8)"
	sharedFinds       counted = "questions that shared an answer of Redis"
	lateFinds         counted = "answers of Redis that were looked at late"
	lateFills         counted = "entries in Redis that an older one took the place of"
	keysMade          counted = "keys made (R10)"
	tricksPlayed      counted = "tricks with Redis (R10)"
	faultsStruck      counted = "faults"
	failovers         counted = "failovers"
	restores          counted = "restores"
	lateAnswers       counted = "answers to another ask (R2)"
	histories         counted = "histories checked for linearizability"
	unknown           counted = "histories too long to check"
)

// refused counts entries that were not opened.
func refused(t trick) counted { return counted("refused: " + string(t)) }

// unopened counts entries that gates wrote, or that are missing.
func unopened(result string) counted { return counted("entries in Redis: " + result) }

// atLeast is what a thousand schedules contain at least; about half of what they do.
var atLeast = map[counted]int{
	questions: 250_000, cachedAllows: 80_000, boundedAllows: 400, directAllows: 10_000, unanswered: 10_000,
	soonAsked: 30_000, byAcknowledgement: 14_000, byWaiting: 500, byLeaving: 12, pending: 10,
	timedAllows: 4_000, demands: 30_000, policyMoves: 3_000, sensitiveGiven: 9_000, spoolFull: 200,
	asksSent: 40_000, severalKeys: 48_000,
	lentAllows: 1_500, lentLate: 1, goodEntries: 3_700, oldEntries: 350, changedEntries: 1_200, aheadEntries: 300,
	sharedFinds: 80, lateFinds: 240, lateFills: 100, keysMade: 1_100, unopened("unknown_key"): 480, tricksPlayed: 20_000,
	refused(another): 200, refused(otherEra): 40, refused(granted): 90, refused(renewed): 160, refused(damaged): 200,
	refused(foreign): 200, refused(made): 200, refused(retired): 60,
	faultsStruck: 1_500, failovers: 150, restores: 60, lateAnswers: 800, histories: 400,
}

// atMost is what they contain at most.
var atMost = map[counted]int{unknown: 10}

// enough tells what was done too little or too often in some schedules. Of a few nothing
// can be said.
func (n counts) enough() error {
	if n[schedules] < 1000 {
		return nil
	}
	for what, least := range atLeast {
		if want := least * n[schedules] / 1000; n[what] < want {
			return fmt.Errorf("only %d %s in %d schedules, want %d at least", n[what], what, n[schedules], want)
		}
	}
	for what, most := range atMost {
		if want := most * n[schedules] / 1000; n[what] > want {
			return fmt.Errorf("%d %s in %d schedules, want %d at most", n[what], what, n[schedules], want)
		}
	}
	return nil
}

// add adds up counts.
func (n counts) add(more counts) {
	for what, times := range more {
		n[what] += times
	}
}

// soon is how shortly after enforced a question counts as such.
const soon = 50 * time.Millisecond

// allowed counts an allow by what it was answered from.
func (n counts) allowed(r gate.Reply, bounded, lent bool, c *sidecar) {
	if lent {
		n[lentAllows]++
	}
	if lent && !c.status().Leased {
		n[lentLate]++
	}
	switch {
	case !r.FromMemory:
		n[directAllows]++
	case bounded && !c.status().Leased:
		n[boundedAllows]++
	default:
		n[cachedAllows]++
	}
}
