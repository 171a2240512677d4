package facts

import (
	"encoding/binary"
	"sync"
	"time"

	"doorward/internal/portal"
)

// maxKept bounds an interner. Portals have a handful of distinct grants and choices
// of mail; beyond the bound, facts are simply not shared.
const maxKept = 1 << 16

// factBytes is what facts take, roughly, besides twice the bytes of their key: texts
// have headers, and the key is kept as well.
const factBytes = 256

// An interner keeps one copy of each distinct value, because a million members
// hold a few dozen different grants.
type interner[V any] struct {
	mu   sync.Mutex
	kept map[string]*V
	room int // bytes that may be kept; 0: only maxKept counts
	used int
}

// intern returns the kept value equal to v, whose key is key. A value that there was no
// room to keep is the caller's own, and costs it so many bytes.
func (n *interner[V]) intern(key string, v V) (value *V, own int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if kept, ok := n.kept[key]; ok {
		return kept, 0
	}
	if n.kept == nil {
		n.kept = make(map[string]*V)
	}
	bytes := factBytes + 2*len(key)
	if len(n.kept) >= maxKept || n.room > 0 && n.used+bytes > n.room {
		return &v, bytes
	}
	n.kept[key] = &v
	n.used += bytes
	return &v, 0
}

func (n *interner[V]) clear() {
	n.mu.Lock()
	n.kept, n.used = nil, 0
	n.mu.Unlock()
}

// placeKey and contactKey encode facts so that only equal facts have equal keys:
// every list is preceded by its length, every text by its own, and what may be
// missing by whether it is there.

func placeKey(m *portal.MembershipFacts) string {
	b := appendText(make([]byte, 0, 128), string(m.State))
	b = appendBool(b, m.Owner)
	if b = appendBool(b, m.Grant != nil); m.Grant != nil {
		b = appendTexts(b, m.Grant.Presets)
		b = appendTexts(b, m.Grant.Categories)
		b = appendTexts(b, m.Grant.AccountWide)
		b = appendRefs(b, m.Grant.Scope)
		b = appendTime(appendTime(b, m.Grant.NotBefore), m.Grant.NotAfter)
	}
	if b = appendBool(b, m.Mail != nil); m.Mail != nil {
		b = appendTexts(appendTexts(b, m.Mail.On), m.Mail.Off)
	}
	return string(b)
}

func contactKey(c *portal.ContactFacts) string {
	b := appendText(make([]byte, 0, 128), string(c.Status))
	return string(appendRefs(appendTexts(b, c.Mails), c.Scope))
}

func appendBool(b []byte, yes bool) []byte {
	if yes {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendRefs(b []byte, refs []portal.Ref) []byte {
	b = binary.AppendUvarint(b, uint64(len(refs)))
	for _, r := range refs {
		b = appendText(appendText(b, r.Type), r.ID)
	}
	return b
}

// appendTime tells the zero time from the epoch.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(t.UnixMicro()))
}
