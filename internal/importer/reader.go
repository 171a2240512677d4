package importer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/importer/shelf"
)

// A reader reads records, and notes what is wrong with each by itself. Those that could
// come in it puts on the shelf.
type reader struct {
	file   string
	grants grants
	meta   meta
	faults fault.List
	notes  notes
	// lost tells that a record could not be taken in at all: what refers to it would
	// look like an orphan.
	lost bool

	shelf *shelf.Shelf // nil when records are read a second time, from the shelf
	// broken is the first error of the shelf.
	broken error
}

// A meta is what the file says of itself.
type meta struct {
	line      int // 0: none yet
	source    string
	zone      *time.Location
	inviteTTL time.Duration
}

// records reads everything. Its error is about reading, not about what was read; that
// is in faults.
func (in *reader) records(ctx context.Context, all iter.Seq2[Record, error]) error {
	for record, err := range all {
		if len(in.faults) >= maxFaults {
			in.faultf(0, "Mend these and try again.", "reading stopped at %d faults", maxFaults)
			in.lost = true
			return nil
		}
		if faults, ok := errors.AsType[fault.List](err); ok {
			in.note(faults)
		} else if err != nil {
			return err
		} else {
			in.record(ctx, record)
		}
		if in.broken != nil {
			return in.broken
		}
	}
	if in.meta.line == 0 {
		in.faultf(0, `Begin it with {"kind":"meta","format":"`+Format+`","source":"…"}.`, "there is no meta line")
		in.flush(ctx)
	}
	return in.broken
}

// note takes over faults of the form. What a line with one would have said is lost,
// unless the line is read all the same.
func (in *reader) note(faults fault.List) {
	for _, f := range faults {
		in.addFault(f)
	}
	in.lost = true
}

// record reads one record. Those before the meta line wait for it, because their times
// need its zone.
func (in *reader) record(ctx context.Context, r Record) {
	kind := r.Value.Get("kind")
	switch {
	case kind.Kind() != ijson.String:
		in.faultf(r.Line, `Each line says what it is, as in "kind":"user".`, "/kind: must be a string, not %s", kind.Kind())
		in.lost = true
	case kind.Text() == "meta":
		in.readMeta(ctx, r)
	case in.meta.line == 0:
		in.broken = in.shelf.Wait(ctx, r.Line, r.Value.Append(nil))
	default:
		in.take(ctx, r)
	}
}

// flush reads the lines that waited for the meta line.
func (in *reader) flush(ctx context.Context) {
	err := in.shelf.Waiting(ctx, func(line int, raw []byte) error {
		value, err := ijson.Parse(raw)
		if err != nil {
			return fmt.Errorf("read line %d again: %w", line, err)
		}
		in.take(ctx, Record{line, value})
		return in.broken
	})
	in.broken = errors.Join(in.broken, err)
}

// take reads a record of any kind but meta and puts it on the shelf.
func (in *reader) take(ctx context.Context, r Record) {
	o := in.object(r)
	var row shelf.Row
	switch kind := o.kind; kind {
	case "user":
		row = o.userRow()
	case "account":
		row = o.accountRow()
	case "membership":
		row = o.membershipRow()
	case "contact":
		row = o.contactRow()
		in.takeLogin(ctx, o)
	case "invite":
		row = o.inviteRow()
	case "history":
		row = o.historyRow()
	default:
		in.lost = true
		in.faultf(r.Line, hint(kind, []string{"user", "account", "membership", "contact", "invite", "history", "meta"}),
			"/kind: there is no kind %s", quote(kind))
		return
	}
	in.put(ctx, o, row)
}

// put puts a record on the shelf, unless what is wrong with it has kept it from having
// the ids that it is found by.
func (in *reader) put(ctx context.Context, o object, row shelf.Row) {
	complete := row.ID != "" && (row.Kind == shelf.User || row.Kind == shelf.History || row.Account != "")
	if !complete {
		in.lost = true
	}
	if !complete || in.broken != nil {
		return
	}
	row.Line, row.Raw = o.line, o.value.Append(nil)
	in.broken = in.shelf.Add(ctx, row)
}

// again reads a record from the shelf a second time.
func (in *reader) again(row shelf.Row) (object, error) {
	value, err := ijson.Parse(row.Raw)
	if err != nil {
		return object{}, fmt.Errorf("read line %d again: %w", row.Line, err)
	}
	return in.object(Record{row.Line, value}), nil
}

// faultf notes that a line is wrong and how to mend it.
func (in *reader) faultf(line int, fix, format string, args ...any) {
	in.addFault(fault.Fault{File: in.file, Line: line, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (in *reader) addFault(f fault.Fault) {
	if len(in.faults) < maxFaults || f.Line == 0 {
		in.faults.Add(f)
	}
}
