// Package audit says what a line of the trail holds and chains the lines, so
// that a changed, missing or reordered line shows (req 113, S45).
//
// It does not know where lines are kept or who may read them. Lines hold ids and
// digests, never names or addresses: a person can be erased without breaking the
// chain. Its invariant: a line's hash covers everything the line says and the
// hash of the line before.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorward/internal/portal"
)

// An Entry is what somebody did, as the code that did it tells it.
type Entry struct {
	Actor  string            `json:"actor"`            // who: user:7, or cli:root for an operator at the machine
	Client string            `json:"client,omitempty"` // through which client token, if any
	Action string            `json:"action"`           // what: membership.put, token.revoke
	Object string            `json:"object"`           // on what: account:42
	Detail map[string]string `json:"detail,omitempty"` // ids, counts, digests; nothing personal
}

// A Line is an Entry sealed into the chain.
type Line struct {
	Seq      uint64          `json:"seq"` // from 1, without holes
	Revision portal.Revision `json:"revision"`
	Time     time.Time       `json:"time"` // UTC, to the microsecond
	Entry
	Hash portal.Tag `json:"-"`
}

// Seal makes the line that follows the line whose hash is prev. For the first
// line prev is the zero Tag.
func Seal(prev portal.Tag, seq uint64, rev portal.Revision, at time.Time, e Entry) Line {
	l := Line{Seq: seq, Revision: rev, Time: at.UTC().Truncate(time.Microsecond), Entry: e}
	l.Hash = l.digest(prev)
	return l
}

// digest hashes the line and prev. Every text is preceded by its length, so
// that no two lines have the same encoding.
func (l Line) digest(prev portal.Tag) portal.Tag {
	b := make([]byte, 0, 512)
	b = append(b, "doorward audit line 1\n"...)
	b = append(b, prev[:]...)
	b = binary.BigEndian.AppendUint64(b, l.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(l.Revision))
	b = binary.BigEndian.AppendUint64(b, uint64(l.Time.UnixMicro()))
	for _, s := range []string{l.Actor, l.Client, l.Action, l.Object} {
		b = appendText(b, s)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(len(l.Detail)))
	for _, k := range slices.Sorted(maps.Keys(l.Detail)) {
		b = appendText(appendText(b, k), l.Detail[k])
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}

// A BrokenError names the first line that does not fit the chain.
type BrokenError struct {
	Seq uint64 // the number the line carries or should carry
	Why string
}

// Error says which line is wrong and why.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("audit line %d: %s", e.Seq, e.Why)
}

// A Verifier checks lines in order. Its zero value is ready for the first line.
type Verifier struct {
	last Line
}

// Next checks the next line. Its error is a *BrokenError.
func (v *Verifier) Next(l Line) error {
	want := v.last.Seq + 1
	switch {
	case l.Seq != want:
		return &BrokenError{want, fmt.Sprintf("missing or out of order: line %d stands in its place", l.Seq)}
	case l.Revision != v.last.Revision && l.Revision != v.last.Revision+1:
		return &BrokenError{l.Seq, fmt.Sprintf("revision %d does not follow revision %d", l.Revision, v.last.Revision)}
	case l.Hash != l.digest(v.last.Hash):
		return &BrokenError{l.Seq, "its content or the line before it was changed"}
	}
	v.last = l
	return nil
}

// Position is the position the checked lines end at.
func (v *Verifier) Position() portal.Position {
	return portal.Position{Revision: v.last.Revision, Tag: v.last.Hash}
}

// Lines is how many lines were checked.
func (v *Verifier) Lines() uint64 { return v.last.Seq }
