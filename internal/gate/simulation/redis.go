package simulation

import (
	"time"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A sealer seals and opens entries: gate/shared's. Tests hand it in, as gate/shared rests
// on packages that are tested with a Memory.
type sealer interface {
	Name(era gate.Era, key portal.FactKey) string
	Seal(keys []gate.SharingKey, name string, key portal.FactKey, facts portal.Facts, f gate.Found) string
	// Open says also what became of the entry: found, or why not.
	Open(keys []gate.SharingKey, name, value string, key portal.FactKey, era gate.Era) (gate.Found, string)
}

// An entry is what is under a name in Redis.
type entry struct {
	name, value string
	key         portal.FactKey
	at          portal.Revision
	trick       trick // "": a gate wrote it, and it is where it was written
	old         bool  // it was replaced or forgotten once, and is back
}

// A redis is what all sidecars share. It keeps no promise: it forgets, goes back in time,
// answers late or never, and takes whatever a neighbour writes.
type redis struct {
	s        *schedule
	holds    map[string]entry
	written  []written // by gates, in the order in which it came
	late     int       // one answer in so many comes when much has happened
	down     bool
	keys     []gate.SharingKey // those of the directory, the newest first
	stranger gate.SharingKey   // of another installation
}

// written is an entry that a gate wrote.
type written struct {
	entry
	at time.Duration
}

// handedOut is how many keys gates are given.
const handedOut = 2

func newRedis(s *schedule) *redis {
	r := &redis{s: s, holds: map[string]entry{}, late: s.plan.late}
	r.stranger = r.newKey(1)
	r.rotate()
	if s.plan.tricks > 0 {
		s.after(s.between(0, s.plan.tricks), nil, r.play)
	}
	return r
}

func (r *redis) newKey(number uint64) (k gate.SharingKey) {
	k.Number = number
	(&random{w: r.s.world}).Read(k.Secret[:])
	return k
}

// rotate has the directory make a key, and goes on.
func (r *redis) rotate() {
	number := uint64(1)
	if len(r.keys) > 0 {
		number += r.keys[0].Number
		r.s.count[keysMade]++
	}
	r.keys = append([]gate.SharingKey{r.newKey(number)}, r.keys...)
	r.s.after(r.s.between(500*time.Millisecond, 8*time.Second), nil, r.rotate)
}

// current are the keys that the directory hands out.
func (r *redis) current() []gate.SharingKey { return r.keys[:min(len(r.keys), handedOut)] }

// leaked is the newest key that no gate has or will be given any more. That it is known to
// all by now must do no harm.
func (r *redis) leaked() (gate.SharingKey, bool) {
	oldest := r.current()[len(r.current())-1].Number
	for _, c := range r.s.sidecars {
		oldest = min(oldest, c.borrower.known)
	}
	for _, k := range r.keys {
		if k.Number < oldest {
			return k, true
		}
	}
	return gate.SharingKey{}, false
}

// get is asked for some names, and answers in time, late or never.
func (r *redis) get(names []string, to *process, answer func([]entry)) {
	s := r.s
	if r.down || s.oneIn(300) {
		return
	}
	s.after(s.between(50*time.Microsecond, 2*time.Millisecond), nil, func() {
		values := make([]entry, len(names))
		for i, name := range names {
			values[i] = r.holds[name]
		}
		s.after(s.between(50*time.Microsecond, 2*time.Millisecond), to, func() { answer(values) })
	})
}

// set is sent an entry: it comes soon, late, twice or never, in any order.
func (r *redis) set(e entry) {
	s := r.s
	for again := true; again; again = s.oneIn(30) {
		most := 5 * time.Millisecond
		if s.oneIn(20) {
			most = 4 * time.Second
		}
		if r.down || s.oneIn(100) {
			continue
		}
		s.after(s.between(100*time.Microsecond, most), nil, func() {
			if r.holds[e.name].at > e.at {
				s.count[lateFills]++
			}
			r.holds[e.name] = e
			r.written = append(r.written, written{e, s.now})
		})
	}
}
