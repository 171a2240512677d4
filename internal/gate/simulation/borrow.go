package simulation

import (
	"context"
	"strings"
	"time"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// A borrower is a sidecar's way to what all share, a gate.Shared. It does with tasks what
// the Cache of gate/shared does with goroutines: questions that look for the same share an
// answer, also one under way. That the Cache rests after failures, bounds what it does at once
// and talks to a real Redis is tested there.
type borrower struct {
	c     *sidecar
	redis *redis
	keys  []gate.SharingKey // that it was given last
	known uint64            // the oldest key that it may still open with; 0: it is being given some
	looks map[string]*look  // under way, by what for
}

// A look is one call of Redis for one question or more.
type look struct {
	done   chan struct{} // closed when it is over
	values []entry       // nil: there was no answer in time
}

// patient is how long Redis is waited for.
const patient = 20 * time.Millisecond

// borrowed is what became of one question's looks.
type borrowed struct{ found bool }

type borrowedKey struct{}

// learn is the loop that gets keys of the directory.
func (b *borrower) learn() {
	b.c.hold(b.c.w.between(0, 300*time.Millisecond))
	for {
		keys, err := call(b.c.s.network, b.c.directory().process, gate.ReadTimeout,
			func() ([]gate.SharingKey, error) { return b.redis.current(), nil }, nil)
		if err == nil {
			b.use(keys)
		}
		b.c.hold(b.c.w.between(0, time.Second) << b.c.w.rand.IntN(3))
	}
}

func (b *borrower) use(keys []gate.SharingKey) {
	b.keys = keys
	if b.c.s.plan.mutant.keepsKeys {
		b.keys = b.redis.keys
	}
	b.c.hold(2 * patient) // looks that began before are over
	b.known = keys[len(keys)-1].Number
}

// Find implements gate.Shared.
func (b *borrower) Find(ctx context.Context, era gate.Era, keys []portal.FactKey) []gate.Found {
	ring, s := b.keys, b.c.s
	if len(ring) == 0 || len(keys) == 0 {
		return nil
	}
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = s.plan.sealer.Name(era, key)
	}
	values := b.look(names)
	if s.oneIn(b.redis.late) { // the machine or the goroutine was held up
		s.count[lateFinds]++
		b.c.hold(s.between(0, 20*time.Millisecond) << s.rand.IntN(9))
	}
	if values == nil {
		return nil
	}
	all, good := make([]gate.Found, len(keys)), true
	for i, e := range values {
		var result string
		all[i], result = s.plan.sealer.Open(ring, names[i], e.value, keys[i], era)
		b.count(e, keys[i], all[i], result)
		good = good && len(all[i].Facts) > 0
	}
	if told, ok := ctx.Value(borrowedKey{}).(*borrowed); ok {
		told.found = good
	}
	return all
}

// look asks Redis, or joins somebody who does.
func (b *borrower) look(names []string) []entry {
	w, id := b.c.w, strings.Join(names, "")
	l := b.looks[id]
	if l == nil {
		l = &look{done: make(chan struct{})}
		b.looks[id] = l
		over := func(values []entry) {
			if b.looks[id] == l {
				delete(b.looks, id)
				l.values = values
				close(l.done)
			}
		}
		b.redis.get(names, b.c.process, over)
		w.after(patient, b.c.process, func() { over(nil) })
	} else {
		b.c.s.count[sharedFinds]++
	}
	w.park(l.done, func(wake func()) { w.after(patient, b.c.process, wake) })
	return l.values
}

// count counts what was found.
func (b *borrower) count(e entry, key portal.FactKey, f gate.Found, result string) {
	n, at := b.c.s.count, b.c.status().Position
	switch {
	case len(f.Facts) == 0 && e.trick != "":
		n[refused(e.trick)]++
	case len(f.Facts) == 0:
		n[unopened(result)]++
	case f.Position.Revision > at.Revision:
		n[aheadEntries]++
	case b.changed(key, f.Position, at):
		n[changedEntries]++
	default:
		n[goodEntries]++
		if e.old {
			n[oldEntries]++
		}
	}
}

// changed tells whether what the facts of a key are is another at a later position.
func (b *borrower) changed(key portal.FactKey, from, to portal.Position) bool {
	was, is := b.c.s.database.of[from.Tag], b.c.s.database.of[to.Tag]
	return was == nil || is == nil || !same(was.content.facts(key), is.content.facts(key))
}

// Keep implements gate.Shared: a goroutine of its own seals and sends.
func (b *borrower) Keep(keys []portal.FactKey, f gate.Found) {
	b.c.w.after(b.c.w.between(0, time.Millisecond), b.c.process, func() {
		if len(b.keys) == 0 {
			return
		}
		for i, key := range keys {
			name := b.c.s.plan.sealer.Name(f.Era, key)
			b.redis.set(entry{name: name, value: b.c.s.plan.sealer.Seal(b.keys, name, key, f.Facts[i], f), key: key, at: f.Position.Revision})
		}
	})
}
