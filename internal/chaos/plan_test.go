package chaos

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// A step is a fault of a plan.
type step struct {
	kind    kind
	lasting time.Duration // until it is mended
	gap     time.Duration // until the next one
	seed    uint64        // of its choices
}

// A planner plans scenes. What was planned least often comes first.
type planner struct {
	rand    *rand.Rand
	planned map[string]int
}

func newPlanner(seed uint64) *planner {
	return &planner{rand.New(rand.NewPCG(seed, 1)), map[string]int{}}
}

// mending is what it takes to strike and to mend besides, about.
const mending = 300 * time.Millisecond

// scene plans the faults of a scene, of each lane, for longer than it lasts.
func (p *planner) scene(how topology, lasting time.Duration) [][]step {
	plan := make([][]step, lanes)
	for lane := range plan {
		for total := time.Duration(0); total < 2*lasting; {
			s := p.step(lane, how)
			plan[lane], total = append(plan[lane], s), total+s.lasting+s.gap+mending
		}
	}
	return plan
}

func (p *planner) step(lane int, how topology) step {
	var fit []kind // equally good
	for _, k := range kinds {
		if k.lane != lane || k.only != "" && k.only != how {
			continue
		}
		if len(fit) > 0 && p.urgency(k) < p.urgency(fit[0]) {
			fit = fit[:0]
		}
		if len(fit) == 0 || p.urgency(k) == p.urgency(fit[0]) {
			fit = append(fit, k)
		}
	}
	k := fit[p.rand.IntN(len(fit))]
	p.planned[k.name]++
	s := step{kind: k, gap: p.between(700*time.Millisecond, 2*time.Second), seed: p.rand.Uint64()}
	if k.longest > 0 {
		s.lasting = p.between(300*time.Millisecond, k.longest)
	}
	return s
}

// urgency is lowest for what was planned least often, and of that for what only some scenes
// can have.
func (p *planner) urgency(k kind) int {
	n := 2 * p.planned[k.name]
	if k.only == "" {
		n++
	}
	return n
}

func (p *planner) between(least, most time.Duration) time.Duration {
	return least + time.Duration(p.rand.Int64N(int64(most-least)))
}

// An event is a fault that was.
type event struct {
	kind, target string
	from, to     moment
}

// aftermath is how long a removal may wait because of a fault that has ended: one that begins
// while the term of a process that was killed still runs waits for all of it.
const aftermath = 2 * (lease + staleness + margin)

// faulty tells whether something was broken at any time between, or just before.
func (s *scene) faulty(from, to moment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.from <= to && e.to >= from-aftermath {
			return true
		}
	}
	return false
}

// drive breaks one thing after the other until ctx ends, and leaves nothing broken.
func (s *scene) drive(ctx context.Context, steps []step) {
	pause(ctx, calmAtFirst)
	for _, step := range steps {
		if ctx.Err() != nil {
			return
		}
		s.damage(ctx, step)
		pause(ctx, step.gap)
	}
}

func (s *scene) damage(ctx context.Context, step step) {
	e := &event{kind: step.kind.name, from: s.now(), to: never}
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	target, mend, err := step.kind.strike(context.WithoutCancel(ctx), s, rand.New(rand.NewPCG(step.seed, 2)))
	if err == nil && mend != nil {
		pause(ctx, step.lasting)
		err = mend()
	}
	if err != nil {
		s.violate(recovery, "%s: %s: %v", step.kind.name, target, err)
	}
	s.mu.Lock()
	e.target, e.to = target, s.now()
	s.mu.Unlock()
	s.counts.fault(e.kind)
}

// Every kind comes in the first half of what is planned for three scenes of forty seconds,
// and a seed plans the same again.
func TestEveryKindOfFaultIsPlanned(t *testing.T) {
	for seed := range uint64(50) {
		one, other, seen := newPlanner(seed), newPlanner(seed), map[string]int{}
		for _, how := range topologies {
			again := other.scene(how, 30*time.Second)
			for lane, steps := range one.scene(how, 30*time.Second) {
				for i, s := range steps[:len(steps)/2] {
					seen[s.kind.name]++
					if a := again[lane][i]; a.kind.name != s.kind.name || a.seed != s.seed || a.lasting != s.lasting {
						t.Fatalf("seed %d plans two things", seed)
					}
				}
			}
		}
		for _, k := range kinds {
			if seen[k.name] == 0 {
				t.Errorf("seed %d: never %s", seed, k.name)
			}
		}
	}
}
