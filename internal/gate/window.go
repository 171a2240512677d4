package gate

import (
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// How many changes a gate keeps in mind, and is told when it joins: what was read before
// them cannot be judged and is not put in memory (R8). Only what comes from a shared cache
// may be old; what is read of the directory was read a moment ago.
const (
	Window      = 100_000 // with a shared cache, and the most that a directory tells
	ShortWindow = 10_000  // without
)

// A name is what a change touches.
type name struct {
	kind    directory.ChangeKind
	account portal.AccountID
	id      string
}

// named is what a change touches, if anything that facts rest on. A change of a kind
// that this program does not know may touch anything: known is false.
func named(c directory.Change) (n name, any, known bool) {
	switch c.Kind {
	case directory.ChangedAccount:
		return name{kind: c.Kind, account: c.Account}, true, true
	case directory.ChangedUser:
		return name{kind: c.Kind, id: string(c.User)}, true, true
	case directory.ChangedMembership:
		return name{c.Kind, c.Account, string(c.User)}, true, true
	case directory.ChangedContact:
		return name{c.Kind, c.Account, string(c.Contact)}, true, true
	case directory.ChangedInvitation, directory.ChangedToken, directory.ChangedPolicy, directory.ChangedNothing:
		return name{}, false, true
	}
	return name{}, false, false
}

// appendNames appends what the facts of key rest on.
func appendNames(dst []name, key portal.FactKey) []name {
	if key.Account != "" {
		dst = append(dst, name{kind: directory.ChangedAccount, account: key.Account})
	}
	switch key.Subject.Type {
	case portal.TypeUser:
		dst = append(dst, name{kind: directory.ChangedUser, id: key.Subject.ID},
			name{directory.ChangedMembership, key.Account, key.Subject.ID})
	case portal.TypeContact:
		dst = append(dst, name{directory.ChangedContact, key.Account, key.Subject.ID})
	}
	return dst
}

// A window knows the last change of everything that changed after floor.
type window struct {
	floor portal.Revision
	last  map[name]portal.Revision
	order []noted // oldest first
	size  int
}

type noted struct {
	name     name
	revision portal.Revision
}

func newWindow(size int) *window {
	return &window{last: make(map[name]portal.Revision), size: size}
}

// begin forgets everything: what changed up to floor is not known any more.
func (w *window) begin(floor portal.Revision) {
	w.floor, w.order = floor, nil
	clear(w.last)
}

// note keeps in mind that n changed. The oldest changes are forgotten for it, and with
// the first of a revision all of it.
func (w *window) note(n name, r portal.Revision) {
	w.last[n] = r
	w.order = append(w.order, noted{n, r})
	for ; len(w.order) > w.size; w.order = w.order[1:] {
		oldest := w.order[0]
		w.floor = oldest.revision
		if w.last[oldest.name] == oldest.revision {
			delete(w.last, oldest.name)
		}
	}
}

// changed tells whether anything that the facts of keys rest on changed after r.
func (w *window) changed(keys []portal.FactKey, r portal.Revision) bool {
	var room [3]name
	for _, key := range keys {
		for _, n := range appendNames(room[:0], key) {
			if w.last[n] > r {
				return true
			}
		}
	}
	return false
}
