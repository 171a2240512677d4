package directory

import (
	"context"
	"fmt"

	"doorward/internal/audit"
	"doorward/internal/portal"
)

// A Report is what Verify found to be in order.
type Report struct {
	Lines    uint64          // lines checked
	Position portal.Position // where the trail ends
	// Witnessed tells whether a witness mark was given; it then fits.
	Witnessed bool
}

// Verify walks the trail of s from its first line on. It checks that every line
// fits the chain, that the chain leads to the store's head, and, if witness is
// given, that it passes through the position the witness wrote down: a trail
// whose tail was cut off together with the head, or that was written anew,
// differs from it (S45).
//
// Faults of the trail are *audit.BrokenError; other errors are the store's.
// Commits while Verify runs do no harm.
func Verify(ctx context.Context, s Store, witness *portal.Mark) (Report, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return Report{}, err
	}
	w := walk{head: head, witness: witness}
	for line, err := range s.AuditLines(ctx) {
		if err != nil {
			return w.report(), err
		}
		if err := w.next(line); err != nil {
			return w.report(), err
		}
	}
	now, err := s.Head(ctx)
	if err != nil {
		return w.report(), err
	}
	return w.report(), w.end(now)
}

// A walk checks lines on their way past the head as it was at the start, and
// past the witness.
type walk struct {
	trail   audit.Verifier
	head    portal.Position
	witness *portal.Mark
}

func (w *walk) report() Report {
	return Report{w.trail.Lines(), w.trail.Position(), w.witness != nil}
}

// next checks line, and with the first line of a revision the position that the
// lines before it lead to.
func (w *walk) next(line audit.Line) error {
	before := w.trail
	if err := w.trail.Next(line); err != nil {
		return err
	}
	if line.Revision != before.Position().Revision {
		return w.passes(before.Position(), before.Lines())
	}
	return nil
}

// passes compares the position that line seq ends with those the trail must go
// through.
func (w *walk) passes(at portal.Position, seq uint64) error {
	if at.Revision == w.head.Revision && at != w.head {
		return &audit.BrokenError{Seq: seq, Why: fmt.Sprintf("the head says %v where the trail has %v", w.head, at)}
	}
	if w.witness != nil && at.Revision == w.witness.Revision && !w.witness.Marks(at) {
		return &audit.BrokenError{Seq: seq, Why: fmt.Sprintf("another history: the trail has %v, the witness saw %v", at, *w.witness)}
	}
	return nil
}

// end checks where the trail stops. now is the head read after the last line.
func (w *walk) end(now portal.Position) error {
	at, lines := w.trail.Position(), w.trail.Lines()
	switch {
	case at.Revision > now.Revision:
		return &audit.BrokenError{Seq: lines, Why: fmt.Sprintf("the trail goes on to %v, the head says %v", at, now)}
	case at.Revision < w.head.Revision, at.Revision == now.Revision && at != now:
		return &audit.BrokenError{Seq: lines + 1, Why: fmt.Sprintf("missing: the trail ends at %v, the head says %v", at, now)}
	case w.witness != nil && at.Revision < w.witness.Revision:
		return &audit.BrokenError{Seq: lines + 1, Why: fmt.Sprintf("missing: the trail ends at %v, the witness saw %v", at, *w.witness)}
	}
	return w.passes(at, lines)
}
