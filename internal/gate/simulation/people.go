package simulation

import (
	"errors"
	"time"

	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// administrate has somebody change something, and goes on.
func (s *schedule) administrate() {
	s.after(s.between(s.plan.changeEvery[0], s.plan.changeEvery[1]), nil, s.administrate)
	if s.quiet {
		return
	}
	s.start(s.people, func() { s.decree(s.drawChange()) })
}

// drawChange draws what somebody changes: rights are taken about as often as given.
func (s *schedule) drawChange() change {
	ch := change{account: s.rand.IntN(accounts), user: s.rand.IntN(users), active: s.oneIn(2)}
	switch s.rand.IntN(10) {
	case 0:
		ch.kind = "account"
	case 1, 2:
		ch.kind = "user"
	case 3:
		ch.kind = "contact"
	case 4:
		ch.kind = "policy"
		ch.account = s.rand.IntN(3*accounts) - 2*accounts // mostly none
	default:
		ch.kind = "membership"
		if ch.active && s.oneIn(4) {
			ch.to = s.later(6 * time.Second)
		}
		if ch.active && s.oneIn(8) {
			ch.from = s.later(3 * time.Second)
		}
	}
	return ch
}

// later draws a time, in the microseconds that databases keep.
func (s *schedule) later(most time.Duration) time.Duration {
	return (s.now + s.between(0, most)).Truncate(time.Microsecond)
}

// decreed is what became of a change, and where it is in the history.
type decreed struct {
	barrier.Done
	op int
}

// decree has a directory make a change and enforce it, trying again until it is done.
func (s *schedule) decree(ch change) {
	for range 8 {
		r := s.replicas[s.rand.IntN(len(s.replicas))]
		done, err := call(s.network, r.process, 15*time.Second, func() (decreed, error) { return s.carryOut(r, ch) }, nil)
		if err != nil && !(done.Committed && s.oneIn(2)) {
			s.people.hold(s.between(0, 500*time.Millisecond))
			continue // the right may be gone by now (R7)
		}
		if done.Added || s.isEnforced(r, done.Done) {
			s.history.end(done.op, s.now)
			return
		}
	}
}

// carryOut makes a change at a directory and enforces it. Each time is another change in
// the history: a request may come twice.
func (s *schedule) carryOut(r *replica, ch change) (done decreed, err error) {
	done.op = s.history.begin(ch, s.now)
	changed := true
	if ch.kind == "policy" {
		done.Done, err = r.store.promotes(ch.account)
	} else {
		done.Done, changed, err = r.store.admin(ch, s.plan.mutant)
	}
	if err != nil {
		return decreed{}, err
	}
	if done.Committed {
		s.news()
	}
	if !changed && s.plan.mutant.trustsGone {
		s.note(r, ch, done.Done, barrier.Outcome{Enforced: true}, nil)
		return done, nil
	}
	return done, s.enforce(r, ch, done.Done)
}

// enforce has a directory enforce what was done, and keeps what it says.
func (s *schedule) enforce(r *replica, ch change, done barrier.Done) error {
	began := s.now
	outcome, err := r.keeper.Enforce(ctx, done)
	if outcome.Enforced && s.lostAt[done.At] > 0 && s.lostAt[done.At] < began {
		s.violate("%s calls revision %d enforced, which was lost before it was asked (R11)", r.name, done.At.Revision)
	}
	s.note(r, ch, done, outcome, err)
	return err
}

// wonder has somebody ask whether what a directory shows now is enforced, and goes on.
func (s *schedule) wonder() {
	s.after(s.between(0, 2*time.Second), nil, s.wonder)
	r := s.replicas[s.rand.IntN(len(s.replicas))]
	look := func() {
		at, err := op(r.store, func(n *node) (portal.Position, error) { return n.head().position(), nil })
		if err == nil {
			s.enforce(r, change{kind: "somebody asks whether it is enforced"}, barrier.Done{At: at})
		}
	}
	s.after(0, r.process, func() { s.start(r.process, look) })
}

// isEnforced asks again, of any directory, whether a change that was pending is enforced.
func (s *schedule) isEnforced(r *replica, done barrier.Done) bool {
	for range 6 {
		if s.wasEnforced(done.At) {
			return true
		}
		s.people.hold(s.between(0, time.Second))
		r = s.replicas[s.rand.IntN(len(s.replicas))]
		done.Committed = false // whoever is asked does not know
		_, err := call(s.network, r.process, 15*time.Second, func() (struct{}, error) {
			return struct{}{}, s.enforce(r, change{kind: "asked again"}, done)
		}, nil)
		if errors.Is(err, barrier.ErrLost) {
			return false
		}
	}
	return false
}

// news wakes the directories, mostly.
func (s *schedule) news() {
	for _, r := range s.replicas {
		if !s.oneIn(10) {
			s.after(s.between(0, 5*time.Millisecond), r.process, r.keeper.News)
		}
	}
}

// note keeps that a directory has called a change enforced.
func (s *schedule) note(r *replica, ch change, done barrier.Done, o barrier.Outcome, err error) {
	s.say("%s: %v, revision %d: %+v %v", r.name, ch, done.At.Revision, o, err)
	switch {
	case err != nil || done.Added:
		return
	case !o.Enforced:
		s.count[pending]++
		return
	case o.WaitedFor > 0:
		s.count[byWaiting]++
	case o.Acknowledged > 0:
		s.count[byAcknowledgement]++
	case o.Left > 0:
		s.count[byLeaving]++
	}
	if s.lost && s.lostAt[done.At] > 0 {
		return // lost while it was enforced, which the promise does not cover
	}
	s.enforced = append(s.enforced, done.At)
	s.askSoon(ch)
}

// askSoon has sidecars asked about what was just enforced.
func (s *schedule) askSoon(ch change) {
	for _, c := range s.sidecars {
		who := subject{ch.account, ch.user}
		if ch.kind == "contact" {
			who.user = users
		}
		who.account = max(0, who.account)
		s.after(s.between(0, soon), c.process, func() { s.start(c.process, func() { s.ask(c, who, true) }) })
	}
}

func (s *schedule) wasEnforced(p portal.Position) bool {
	for _, e := range s.enforced {
		if e == p {
			return true
		}
	}
	return false
}

// floor is the last position that was called enforced and that the primary holds.
func (s *schedule) floor() (floor portal.Position) {
	for _, p := range s.enforced {
		if p.Revision > floor.Revision {
			floor = p
		}
	}
	return floor
}
