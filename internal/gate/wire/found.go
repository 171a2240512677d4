package wire

import (
	"fmt"

	"doorward/internal/gate"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// A read asks for facts. Call names it, and no other read ever: the answer repeats it.
type read struct {
	call      string
	keys      []portal.FactKey
	confirmed bool
}

func encodeRead(r read) ([]byte, error) {
	return written(func(w *writer) {
		w.text("call", r.call)
		w.flag("confirmed", r.confirmed)
		w.list("keys", len(r.keys), func(i int) { w.braces(func(w *writer) { w.key(r.keys[i]) }) })
	})
}

func decodeRead(body []byte) (r read, err error) {
	err = parse(body, func(o object) {
		r.call, r.confirmed = o.named("call"), o.flag("confirmed")
		o.list("keys", func(n int) {
			if n > maxKeys {
				o.r.fail(fmt.Sprintf("has more than %d", maxKeys))
				return
			}
			r.keys = make([]portal.FactKey, n)
		}, func(i int, v ijson.Value) {
			if o.r.expect(v, ijson.Object) {
				o.r.enter(v, func(o object) { r.keys[i] = o.key() })
			}
		})
	})
	return r, err
}

// encodeFound writes what was found for a read.
func encodeFound(r read, f gate.Found) ([]byte, error) {
	if len(f.Facts) != len(r.keys) {
		return nil, fmt.Errorf("%d facts of %d keys", len(f.Facts), len(r.keys))
	}
	return written(func(w *writer) {
		w.number("version", version)
		w.text("call", r.call)
		w.position("position", f.Position)
		w.text("era", string(f.Era))
		w.moment("time_us", f.Time)
		w.promoted(f.Policy)
		w.flag("confirmed", f.Confirmed)
		w.list("facts", len(f.Facts), func(i int) { w.facts(r.keys[i], f.Facts[i]) })
	})
}

// decodeFound reads the answer to a read: what is not exactly that is an error.
func decodeFound(body []byte, r read) (f gate.Found, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("call", r.call)
		f.Position, f.Era = o.position("position"), gate.Era(o.text("era"))
		f.Time, f.Policy = o.moment("time_us"), o.promoted()
		f.Confirmed = o.flag("confirmed")
		if r.confirmed && !f.Confirmed {
			o.r.fail("is not confirmed, as was asked")
		}
		n := 0
		o.list("facts", func(all int) { n = all; f.Facts = make([]portal.Facts, all) }, func(i int, v ijson.Value) {
			if i < len(r.keys) {
				f.Facts[i] = o.r.facts(v, r.keys[i])
			}
		})
		if n != len(r.keys) {
			o.r.fail(fmt.Sprintf("has the facts of %d keys, not of %d", n, len(r.keys)))
		}
	})
	if err != nil {
		return gate.Found{}, err
	}
	return f, nil
}

// version refuses answers of another version than was asked for.
func (o object) version() {
	if o.number("version") != version {
		o.r.within("version", func() { o.r.fail(fmt.Sprintf("must be %d", version)) })
	}
}

// repeats refuses an answer to another call.
func (o object) repeats(name, asked string) {
	if o.text(name) != asked {
		o.r.within(name, func() { o.r.fail("is that of another call") })
	}
}
