package authzen

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"doorward/internal/decision"
)

// The headers of an answer, spelt as net/http keeps them: the map is written to
// directly, for spelling them anew costs more than the decision.
const (
	headerRevision   = "Doorward-Revision"
	headerDecisionID = "Doorward-Decision-Id"
	headerPolicy     = "Doorward-Policy"
)

// The values of headers that are always the same. They are shared by all answers
// and never modified; their capacity makes append copy them.
var (
	typeJSON = []string{jsonType}
	noStore  = []string{"no-store"}
)

// reply sends a 200 with the decision's basis in its headers. The id is in a
// header only, so that bodies are the same on repetition.
func (h *Handler) reply(w http.ResponseWriter, basis decision.Basis, body []byte) {
	header := w.Header()
	header["Content-Type"] = typeJSON
	header["Cache-Control"] = noStore
	header[headerDecisionID] = []string{newDecisionID()}
	if basis.Policy != "" {
		text := h.textOf(basis)
		header[headerRevision] = text.revision
		header[headerPolicy] = text.policy
	}
	_, _ = w.Write(body) // a client that went away cannot be told
}

// A basisText is a basis as headers show it.
type basisText struct {
	basis            decision.Basis
	revision, policy []string
}

// textOf writes a basis, or finds it written: between two changes of the
// directory all answers have the same.
func (h *Handler) textOf(basis decision.Basis) *basisText {
	last := h.last.Load()
	if last != nil && last.basis.Position == basis.Position && last.basis.Policy == basis.Policy {
		return last
	}
	text := &basisText{basis, []string{basis.Position.String()}, []string{basis.Policy}}
	h.last.Store(text)
	return text
}

// newDecisionID makes 128 random bits in hex. An id names a decision in logs and
// grants nothing, so it must be unique, not secret: the runtime's own ChaCha8
// generator does, without the lock or system call that secrets would need.
func newDecisionID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	var text [2 * len(id)]byte
	hex.Encode(text[:], id[:])
	return string(text[:])
}
