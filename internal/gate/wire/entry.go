package wire

import (
	"doorward/internal/gate"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// EncodeEntry writes the facts of one key with what they are judged by, for a cache that
// gates share (R10). There is nothing in it that proves where it comes from.
func EncodeEntry(key portal.FactKey, facts portal.Facts, at portal.Position, era gate.Era) ([]byte, error) {
	return written(func(w *writer) {
		w.number("version", version)
		w.text("era", string(era))
		w.position("position", at)
		w.name("facts")
		w.facts(key, facts)
	})
}

// DecodeEntry reads what EncodeEntry wrote of key in era: what is not exactly that is an
// error.
func DecodeEntry(body []byte, key portal.FactKey, era gate.Era) (f gate.Found, err error) {
	err = parse(body, func(o object) {
		o.version()
		o.repeats("era", string(era))
		f.Era, f.Position = era, o.position("position")
		o.member("facts", ijson.Object, func(v ijson.Value) { f.Facts = []portal.Facts{o.r.facts(v, key)} })
	})
	if err != nil {
		return gate.Found{}, err
	}
	return f, nil
}
