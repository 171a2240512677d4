package simulation

import (
	"fmt"
	"time"

	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// A mutant is what is taken out of the protocol. The zero mutant is the protocol.
type mutant struct {
	rules      rule.Set
	flaw       flaw
	sameName   bool // R3: processes are named by their label
	statesLess bool // R9: the gate uses more than its row says
	trustsGone bool // R7: who finds the right gone calls that enforced
	readsGone  bool // R7: who finds the right gone commits nothing, and goes by what it read
	anyName    bool // R10: an entry is opened whoever it is about
	anyEra     bool // R10: an entry is opened whatever era it is of
	keepsKeys  bool // R10: a gate goes on opening with keys that the directory has retired
	byRevision bool // R13: policies are told apart by their revisions
}

// A plan is what a schedule is like.
type plan struct {
	mutant          mutant
	faults          []fault // to draw from
	least, most     int     // how many faults there are
	replicas        int
	sidecars        int
	staleness       time.Duration
	window          int
	changes         int // that go with one answer
	idle            time.Duration
	reconnects      int
	mixed           int
	synchronous     bool
	loseConnections int
	stalls          int
	lasts           [2]time.Duration // how long faults last; 0: mostly short
	changeEvery     [2]time.Duration
	rush            int           // changes when a machine goes on, or is within reach again
	askEvery        time.Duration // at most
	sealer          sealer        // of what sidecars share
	shares          bool          // there is a Redis
	late            int           // one answer of Redis in so many is looked at late
	tricks          time.Duration // that long at most from one trick of Redis to the next; 0: none
	until           time.Duration // when the last fault begins; what was broken is healed then
}

// planned draws a plan.
func planned(w *world, m mutant) plan {
	p := plan{
		mutant: m, faults: allFaults, most: 6, replicas: 1 + w.rand.IntN(3), sidecars: 1 + w.rand.IntN(3),
		window: 1000, changes: 1000, idle: w.between(200*time.Millisecond, time.Second), reconnects: 2,
		synchronous: !w.oneIn(4), loseConnections: 300, stalls: 400, until: 12 * time.Second,
		changeEvery: [2]time.Duration{50 * time.Millisecond, 1500 * time.Millisecond}, askEvery: 80 * time.Millisecond,
		late: 60, tricks: 500 * time.Millisecond,
	}
	p.rush = w.rand.IntN(3)
	if w.oneIn(2) {
		p.staleness = w.between(300*time.Millisecond, 3*time.Second)
	}
	if w.oneIn(3) {
		p.window = 5 + w.rand.IntN(20)
	}
	if w.oneIn(3) {
		p.changes = 1 + w.rand.IntN(3)
	}
	if w.oneIn(3) {
		p.idle = time.Minute
	}
	if w.oneIn(3) {
		p.reconnects = 30
	}
	p.shares = w.oneIn(2)
	if w.oneIn(3) {
		p.mixed = 2 + w.rand.IntN(4)
	}
	return p
}

// A schedule is a world with directories, sidecars, and people who change and ask.
type schedule struct {
	*world
	plan     plan
	network  *network
	database *database
	replicas []*replica
	sidecars []*sidecar
	people   *process // who never fail
	disks    int      // spools made so far
	redis    *redis   // nil: there is none

	enforced  []portal.Position // that the primary still holds
	lost      bool              // commits were lost
	lostAt    map[portal.Position]time.Duration
	quiet     bool // faults are over
	count     counts
	history   history
	decisions uint64
	given     []given
	violation error
}

// end is how long after the last fault a schedule goes on.
const end = 9 * time.Second

// settling is for how long nothing is broken at the end.
const settling = 6 * time.Second

// newSchedule makes a world that has just started.
func newSchedule(w *world, p plan) *schedule {
	s := &schedule{
		world: w, plan: p, network: newNetwork(w), database: newDatabase(w, p.mutant.flaw),
		lostAt: map[portal.Position]time.Duration{}, count: counts{},
	}
	s.people = w.process("people")
	s.people.stalls = 0
	s.populate()
	if p.shares {
		s.redis = newRedis(s)
	}
	for i := range p.replicas {
		s.replicas = append(s.replicas, s.newReplica(fmt.Sprint("directory ", i)))
	}
	for i := range p.sidecars {
		s.addSidecar(fmt.Sprint("gate ", i))
	}
	return s
}

func (s *schedule) addSidecar(label string) {
	s.disks++
	disk := &spool{name: fmt.Sprint("disk ", s.disks), added: map[uint64]uint64{}}
	s.sidecars = append(s.sidecars, s.newSidecar(label, disk))
}

// populate fills the directory: everybody may everything.
func (s *schedule) populate() {
	for a := range accounts {
		s.database.update(s.database.primary, change{kind: "account", account: a, active: true})
		s.database.update(s.database.primary, change{kind: "contact", account: a, active: true})
		for u := range users {
			s.database.update(s.database.primary, change{kind: "user", user: u, active: true})
			s.database.update(s.database.primary, change{kind: "membership", account: a, user: u, active: true})
		}
	}
}

// live runs the schedule to its end, or to the first violation.
func (s *schedule) live() error {
	for range s.plan.least + s.rand.IntN(s.plan.most-s.plan.least+1) {
		s.after(s.between(0, s.plan.until), nil, s.strike)
	}
	s.after(s.between(0, time.Second), nil, s.administrate)
	s.after(s.between(0, time.Second), nil, s.question)
	s.after(s.between(0, 5*time.Second), nil, s.wonder)
	s.after(s.plan.until+end-settling, nil, s.heal)
	for s.violation == nil && s.now < s.plan.until+end {
		s.world.run(s.now + time.Second)
	}
	s.count[schedules]++
	s.settle()
	s.stop()
	return s.violation
}

// stop ends all processes, so that their coroutines can be used again.
func (s *schedule) stop() {
	s.people.kill()
	for _, r := range s.replicas {
		r.kill()
	}
	for _, c := range s.sidecars {
		c.kill()
	}
}

// violate keeps the first violation.
func (s *schedule) violate(format string, args ...any) {
	if s.violation == nil {
		s.violation = fmt.Errorf("at %.6fs: "+format, append([]any{s.now.Seconds()}, args...)...)
		s.say("VIOLATION %v", s.violation)
	}
}
