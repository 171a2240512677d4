package wire

import (
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// position writes the revision and the whole tag, as in 17.00ff…: the position that
// headers show has only half of it.
func (w *writer) position(name string, p portal.Position) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = p.AppendWhole(w.b)
	w.b = append(w.b, '"')
}

// promoted writes which policy is in force: 0 and "" for none.
func (w *writer) promoted(p portal.Promoted) {
	w.number("policy", uint64(p.At))
	w.text("policy_digest", p.Digest)
}

func (o object) promoted() portal.Promoted {
	p := portal.Promoted{At: portal.Revision(o.number("policy")), Digest: o.maybe("policy_digest")}
	if (p.At == 0) != (p.Digest == "") {
		o.r.within("policy_digest", func() { o.r.fail("goes with a policy, and only with one") })
	}
	return p
}

func (o object) position(name string) (p portal.Position) {
	o.member(name, ijson.String, func(v ijson.Value) {
		var err error
		if p, err = portal.ParsePosition(v.Text()); err != nil {
			o.r.fail(err.Error())
		}
	})
	return p
}
