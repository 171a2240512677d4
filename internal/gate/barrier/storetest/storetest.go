// Package storetest is the contract of barrier.Store as tests. Each database's test is
// one call of Run.
//
// It knows no database, and what it checks is what one process can see: that snapshots
// are new, that a failover changes the era and that commits are replicated is for
// directed tests of each database. Its invariant: a Store that passes is one that the
// simulation's results hold for, as far as that goes.
package storetest

import (
	"slices"
	"testing"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// A Fixture is a new, empty directory whose rows are to be tested.
type Fixture struct {
	Store barrier.Store
	// Other is the same database as another directory has it.
	Other barrier.Store
	// Put commits that the user of a number from 0 to 2 is active or not, and returns
	// the position. What was not so before is a change; every call is one or more
	// revisions.
	Put func(t *testing.T, user int, active bool) portal.Position
	// Promote commits that a policy is promoted, another one every time, and returns the
	// position (R13).
	Promote func(t *testing.T) portal.Position
	// Key is the key of that user in an account.
	Key func(user int) portal.FactKey
}

// Run tests one implementation. open is called once per promise.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, p := range slices.Concat(rowPromises, readPromises, feedPromises, racePromises) {
		t.Run(p.says, func(t *testing.T) {
			t.Parallel()
			p.test(t, open(t))
		})
	}
}

// A promise is one sentence of the contract.
type promise struct {
	says string
	test func(*testing.T, Fixture)
}

// must fails the test on an error.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const term = 3 * time.Second

func row(who gate.Instance) barrier.Row {
	return barrier.Row{Instance: who, Label: "gate " + string(who), Policy: "digest", Term: term}
}

func touch(t *testing.T, f Fixture, r barrier.Row, after portal.Position) barrier.Touched {
	t.Helper()
	touched, err := f.Store.Touch(t.Context(), r, after)
	return must(t, touched, err)
}

// rows are all rows by now.
func rows(t *testing.T, f Fixture) []barrier.Row {
	t.Helper()
	all, err := f.Store.Rows(t.Context(), portal.Position{})
	return must(t, all, err).Rows
}

// only is the one row there is.
func only(t *testing.T, f Fixture) barrier.Row {
	t.Helper()
	all := rows(t, f)
	if len(all) != 1 {
		t.Fatalf("%d rows: %+v", len(all), all)
	}
	return all[0]
}

// foreign is a position of another history at p's revision.
func foreign(p portal.Position) portal.Position {
	p.Tag[0] ^= 0xff
	p.Tag[31] ^= 0xff
	return p
}
