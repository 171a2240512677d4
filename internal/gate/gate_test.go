package gate_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/directory"
	"doorward/internal/facts"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
)

// near is a directory in the same process, whose calls take a moment. It may be broken.
type near struct {
	*barrier.Keeper
	broken atomic.Bool
	reads  atomic.Int64
}

var errBroken = errors.New("broken")

func (n *near) travel() error {
	time.Sleep(time.Millisecond)
	if n.broken.Load() {
		return errBroken
	}
	return nil
}

func (n *near) Ask(ctx context.Context, ask gate.Ask) (gate.Answer, error) {
	if err := n.travel(); err != nil {
		return gate.Answer{}, err
	}
	return n.Keeper.Ask(ctx, ask)
}

func (n *near) Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (gate.Found, error) {
	n.reads.Add(1)
	if err := n.travel(); err != nil {
		return gate.Found{}, err
	}
	return n.Keeper.Facts(ctx, keys, confirmed)
}

// world is a directory and its database, in a bubble of virtual time.
type world struct {
	t      *testing.T
	memory *simulation.Memory
	near   *near
	ctx    context.Context
	tasks  sync.WaitGroup // that end with ctx
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, memory: simulation.NewMemory()}
	keeper, err := barrier.New(barrier.Config{Store: w.memory, Clock: gate.NewClock()})
	if err != nil {
		t.Fatal(err)
	}
	w.near = &near{Keeper: keeper}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() { stop(); w.tasks.Wait() })
	w.ctx = ctx
	return w
}

// gate makes a gate that follows the directory, if it is to.
func (w *world) gate(follow bool, c gate.Config) *gate.Gate {
	w.t.Helper()
	c.Directory, c.Clock, c.Label = w.near, gate.NewClock(), "gate"
	g, err := gate.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	if follow {
		w.tasks.Go(func() {
			for w.ctx.Err() == nil {
				if g.Step(w.ctx) != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	return g
}

// active asks a gate whether a user is active.
func (w *world) active(g *gate.Gate, user int, q gate.Query) (bool, gate.Reply, error) {
	q.Keys = []portal.FactKey{simulation.Key(user)}
	r, err := g.Read(w.ctx, q)
	return err == nil && r.Facts[0].User.Status == portal.UserActive, r, err
}

// enforce changes a user and waits until that is in force.
func (w *world) enforce(user int, active bool) barrier.Outcome {
	w.t.Helper()
	at := w.memory.Put(user, active)
	w.near.News()
	outcome, err := w.near.Enforce(w.ctx, barrier.Done{At: at, Committed: true})
	if err != nil {
		w.t.Error(err)
	}
	return outcome
}

// Many goroutines ask several gates while users come and go: who asks after a removal
// was enforced is refused, from memory or not. req 97.
func TestManyGoroutinesAndARemoval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memory.Put(0, true)
		w.memory.Put(1, true)
		gates := []*gate.Gate{w.gate(true, gate.Config{}), w.gate(true, gate.Config{Staleness: time.Second}), w.gate(true, gate.Config{Memory: facts.Bound{Bytes: 1 << 20}})}
		time.Sleep(40 * time.Second) // past the start, when barriers wait (R11)
		var fromMemory, refused atomic.Int64
		for i := range 12 {
			w.tasks.Go(func() {
				for w.ctx.Err() == nil {
					if _, r, err := w.active(gates[i%3], i%2, gate.Query{Bounded: i%4 == 0}); err == nil && r.FromMemory {
						fromMemory.Add(1)
					}
					time.Sleep(time.Duration(50+i*7) * time.Microsecond)
				}
			})
		}
		for i := range 50 {
			if o := w.enforce(0, false); !o.Enforced || o.Gates != 3 || o.Acknowledged != 3 || o.After > 100*time.Millisecond {
				t.Fatalf("%+v", o)
			}
			for _, g := range gates {
				if allowed, r, err := w.active(g, 0, gate.Query{}); allowed || err != nil {
					t.Errorf("change %d: allowed %v, %+v, %v", i, allowed, r, err)
				}
				refused.Add(1)
			}
			w.memory.Put(0, true)
			time.Sleep(20 * time.Millisecond)
		}
		if fromMemory.Load() < 1000 || refused.Load() != 150 {
			t.Errorf("%d answers from memory, %d refusals: the test proved little", fromMemory.Load(), refused.Load())
		}
	})
}

// Questions that miss at the same time share reads, and every read begins after the
// question (R9): fewer reads than questions, and none is answered from an older one.
func TestQuestionsShareReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memory.Put(0, true)
		g := w.gate(false, gate.Config{})
		var work sync.WaitGroup
		for range 100 {
			work.Go(func() {
				if allowed, _, err := w.active(g, 0, gate.Query{}); !allowed || err != nil {
					t.Error(allowed, err)
				}
			})
		}
		work.Wait()
		if n := w.near.reads.Load(); n < 1 || n > 4 {
			t.Errorf("%d reads for 100 questions", n)
		}
	})
}

// Whoever joins a read and gives up does not keep the others from their answers.
func TestAQuestionMayBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memory.Put(0, true)
		g := w.gate(false, gate.Config{})
		gone, giveUp := context.WithCancel(w.ctx)
		giveUp()
		var work sync.WaitGroup
		for i := range 20 {
			work.Go(func() {
				ctx := w.ctx
				if i%2 == 0 {
					ctx = gone
				}
				_, err := g.Read(ctx, gate.Query{Keys: []portal.FactKey{simulation.Key(0)}})
				if i%2 == 0 && err != nil && !errors.Is(err, context.Canceled) || i%2 == 1 && err != nil {
					t.Errorf("question %d: %v", i, err)
				}
			})
			time.Sleep(100 * time.Microsecond)
		}
		work.Wait()
	})
}

// Every way of not answering is told apart, and none is an allow (R9, R15).
func TestWhyThereIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		at := w.memory.Put(0, true)
		g := w.gate(true, gate.Config{Staleness: 10 * time.Second})
		w.near.broken.Store(true)
		step := func(what string, wait time.Duration, user int, q gate.Query, want error) {
			t.Helper()
			time.Sleep(wait)
			began := time.Now()
			allowed, _, err := w.active(g, user, q)
			if !errors.Is(err, want) || allowed != (want == nil) {
				t.Errorf("%s: allowed %v, %v, want %v", what, allowed, err, want)
			}
			if took := time.Since(began); took > gate.Patience {
				t.Errorf("%s: took %v", what, took)
			}
		}
		later := portal.Mark{Revision: at.Revision + 1}
		step("before anything is known", time.Second, 0, gate.Query{}, gate.ErrNotReady)
		w.near.broken.Store(false)
		step("well", time.Second, 0, gate.Query{}, nil)
		step("a revision that there is not", 0, 0, gate.Query{Min: later}, gate.ErrRevisionNotReached)
		step("another policy", 0, 0, gate.Query{Policy: portal.Promoted{At: 7, Digest: "d7"}}, gate.ErrPolicyMoved)
		w.near.broken.Store(true)
		step("remembered, under the lease", 0, 0, gate.Query{}, nil)
		step("not remembered, under the lease", 0, 1, gate.Query{}, gate.ErrFactsUnavailable)
		step("strict, after the lease", 4*time.Second, 0, gate.Query{}, gate.ErrStale)
		step("bounded, after the lease", 0, 0, gate.Query{Bounded: true}, nil)
		step("bounded, and not remembered", 0, 1, gate.Query{Bounded: true}, gate.ErrStale)
		step("bounded, and of a later revision", 0, 0, gate.Query{Bounded: true, Min: later}, gate.ErrRevisionNotReached)
		step("bounded, long after the lease", 10*time.Second, 0, gate.Query{Bounded: true}, gate.ErrStale)
	})
}

// A gate that leaves answers nothing from memory any more, and what the directory is
// asked about is still answered (R6).
func TestAGateThatLeavesStillAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memory.Put(0, true)
		g := w.gate(true, gate.Config{Staleness: 10 * time.Second})
		time.Sleep(time.Second)
		w.active(g, 0, gate.Query{})
		if _, r, err := w.active(g, 0, gate.Query{}); err != nil || !r.FromMemory || !g.Status().Leased {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := g.Leave(w.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		allowed, r, err := w.active(g, 0, gate.Query{Bounded: true})
		if !allowed || err != nil || r.FromMemory || g.Status().Leased {
			t.Errorf("allowed %v, %+v, %v", allowed, r, err)
		}
		rows, err := w.memory.Rows(w.ctx, portal.Position{})
		if err != nil || len(rows.Rows) != 0 {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

// A change of a kind that this gate does not know may be about anything.
func TestAnUnknownKindOfChangeDropsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		at := w.memory.Put(0, true)
		d := &scripted{near: w.near}
		g, err := gate.New(gate.Config{Directory: d, Clock: gate.NewClock()})
		if err != nil {
			t.Fatal(err)
		}
		d.answer = gate.Answer{To: at, Head: at, Lease: true, Era: eraOf(t, w)}
		if err := g.Step(w.ctx); err != nil {
			t.Fatal(err)
		}
		w.active(g, 0, gate.Query{})
		if _, r, _ := w.active(g, 0, gate.Query{}); !r.FromMemory {
			t.Fatal("not remembered")
		}
		next := portal.Position{Revision: at.Revision + 1}
		d.answer = gate.Answer{From: at, To: next, Head: next, Lease: true, Era: d.answer.Era, Changes: []directory.Change{{Revision: next.Revision, Kind: "hologram"}}}
		if err := g.Step(w.ctx); err != nil {
			t.Fatal(err)
		}
		if _, r, err := w.active(g, 0, gate.Query{}); r.FromMemory {
			t.Errorf("still remembered: %+v, %v", r, err)
		}
	})
}

func eraOf(t *testing.T, w *world) gate.Era {
	era, err := w.memory.Pulse(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return era
}

// scripted is a directory whose next answer is given.
type scripted struct {
	*near
	answer gate.Answer
}

func (s *scripted) Ask(_ context.Context, ask gate.Ask) (gate.Answer, error) {
	a := s.answer
	if a.Instance == "" {
		a.Instance, a.Number = ask.Instance, ask.Number
	}
	return a, nil
}

// An answer to another ask, of this gate or another, is no answer (R2).
func TestAnAnswerToAnotherAskIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &scripted{near: w.near}
		g, err := gate.New(gate.Config{Directory: d, Clock: gate.NewClock()})
		if err != nil {
			t.Fatal(err)
		}
		at := portal.Position{Revision: 5}
		for _, a := range []gate.Answer{{Instance: "another", Number: 1}, {Instance: g.Status().Instance, Number: 1}} {
			a.To, a.Head, a.Lease, a.Era = at, at, true, "era"
			if d.answer = a; a.Instance != "another" {
				d.answer.Number = 7
			}
			if err := g.Step(w.ctx); !errors.Is(err, gate.ErrOtherAnswer) || g.Status().Leased {
				t.Errorf("%+v: %v, %+v", a, err, g.Status())
			}
		}
		if n := g.Status().Odd.OtherAnswers; n != 2 {
			t.Errorf("%d of two are counted", n)
		}
	})
}

// What was read of client tokens counts until a change of one is applied, or of what this
// program does not know, or the history is another, and no longer than barriers wait.
func TestWhatVouchesForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &scripted{near: w.near}
		g, err := gate.New(gate.Config{Directory: d, Clock: gate.NewClock(), Staleness: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if g.Tokens() != (directory.Stamp{}) {
			t.Error("nothing was heard, and tokens are vouched for")
		}
		seen, from := map[directory.Stamp]bool{}, portal.Position{}
		for revision, c := range []struct {
			kind  directory.ChangeKind
			moves bool
		}{
			{directory.ChangedNothing, true}, // the first stamp
			{directory.ChangedMembership, false}, {directory.ChangedToken, true}, {directory.ChangedUser, false}, {"of tomorrow", true}, {directory.ChangedToken, true},
		} {
			to := portal.Position{Revision: portal.Revision(revision + 1)}
			d.answer = gate.Answer{From: from, To: to, Head: to, Lease: true, Era: "era", Changes: []directory.Change{{Revision: to.Revision, Kind: c.kind, User: "anna", Account: "acme"}}}
			from = to
			if err := g.Step(w.ctx); err != nil || seen[g.Tokens()] == c.moves || g.Status().Head != to.Revision {
				t.Errorf("%s: %v, moved %v, %+v", c.kind, err, !seen[g.Tokens()], g.Status())
			}
			seen[g.Tokens()] = true
		}
		d.answer.From, d.answer.Changes = portal.Position{Revision: 3}, nil
		if err := g.Step(w.ctx); err != nil || seen[g.Tokens()] {
			t.Errorf("another history: %v, moved %v", err, !seen[g.Tokens()])
		}
		if odd := g.Status().Odd; odd != (gate.Oddities{Foreign: 1, Unknown: 1}) {
			t.Errorf("counted %+v", odd)
		}
		time.Sleep(gate.DefaultLease)
		if s := g.Status(); s.Leased || !s.Usable || g.Tokens() == (directory.Stamp{}) {
			t.Errorf("within the staleness: %+v, %v", s, g.Tokens())
		}
		time.Sleep(10 * time.Second)
		if s := g.Status(); s.Usable || g.Tokens() != (directory.Stamp{}) || s.Since != 13*time.Second {
			t.Errorf("after it: %+v, %v", s, g.Tokens())
		}
	})
}

// A configuration that cannot keep the promise is refused.
func TestImpossibleTermsAreRefused(t *testing.T) {
	for _, c := range []gate.Config{{Lease: -1}, {Staleness: -1}} {
		if _, err := gate.New(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if _, err := barrier.New(barrier.Config{Margin: 100 * time.Millisecond, Longest: 30 * time.Second}); err == nil {
		t.Error("a margin shorter than clocks may differ is accepted")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(false, gate.Config{Staleness: time.Minute})
		if err := g.Step(w.ctx); !errors.Is(err, barrier.ErrTerm) {
			t.Errorf("a gate that answers longer than the directory waits: %v", err)
		}
	})
}

// What a question costs that was asked before (docs/performance.md).
func BenchmarkReadFromMemory(b *testing.B) {
	memory := simulation.NewMemory()
	memory.Put(0, true)
	keeper, err := barrier.New(barrier.Config{Store: memory, Clock: gate.NewClock(), Longest: time.Hour, Margin: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	g, err := gate.New(gate.Config{Directory: &near{Keeper: keeper}, Clock: gate.NewClock(), Lease: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Step(b.Context()); err != nil {
		b.Fatal(err)
	}
	q := gate.Query{Keys: []portal.FactKey{simulation.Key(0)}}
	for b.Loop() {
		if _, err := g.Read(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
