package simulation

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// question has somebody ask a sidecar, and goes on.
func (s *schedule) question() {
	s.after(s.between(0, s.plan.askEvery), nil, s.question)
	c := s.sidecars[s.rand.IntN(len(s.sidecars))]
	who := subject{s.rand.IntN(accounts), s.rand.IntN(users + 1)}
	s.after(0, c.process, func() { s.start(c.process, func() { s.ask(c, who, false) }) })
}

// given is a sensitive decision that was given.
type given struct {
	decision uint64
	by       *spool
	at       time.Duration
}

// ask asks a sidecar whether a subject may do something, as a decider would, and checks
// the answer.
func (s *schedule) ask(c *sidecar, who subject, soon bool) {
	s.count[questions]++
	if soon {
		s.count[soonAsked]++
	}
	began, floor := s.now, s.floor()
	q := gate.Query{Keys: []portal.FactKey{who.key()}, Bounded: s.oneIn(2)}
	if s.oneIn(6) { // about somebody else as well, as when one acts for another
		q.Keys = append(q.Keys, subject{s.rand.IntN(accounts), s.rand.IntN(users + 1)}.key())
		s.count[severalKeys]++
	}
	if s.oneIn(8) {
		q.Min = s.demand()
		s.count[demands]++
	}
	reply, judge, lent, err := c.read(q)
	if err != nil {
		s.failed(c, err)
		return
	}
	f := reply.Facts[0]
	allow := allowed(f, reply.Now) && judge.frozen != who.account
	s.checkReply(c, who, q, reply, floor)
	s.checkAge(c, who, q, reply, began)
	if s.violation != nil {
		return
	}
	if !allow {
		return
	}
	s.checkAllow(c, who, f, began, judge, floor)
	s.checkPolicy(c, who, reply.Position, judge)
	if s.oneIn(10) && !s.sensitive(c) {
		return
	}
	s.count.allowed(reply, q.Bounded, lent, c)
	s.history.allowed(who, began, s.now)
}

// read reads facts as a decider does: the policy is taken first, and anew when another
// was promoted (R13).
func (c *sidecar) read(q gate.Query) (reply gate.Reply, judge policies, lent bool, err error) {
	for range 3 {
		judge = *c.policies
		q.Policy = judge.inForce
		var told borrowed
		reply, err = c.gate.Read(context.WithValue(ctx, borrowedKey{}, &told), q)
		if lent = told.found && reply.FromMemory; !errors.Is(err, gate.ErrPolicyMoved) {
			break
		}
		c.s.count[policyMoves]++
	}
	return reply, judge, lent, err
}

// status is the gate's, without holding up anybody.
func (c *sidecar) status() gate.Status {
	was := c.stalls
	c.stalls = 0
	defer func() { c.stalls = was }()
	return c.gate.Status()
}

// allowed judges facts.
func allowed(f portal.Facts, now gate.Moment) bool {
	if f.Account.Status != portal.AccountActive {
		return false
	}
	if f.Contact != nil {
		return f.Contact.Status == portal.ContactActive
	}
	g := f.Membership.Grant
	return f.User.Status == portal.UserActive && f.Membership.State == portal.MembershipActive &&
		!now.Earliest.Before(g.NotBefore) && (g.NotAfter.IsZero() || now.Latest.Before(g.NotAfter))
}

// demand draws a position that an asker may have seen (R15).
func (s *schedule) demand() portal.Mark {
	p := s.database.primary.head().position()
	if s.oneIn(20) {
		p.Revision += 5 // nobody has
	}
	m := portal.Mark{Revision: p.Revision}
	copy(m.Prefix[:], p.Tag[:])
	return m
}

// failed checks a question that was not answered: it is told why.
func (s *schedule) failed(c *sidecar, err error) {
	s.count[unanswered]++
	for _, known := range []error{gate.ErrNotReady, gate.ErrStale, gate.ErrFactsUnavailable, gate.ErrRevisionNotReached} {
		if errors.Is(err, known) {
			return
		}
	}
	s.violate("%s: an error of no kind: %v", c.name, err)
}

// checkReply checks what holds for every answer.
func (s *schedule) checkReply(c *sidecar, who subject, q gate.Query, reply gate.Reply, floor portal.Position) {
	v := s.database.of[reply.Position.Tag]
	if v == nil || v.position() != reply.Position {
		s.violate("%s: %v: an answer at %v, which never was", c.name, who, reply.Position)
		return
	}
	// Whatever is answered was true, all of it, at the position that is answered.
	for i, key := range q.Keys {
		if truth := v.content.facts(key); !same(truth, reply.Facts[i]) {
			s.violate("%s: %v: %+v at %v, where the truth was %+v", c.name, key, reply.Facts[i], reply.Position.Revision, truth)
		}
	}
	// R15.
	if reply.Position.Revision < q.Min.Revision {
		s.violate("%s: %v: demanded revision %d, got %d", c.name, who, q.Min.Revision, reply.Position.Revision)
	}
	// The promise: a question that is asked after enforced sees the change. A change
	// that a failover lost meanwhile is outside of it.
	if s.database.primary.head().holds(floor) && !v.holds(floor) {
		s.violate("%s: %v (bounded %v, from memory %v): answered from revision %d after %d was enforced",
			c.name, who, q.Bounded, reply.FromMemory, reply.Position.Revision, floor.Revision)
	}
}

// checkAge checks that an answer is no older than a lease allows, or for bounded
// questions what R9 adds, whether or not anybody called a change enforced.
func (s *schedule) checkAge(c *sidecar, who subject, q gate.Query, reply gate.Reply, began time.Duration) {
	oldest := began - gate.DefaultLease - barrier.DefaultMargin
	if q.Bounded {
		oldest -= s.plan.staleness
	}
	versions := s.database.primary.versions
	i := len(versions) - 1
	for i > 0 && versions[i].committed > oldest {
		i--
	}
	due := versions[i].position()
	if v := s.database.of[reply.Position.Tag]; v != nil && !v.holds(due) && versions[i].committed <= oldest && i < s.database.primary.durable {
		s.violate("%s: %v (bounded %v, from memory %v): answered from revision %d, %v after revision %d was committed (R4, R9)",
			c.name, who, q.Bounded, reply.FromMemory, reply.Position.Revision, began-versions[i].committed, due.Revision)
	}
}

// checkAllow checks what holds for an allow: its time and its policy.
func (s *schedule) checkAllow(c *sidecar, who subject, f portal.Facts, began time.Duration, judge policies, floor portal.Position) {
	if g := f.Membership.Grant; g != nil && (g.NotAfter != time.Time{} || g.NotBefore != time.Time{}) {
		s.count[timedAllows]++
		if end := g.NotAfter.Sub(epoch); !g.NotAfter.IsZero() && began >= end {
			s.violate("%s: %v: allowed to a question at %v, expired at %v (R12)", c.name, who, began, end)
		}
		if from := g.NotBefore.Sub(epoch); !g.NotBefore.IsZero() && s.now < from {
			s.violate("%s: %v: allowed before %v (R12)", c.name, who, from)
		}
	}
	head := s.database.primary.head()
	if floor.Revision == 0 || !head.holds(floor) {
		return
	}
	// R13: the policy that was in force at the last enforced position, or a later one.
	demanded := portal.Revision(0)
	if v := s.database.of[floor.Tag]; v != nil {
		demanded = v.policy.At
	}
	if judge.inForce.At < demanded {
		s.violate("%s: %v: judged by the policy of revision %d after that of %d was enforced (R13)", c.name, who, judge.inForce.At, demanded)
	}
}

// checkPolicy checks that facts were judged by a policy of their own history (R13).
func (s *schedule) checkPolicy(c *sidecar, who subject, at portal.Position, judge policies) {
	v := s.database.of[at.Tag]
	if v == nil || judge.loaded.At == 0 || judge.loaded.At > at.Revision {
		return
	}
	if want := v.promotion(judge.loaded.At); judge.loaded != want {
		s.violate("%s: %v: facts of %v judged by policy %v, which there is %v (R13)", c.name, who, at, judge.loaded, want)
	}
}

// sensitive keeps a record of the decision before it is given (R16).
func (s *schedule) sensitive(c *sidecar) bool {
	s.decisions++
	if err := c.gate.Record(binary.BigEndian.AppendUint64(nil, s.decisions)); err != nil {
		s.count[spoolFull]++
		return false
	}
	s.count[sensitiveGiven]++
	s.given = append(s.given, given{s.decisions, c.spool, s.now})
	return true
}

// settle checks what must hold at the end, when nothing was broken for a while.
func (s *schedule) settle() {
	if s.violation != nil {
		return
	}
	for _, c := range s.sidecars {
		if s.now-c.leased > 5*time.Second {
			s.violate("%s has had no lease since %v although nothing was broken for %v", c.name, c.leased, settling)
		}
	}
	head := s.database.primary.head()
	for _, g := range s.given {
		if !s.lost && !g.by.holds(g.decision, head) {
			s.violate("a sensitive decision given at %v is kept nowhere (R16)", g.at)
		}
	}
	if !s.lost {
		long, err := s.history.check()
		if err != nil {
			s.violate("%v", err)
		}
		s.count[histories]++
		s.count[unknown] += long
	}
}
