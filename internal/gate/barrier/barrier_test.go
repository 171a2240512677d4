package barrier_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
)

// within runs a test in virtual time, with a directory that has just started.
func within(t *testing.T, test func(t *testing.T, m *simulation.Memory, k *barrier.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := simulation.NewMemory()
		k, err := barrier.New(barrier.Config{Store: m, Clock: gate.NewClock(), Longest: 13 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		test(t, m, k)
	})
}

// asks has a gate ask once, without waiting.
func asks(t *testing.T, k *barrier.Keeper, who gate.Instance, after portal.Position) gate.Answer {
	t.Helper()
	a, err := k.Ask(t.Context(), gate.Ask{Instance: who, Number: 1, After: after, Term: 13 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// R8: a gate that joins is told as many changes as it has use for. One that is behind is
// told all that it missed.
func TestAGateJoinsWithTheWindowItWants(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		first := m.Put(0, true)
		head := first
		for i := range 10 {
			head = m.Put(0, i%2 == 0)
		}
		for window, want := range map[uint64]int{0: 12, 5: 5, 1_000_000: 12} {
			a, err := k.Ask(t.Context(), gate.Ask{Instance: "a", Term: time.Second, Window: window})
			if err != nil || a.To != head || len(a.Changes) != want {
				t.Errorf("a window of %d: %d changes from %v to %v, %v", window, len(a.Changes), a.From, a.To, err)
			}
			a, err = k.Ask(t.Context(), gate.Ask{Instance: "a", Term: time.Second, Window: window, After: first})
			if err != nil || a.From != first || len(a.Changes) != 9 {
				t.Errorf("a window of %d, behind: %d changes from %v, %v", window, len(a.Changes), a.From, err)
			}
		}
	})
}

func enforce(t *testing.T, k *barrier.Keeper, done barrier.Done) barrier.Outcome {
	t.Helper()
	o, err := k.Enforce(t.Context(), done)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// R11: where a database may have lost rows, a directory waits for gates that it may know
// nothing of; R6: after its patience it says that it is not done, and goes on when asked
// again.
func TestABarrierIsPendingAndGoesOn(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		m.Put(0, true)
		m.FailOver()
		done := barrier.Done{At: m.Put(0, false), Committed: true}
		first := enforce(t, k, done)
		if first.Enforced || first.Gates != 0 || first.After < barrier.DefaultPatience || first.After > barrier.DefaultPatience+2*time.Second {
			t.Errorf("at first %+v", first)
		}
		began := time.Now()
		then := enforce(t, k, barrier.Done{At: done.At})
		if !then.Enforced || then.After < 13*time.Second+barrier.DefaultMargin || time.Since(began) > 4*time.Second {
			t.Errorf("asked again %+v after %v", then, time.Since(began))
		}
		if o := enforce(t, k, barrier.Done{At: m.Put(0, true), Committed: true}); !o.Enforced || o.After != 0 {
			t.Errorf("when nobody is there %+v", o)
		}
	})
}

// R11: once somebody has waited in an era, nobody waits any more: not another directory,
// nor one that has just started.
func TestAnEraIsWaitedForOnce(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		settled := func() bool {
			if err := k.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := m.Rows(t.Context(), portal.Position{})
			return err == nil && rows.Settled
		}
		m.Put(0, true)
		m.FailOver()
		for range 13 {
			if settled() {
				t.Fatal("settled before gates can have asked again")
			}
			time.Sleep(time.Second)
		}
		time.Sleep(barrier.DefaultMargin)
		if !settled() {
			t.Error("not settled")
		}
		other, err := barrier.New(barrier.Config{Store: m, Clock: gate.NewClock(), Longest: 13 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if o := enforce(t, other, barrier.Done{At: m.Put(0, false), Committed: true}); !o.Enforced || o.After != 0 {
			t.Errorf("a directory that has just started: %+v", o)
		}
		m.FailOver()
		if o := enforce(t, other, barrier.Done{At: m.Put(0, true), Committed: true}); o.Enforced {
			t.Errorf("in another era: %+v", o)
		}
	})
}

// R7: what only adds does not wait, and promises nothing.
func TestAddingDoesNotWait(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		asks(t, k, "a", portal.Position{})
		if o := enforce(t, k, barrier.Done{At: m.Put(0, true), Committed: true, Added: true}); o != (barrier.Outcome{Waived: true}) {
			t.Errorf("%+v", o)
		}
	})
}

// R6: gates are counted by how they were dealt with.
func TestGatesAreCounted(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		asks(t, k, "a", portal.Position{})
		time.Sleep(20 * time.Second)
		for _, who := range []gate.Instance{"acknowledges", "leaves", "is silent"} {
			asks(t, k, who, portal.Position{})
		}
		if err := k.Leave(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		at := m.Put(0, false)
		go func() {
			time.Sleep(time.Second)
			asks(t, k, "acknowledges", at)
			asks(t, k, "is new", at)
			k.Leave(t.Context(), "leaves")
		}()
		enforce(t, k, barrier.Done{At: at, Committed: true})
		o := enforce(t, k, barrier.Done{At: at})
		if !o.Enforced || o.Gates != 3 || o.Acknowledged != 2 || o.WaitedFor != 1 {
			t.Errorf("%+v", o) // asked again, one has left and one is new
		}
	})
}

// R11: a position that the database does not hold is an error, never enforced.
func TestALostCommitIsNotEnforced(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		at := m.Put(0, false)
		at.Tag[0] ^= 1
		if o, err := k.Enforce(t.Context(), barrier.Done{At: at, Committed: true}); !errors.Is(err, barrier.ErrLost) || o.Enforced {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// R2: an answer to a gate that waits comes with the change, or with a lease at the end of
// its time; R4: and says how far the head is.
func TestAnAskWaitsForNews(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		at := m.Put(0, true)
		asks(t, k, "a", at)
		wait := gate.Ask{Instance: "a", After: at, Term: time.Second, Wait: time.Second}
		began := time.Now()
		a, err := k.Ask(t.Context(), wait)
		if err != nil || !a.Lease || a.To != at || a.Head != at || time.Since(began) != time.Second {
			t.Errorf("without news %+v, %v after %v", a, err, time.Since(began))
		}
		next := at
		go func() {
			time.Sleep(100 * time.Millisecond)
			next = m.Put(0, false)
			k.News()
		}()
		began = time.Now()
		if a, err = k.Ask(t.Context(), wait); err != nil || a.To != next || a.To == at || time.Since(began) != 100*time.Millisecond {
			t.Errorf("with news %+v, %v after %v", a, err, time.Since(began))
		}
	})
}

// R6: marks are watched by whoever sweeps, and rows of gates that live stay.
func TestSweepingTakesOnlyWhoIsGone(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		asks(t, k, "lives", portal.Position{})
		asks(t, k, "is gone", portal.Position{})
		for range 15 * 60 { // idle rows are marked after ten minutes
			if err := k.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			asks(t, k, "lives", portal.Position{})
			time.Sleep(time.Second)
		}
		rows, err := m.Rows(t.Context(), portal.Position{})
		if err != nil || len(rows.Rows) != 1 || rows.Rows[0].Instance != "lives" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

// R9, R11: a read is confirmed by a commit in the same database, or it is an error.
func TestAConfirmedReadIsOfOneDatabase(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		m.Put(0, true)
		key := []portal.FactKey{simulation.Key(0)}
		if f, err := k.Facts(t.Context(), key, true); err != nil || !f.Confirmed {
			t.Errorf("%+v, %v", f, err)
		}
		if f, err := k.Facts(t.Context(), key, false); err != nil || f.Confirmed {
			t.Errorf("not asked to be: %+v, %v", f, err)
		}
		between, err := barrier.New(barrier.Config{Store: failing{m}, Clock: gate.NewClock()})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := between.Facts(t.Context(), key, true); !errors.Is(err, barrier.ErrUnconfirmed) {
			t.Errorf("with a failover in between: %+v, %v", f, err)
		}
	})
}

// Operators see every gate that may answer, and how long ago it asked this directory.
func TestGatesAreSeen(t *testing.T) {
	within(t, func(t *testing.T, m *simulation.Memory, k *barrier.Keeper) {
		at := m.Put(0, true)
		other, err := barrier.New(barrier.Config{Store: m, Clock: gate.NewClock(), Longest: 13 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		asks(t, k, "a", portal.Position{})
		asks(t, other, "b", at)
		time.Sleep(time.Second)
		asks(t, k, "a", at)
		time.Sleep(2 * time.Second)
		seen, err := k.Gates(t.Context())
		if err != nil || len(seen) != 2 {
			t.Fatalf("%+v, %v", seen, err)
		}
		if a, b := seen[0], seen[1]; !a.Here || a.Ago != 2*time.Second || a.Acknowledged != at.Revision || a.Term != 13*time.Second || b.Here || b.Acknowledged != at.Revision {
			t.Errorf("%+v", seen)
		}
		if err := k.Leave(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if err := k.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if seen, err = k.Gates(t.Context()); err != nil || len(seen) != 1 || seen[0].Instance != "b" {
			t.Errorf("%+v, %v", seen, err)
		}
	})
}
