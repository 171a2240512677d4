package simulation

import (
	"fmt"
	"time"
)

// A fault is something that goes wrong, for a while or once.
type fault string

// The faults of design section 5, and some more.
const (
	lossyNetwork   fault = "messages are lost, and come twice"
	slowNetwork    fault = "messages are late"
	cutOff         fault = "a sidecar reaches no directory"
	cutOne         fault = "a sidecar does not reach one directory"
	stopSidecar    fault = "a sidecar is stopped (SIGSTOP)"
	killSidecar    fault = "a sidecar is killed, and another started under its name"
	leaveSidecar   fault = "a sidecar leaves, and another is started"
	addSidecar     fault = "one more sidecar joins"
	twinSidecar    fault = "one more sidecar joins under the same name"
	sleepSidecar   fault = "a sidecar's machine sleeps"
	stepWall       fault = "a sidecar's wall clock is set"
	holdSidecar    fault = "a sidecar's goroutines are held up"
	stopReplica    fault = "a directory is stopped (SIGSTOP)"
	killReplica    fault = "a directory is killed in the middle of whatever it does"
	sleepReplica   fault = "a directory's machine sleeps"
	breakConns     fault = "connections to the database break"
	failOver       fault = "the database fails over"
	failOverBehind fault = "the database fails over, and the old primary goes on answering reads"
	restartPrimary fault = "the database restarts"
	strayCommit    fault = "the database restarts with a commit that its replica lacks"
	loseCommits    fault = "the database fails over and loses its last commits"
	slowRedis      fault = "answers of Redis are looked at late"
	deadRedis      fault = "Redis answers nothing"
	restoreOld     fault = "the database is restored from an old backup"
)

var allFaults = []fault{
	lossyNetwork, slowNetwork, cutOff, cutOne, stopSidecar, killSidecar, leaveSidecar, addSidecar, twinSidecar, sleepSidecar, stepWall,
	holdSidecar, stopReplica, killReplica, sleepReplica, breakConns, failOver, failOverBehind, restartPrimary, strayCommit, loseCommits,
	slowRedis, deadRedis, restoreOld,
}

// strike lets one of the plan's faults happen.
func (s *schedule) strike() {
	if s.quiet {
		return
	}
	f := s.plan.faults[s.rand.IntN(len(s.plan.faults))]
	s.count[faultsStruck]++
	s.strikes(f)
}

// brief draws how long a fault lasts: mostly short, sometimes long.
func (s *schedule) brief() time.Duration {
	if s.plan.lasts[1] > 0 {
		return s.between(s.plan.lasts[0], s.plan.lasts[1])
	}
	return s.between(10*time.Millisecond, 400*time.Millisecond) << s.rand.IntN(6)
}

func (s *schedule) strikes(f fault) {
	c := s.sidecars[s.rand.IntN(len(s.sidecars))]
	i := s.rand.IntN(len(s.replicas))
	d := s.brief()
	s.say("FAULT %s (%s or %s, %v)", f, c.name, s.replicas[i].name, d.Round(time.Millisecond))
	switch f {
	case lossyNetwork, slowNetwork:
		s.troubleNetwork(f, d)
	case cutOff:
		for _, r := range s.replicas {
			s.cut(c.process, r.process, d)
		}
	case cutOne:
		s.cut(c.process, s.replicas[i].process, d)
	case stopSidecar, killSidecar, leaveSidecar, addSidecar, twinSidecar, sleepSidecar, stepWall, holdSidecar:
		s.troubleSidecar(f, c, d)
	case stopReplica, sleepReplica:
		s.pause(s.replicas[i].process, d, f == sleepReplica)
	case killReplica:
		s.replaceReplica(i)
	case breakConns:
		r := s.replicas[i]
		r.store.lose = 3
		s.after(d, nil, func() { r.store.lose = s.plan.loseConnections })
	case slowRedis, deadRedis:
		s.troubleRedis(f, d)
	default:
		s.troubleDatabase(f)
	}
}

func (s *schedule) troubleRedis(f fault, d time.Duration) {
	switch {
	case s.redis == nil:
	case f == slowRedis:
		s.redis.late = 3
		s.after(d, nil, func() { s.redis.late = s.plan.late })
	default:
		s.redis.down = true
		s.after(d, nil, func() { s.redis.down = false })
	}
}

// maxSidecars is how many there are at most at once.
const maxSidecars = 4

func (s *schedule) troubleSidecar(f fault, c *sidecar, d time.Duration) {
	switch {
	case f == stopSidecar:
		s.pause(c.process, d, false)
	case f == killSidecar:
		s.replaceSidecar(c)
	case f == leaveSidecar:
		s.start(c.process, func() { s.leave(c) })
	case f == addSidecar && len(s.sidecars) < maxSidecars:
		s.addSidecar(fmt.Sprint("gate ", len(s.sidecars)))
	case f == twinSidecar && len(s.sidecars) < maxSidecars:
		s.addSidecar(c.name)
	case f == sleepSidecar && c.wall == 0:
		s.pause(c.process, d, true)
	case f == stepWall && c.wall != 0: // never both: that may go unseen
		c.wall += s.between(-8*time.Second, 8*time.Second)
	case f == holdSidecar:
		c.stalls = 8
		s.after(d, nil, func() { c.stalls = s.plan.stalls })
	}
}

func (s *schedule) troubleNetwork(f fault, d time.Duration) {
	was := *s.network
	if f == lossyNetwork {
		s.network.lose, s.network.double = 4, 4
	} else {
		s.network.slow, s.network.most = 3, 100*time.Millisecond
	}
	s.after(d, nil, func() {
		s.network.lose, s.network.double, s.network.slow, s.network.most = was.lose, was.double, was.slow, was.most
	})
}

func (s *schedule) cut(a, b *process, d time.Duration) {
	s.network.separate(a, b, true)
	s.after(d, nil, func() {
		s.network.separate(a, b, false)
		s.rush()
	})
}

// rush has people make changes just when something is well again.
func (s *schedule) rush() {
	for range s.plan.rush {
		if !s.quiet {
			s.after(s.between(0, 15*time.Millisecond), nil, func() { s.start(s.people, func() { s.decree(s.drawChange()) }) })
		}
	}
}

// pause holds a process for a while.
func (s *schedule) pause(p *process, d time.Duration, asleep bool) {
	if p.stopped {
		return
	}
	p.stop(asleep)
	number := p.pauses
	s.after(d, nil, func() {
		if p.pauses == number {
			p.goOn()
			s.rush()
		}
	})
}

// replaceSidecar kills a sidecar and starts another under its name.
func (s *schedule) replaceSidecar(c *sidecar) {
	for i := range s.sidecars {
		if s.sidecars[i] == c {
			c.kill()
			s.sidecars[i] = s.newSidecar(c.name, c.spool)
		}
	}
}

// leave has a sidecar give its lease back. Questions that come until it is gone are
// answered as well as may be.
func (s *schedule) leave(c *sidecar) {
	if c.left {
		return
	}
	c.left = true
	c.gate.Leave(ctx)
	s.say("%s has left", c.name)
	s.after(s.between(0, 2*time.Second), nil, func() { s.replaceSidecar(c) })
}

// replaceReplica kills a directory and starts another.
func (s *schedule) replaceReplica(i int) {
	s.replicas[i].kill()
	s.replicas[i] = s.newReplica(s.replicas[i].name)
}

func (s *schedule) troubleDatabase(f fault) {
	switch f {
	case failOver, failOverBehind:
		s.database.failOver(0, f == failOverBehind)
		s.count[failovers]++
	case restartPrimary:
		s.database.restart()
	case strayCommit:
		s.stray()
	case loseCommits:
		if s.plan.synchronous {
			return // what is replicated synchronously is not lost
		}
		s.database.failOver(s.between(0, 300*time.Millisecond), false)
		s.count[failovers]++
		s.lost = true
	case restoreOld:
		s.database.failOver(s.between(time.Second, 20*time.Second), false)
		s.count[restores]++
		s.lost = true
		for i := range s.replicas {
			s.replaceReplica(i)
		}
	}
	s.forgetLost(f)
}

// stray lets the primary come up with a commit that its replica lacks, and people make
// the same change anew. Then the replica comes back, or takes over without it.
func (s *schedule) stray() {
	ch := s.drawChange()
	if ch.kind == "policy" || s.database.primary.alone {
		return
	}
	s.database.stray(ch)
	s.history.begin(ch, s.now) // by somebody who was told of an error
	s.say("it is %v", ch)
	s.after(s.between(0, 500*time.Millisecond), nil, func() { s.start(s.people, func() { s.decree(ch) }) })
	n, over := s.database.primary, s.oneIn(2)
	s.after(s.between(0, 8*time.Second), nil, func() {
		n.alone = false
		if over && !s.quiet && n == s.database.primary {
			s.troubleDatabase(failOver)
		}
	})
}

// forgetLost strikes out what the promise does not cover any more: commits that are
// lost.
func (s *schedule) forgetLost(f fault) {
	head := s.database.primary.head()
	kept := s.enforced[:0]
	for _, p := range s.enforced {
		if head.holds(p) {
			kept = append(kept, p)
		} else if f == failOver || f == failOverBehind {
			s.violate("revision %d was enforced, and lost by a failover to a synchronous replica (R7)", p.Revision)
		}
	}
	s.enforced = kept
	for tag, v := range s.database.of {
		if p := v.position(); p.Tag == tag && !head.holds(p) && s.lostAt[p] == 0 {
			s.lostAt[p] = s.now
		}
	}
}

// heal ends all faults.
func (s *schedule) heal() {
	s.quiet = true
	s.say("all is healed")
	calm := newNetwork(s.world)
	s.network.lose, s.network.double, s.network.slow, s.network.most = calm.lose, calm.double, calm.slow, calm.most
	clear(s.network.cut)
	s.database.primary.alone = false
	for _, r := range s.replicas {
		r.store.lose, r.store.node, r.stalls = s.plan.loseConnections, s.database.primary, s.plan.stalls
		r.goOn()
	}
	for _, c := range s.sidecars {
		c.goOn()
		c.stalls = s.plan.stalls
	}
}
