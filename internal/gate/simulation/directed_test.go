package simulation

import (
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/gate/internal/rule"
)

// calm is a schedule without chance: nothing is lost, nobody is held up, and only what
// the test arranges happens.
func calm(t *testing.T, m mutant, arrange func(*plan)) *schedule {
	t.Helper()
	free := &tasks{}
	w := newWorld(1, free)
	p := plan{
		mutant: m, replicas: 1, sidecars: 1, window: 1000, changes: 1000, idle: 200 * ms, reconnects: 1, synchronous: true,
		until: 20 * time.Second,
	}
	if arrange != nil {
		arrange(&p)
	}
	s := newSchedule(w, p)
	s.network.lose, s.network.double, s.network.slow = 0, 0, 0
	t.Cleanup(func() { s.stop(); free.Close() })
	return s
}

// asks has the sidecar asked about a subject every few milliseconds.
func (s *schedule) asks(who subject, until time.Duration) {
	c := s.sidecars[0]
	for at := s.now; at < until; at += 2 * time.Millisecond {
		s.after(at-s.now, c.process, func() { s.start(c.process, func() { s.ask(c, who, false) }) })
	}
}

// R2: first the row, then head and changes. The order matters only for a gate that has
// facts in memory and no row: one that was out of reach for so long that its row was
// deleted. Chance hits it once in many thousand schedules.
func TestTheRowIsCommittedBeforeTheFeedIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		m    mutant
		kept bool
	}{"as it is": {mutant{}, true}, "the other way round": {without(rule.RowFirst), false}} {
		t.Run(name, func(t *testing.T) {
			s, anna := calm(t, c.m, nil), subject{0, 0}
			sidecar, directory0 := s.sidecars[0], s.replicas[0]
			s.run(time.Second)
			s.asks(anna, 1100*time.Millisecond) // they are in memory then
			s.run(2 * time.Second)
			s.network.separate(sidecar.process, directory0.process, true)
			s.run(12 * time.Second)
			if rows := s.database.primary.head().rows; len(rows) != 0 {
				t.Fatalf("the row of a gate that is gone is still there: %+v", rows)
			}
			// When the row is about to be made again, somebody takes anna's right away.
			directory0.store.hooks = map[string]func(){"Touch": func() {
				directory0.store.hooks = nil
				s.start(s.people, func() {
					s.decree(change{kind: directory.ChangedMembership, account: 0, user: 0})
				})
				directory0.hold(50 * time.Millisecond)
			}}
			s.network.separate(sidecar.process, directory0.process, false)
			s.asks(anna, 14*time.Second)
			s.run(14 * time.Second)
			if len(s.enforced) == 0 {
				t.Fatal("nothing was enforced")
			}
			if kept := s.violation == nil; kept != c.kept {
				t.Errorf("the promise was kept: %v, want %v: %v", kept, c.kept, s.violation)
			}
		})
	}
}

// A change is enforced within milliseconds where gates are healthy, and counted.
func TestHealthyGatesAcknowledge(t *testing.T) {
	s := calm(t, mutant{}, func(p *plan) { p.sidecars, p.replicas = 3, 2 })
	s.run(5 * time.Second) // past the start, when barriers wait (R11)
	took := time.Duration(0)
	s.start(s.people, func() {
		began := s.now
		s.decree(change{kind: directory.ChangedUser, user: 1})
		took = s.now - began
	})
	s.run(10 * time.Second)
	if took <= 0 || took > 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	if s.count[byAcknowledgement] != 1 || s.violation != nil {
		t.Errorf("%v, %v", s.count, s.violation)
	}
}

// R6: a gate that was stopped for good costs one barrier its term; by then its row is
// marked, and soon deleted.
func TestAGateThatIsGoneCostsOneBarrier(t *testing.T) {
	s := calm(t, mutant{}, func(p *plan) { p.idle = time.Hour })
	s.run(5 * time.Second)
	s.sidecars[0].kill()
	var took []time.Duration
	s.start(s.people, func() {
		for i := range 2 {
			began := s.now
			s.decree(change{kind: directory.ChangedUser, user: i})
			took = append(took, s.now-began)
			s.people.hold(8 * time.Second)
		}
	})
	s.run(30 * time.Second)
	if len(took) != 2 || took[0] < 3*time.Second || took[0] > 4*time.Second || took[1] > 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	if s.count[byWaiting] != 1 {
		t.Errorf("%v", s.count)
	}
}

// R6: a gate that leaves costs nobody anything.
func TestAGateThatLeavesIsNotWaitedFor(t *testing.T) {
	s := calm(t, mutant{}, nil)
	s.run(5 * time.Second)
	c := s.sidecars[0]
	s.start(c.process, func() { c.left = true; c.gate.Leave(ctx) })
	s.run(6 * time.Second)
	c.kill()
	took := time.Hour
	s.start(s.people, func() {
		began := s.now
		s.decree(change{kind: directory.ChangedUser, user: 1})
		took = s.now - began
	})
	s.run(7 * time.Second)
	if took > 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

// Idle gates cost no commits of their own (R2): what is committed are the pulses of the
// directory, whatever the number of gates.
func TestIdleGatesCostNoCommits(t *testing.T) {
	commits := func(gates int) int {
		s := calm(t, mutant{}, func(p *plan) { p.sidecars, p.idle = gates, time.Hour })
		s.run(2 * time.Second)
		before := len(s.database.primary.versions)
		s.run(20 * time.Second)
		for _, c := range s.sidecars {
			if s.now-c.leased > 3*time.Second {
				t.Errorf("%s has no lease", c.name)
			}
		}
		return len(s.database.primary.versions) - before
	}
	if one, many := commits(1), commits(20); one != 0 || many != 0 {
		t.Errorf("%d commits of one idle gate, %d of 20", one, many)
	}
}
