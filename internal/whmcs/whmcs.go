// Package whmcs reads what MySQL's own tools export of a WHMCS database, as XML, and
// yields it as the records of an import file (doorward-import/1, E1 and E3).
//
// It knows no directory, no policy and no importer, and decides nothing: texts, times
// and permissions pass as WHMCS wrote them. Its invariants: a file of any size is read
// row by row in bounded memory; the same file gives the same records; and no column is
// read but those that tables.go names, so that passwords, tokens, security answers and
// the secrets of second factors get into no record, wherever they stand in the file.
package whmcs

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"doorward/internal/fault"
	"doorward/internal/ijson"
)

// Format is the format of the records, as their meta record names it.
const Format = "doorward-import/1"

// source is what the meta record says that the portal is.
const source = "whmcs"

// Options are what an export does not say.
type Options struct {
	// Timezone is the IANA name of the zone in which WHMCS wrote its times. "": UTC.
	Timezone string
	// InviteTTL is how long invitations are valid, for those that are pending. 0: not
	// said.
	InviteTTL time.Duration
	// Warn is told what a person should look at: what was left out, and the line. It
	// is called for each row. Nil: nobody is told.
	Warn func(line int, message string)
}

// A Record is one line of an import file.
type Record struct {
	Line  int // of the export where its row begins, from 1
	Value ijson.Value
}

// Records reads the export r, called name in messages, and yields the meta record and
// then a record for each row. An error is the last thing that is yielded, with a zero
// Record: a fault.List of everything that is wrong in the file, or that r could not be
// read. The sequence can be ranged over once.
func Records(name string, r io.Reader, o Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		x := newExport(name, r, o)
		x.yield = func(record Record) bool { return yield(record, nil) }
		if !x.yield(meta(o)) {
			return
		}
		err := x.read()
		if errors.Is(err, errStopped) {
			return
		}
		if err == nil {
			err = x.faults.Err()
		}
		if err != nil {
			yield(Record{}, err)
		}
	}
}

// meta is the record that says what the others are.
func meta(o Options) Record {
	members := []ijson.Member{text("kind", "meta"), text("format", Format), text("source", source)}
	if o.Timezone != "" {
		members = append(members, text("timezone", o.Timezone))
	}
	if o.InviteTTL > 0 {
		members = append(members, text("invite_ttl", o.InviteTTL.String()))
	}
	return Record{Line: 1, Value: ijson.ObjectValue(members...)}
}

func text(name, value string) ijson.Member {
	return ijson.Member{Name: name, Value: ijson.StringValue(value)}
}

// errStopped tells that nobody wants more records.
var errStopped = errors.New("stopped")

// An export is one reading of a file.
type export struct {
	*scanner
	options Options
	yield   func(Record) bool
	faults  fault.List
	// seen are the tables that the file has, and lacking those of which a fault of
	// their columns was noted: every row has it.
	seen, lacking map[string]bool
}

func newExport(name string, r io.Reader, o Options) *export {
	return &export{scanner: newScanner(name, r), options: o, seen: map[string]bool{}, lacking: map[string]bool{}}
}

// read reads the whole file. What is wrong in it is in faults then; the error is
// another one, or errStopped.
func (x *export) read() error {
	err := x.elements(true, x.document)
	f, wrong := errors.AsType[fault.Fault](err)
	switch {
	case wrong:
		x.faults.Add(f)
		return nil
	case err != nil:
		return err
	}
	x.missingTables()
	return nil
}

// missingTables notes the tables that the file should have, and warns of the others.
func (x *export) missingTables() {
	for _, t := range tables {
		switch {
		case x.seen[t.name]:
		case t.required:
			x.faults.Add(x.faultf(howToExport, "the table %s is missing", t.name))
		default:
			x.warn(x.line(), "the table "+t.name+" is not in the file")
		}
	}
}

// howToExport is what to do about a file that is not an export.
const howToExport = "Export as docs/import.md says."

// maxFaults bounds the faults reported at once.
const maxFaults = 100

// fault notes that a row is wrong. Its error is a fault, when there are too many.
func (x *export) fault(line int, fix, format string, args ...any) error {
	x.faults.Add(fault.Fault{File: x.file, Line: line, Message: fmt.Sprintf(format, args...), Fix: fix})
	if len(x.faults) >= maxFaults {
		return fault.Fault{File: x.file, Message: fmt.Sprintf("reading stopped at %d faults", maxFaults), Fix: "Mend these and try again."}
	}
	return nil
}

func (x *export) warn(line int, message string) {
	if x.options.Warn != nil {
		x.options.Warn(line, message)
	}
}
