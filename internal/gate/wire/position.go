package wire

import (
	"encoding/hex"
	"strconv"
	"strings"

	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// position writes the revision and the whole tag, as in 17.00ff…: the position that
// headers show has only half of it.
func (w *writer) position(name string, p portal.Position) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = strconv.AppendUint(w.b, uint64(p.Revision), 10)
	w.b = append(w.b, '.')
	w.b = hex.AppendEncode(w.b, p.Tag[:])
	w.b = append(w.b, '"')
}

func (o object) position(name string) (p portal.Position) {
	o.member(name, ijson.String, func(v ijson.Value) {
		revision, tag, _ := strings.Cut(v.Text(), ".")
		n, err := strconv.ParseUint(revision, 10, 64)
		if err != nil || len(tag) != hex.EncodedLen(len(p.Tag)) {
			o.r.fail("must be a revision, a dot and 64 hex digits")
			return
		}
		p.Revision = portal.Revision(n)
		if _, err := hex.Decode(p.Tag[:], []byte(tag)); err != nil {
			o.r.fail("must be a revision, a dot and 64 hex digits")
		}
	})
	return p
}
