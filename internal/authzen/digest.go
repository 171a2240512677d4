package authzen

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/search"
)

// digest names a search: two have the same exactly when they ask the same. The order
// of members means nothing (RFC 8259, section 4).
func digest(kind search.Kind, q decision.Question) [sha256.Size]byte {
	b := appendPart(nil, string(kind))
	for _, e := range []decision.Entity{q.Subject, q.Resource} {
		b = appendValue(appendPart(appendPart(b, e.Type), e.ID), e.Properties)
	}
	b = appendValue(appendPart(b, q.Action.Name), q.Action.Properties)
	return sha256.Sum256(appendValue(b, q.Context))
}

// appendPart appends a text preceded by its length.
func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendValue appends a value so that only equal ones are written alike.
func appendValue(b []byte, v ijson.Value) []byte {
	b = appendPart(append(b, byte(v.Kind())), v.Text())
	b = binary.AppendUvarint(b, uint64(len(v.Items())))
	for _, item := range v.Items() {
		b = appendValue(b, item)
	}
	members := slices.Clone(v.Members())
	slices.SortFunc(members, func(a, b ijson.Member) int { return cmp.Compare(a.Name, b.Name) })
	b = binary.AppendUvarint(b, uint64(len(members)))
	for _, m := range members {
		b = appendValue(appendPart(b, m.Name), m.Value)
	}
	return b
}
