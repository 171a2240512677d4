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

func (o object) position(name string) (p portal.Position) {
	o.member(name, ijson.String, func(v ijson.Value) {
		var err error
		if p, err = portal.ParsePosition(v.Text()); err != nil {
			o.r.fail(err.Error())
		}
	})
	return p
}
