package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// maxLine bounds a line in bytes, the end of line included.
const maxLine = 64 << 10

// A reader takes in the lines of one file.
type reader struct {
	file    string
	grants  grants
	faults  fault.List
	notes   notes
	meta    meta
	waiting []waiting // lines before the meta line, whose times need its zone
	// lost tells that a line could not be taken in at all: what refers to it would
	// look like an orphan.
	lost bool

	users       map[portal.UserID]record[userPlan]
	accounts    map[portal.AccountID]record[accountPlan]
	memberships map[seat]record[memberPlan]
	contacts    map[portal.ContactID]record[contactPlan]
	preferences map[portal.AccountID]portal.MailChoices // the owners' choices of mail, where given
	ids         map[string]int                          // lines by membership id
	order       order
}

// A record is something the file says and the line that says it.
type record[T any] struct {
	line  int
	value T
}

// A seat names a membership: there is one of a user in an account (req 10).
type seat struct {
	account portal.AccountID
	user    portal.UserID
}

// An order remembers records as the file lists them, so that an import does the
// same things in the same order each time.
type order struct {
	users    []portal.UserID
	accounts []portal.AccountID
	seats    map[portal.AccountID][]seat
	contacts map[portal.AccountID][]portal.ContactID
}

// A waiting line was read before the meta line.
type waiting struct {
	line  int
	value ijson.Value
}

// A meta is what the file says of itself.
type meta struct {
	line   int // 0: none yet
	source string
	zone   *time.Location
}

func newReader(name string, cat *catalogue.Catalogue, presets Known) *reader {
	return &reader{
		file:        name,
		grants:      newGrants(cat, presets),
		notes:       newNotes(),
		users:       map[portal.UserID]record[userPlan]{},
		accounts:    map[portal.AccountID]record[accountPlan]{},
		memberships: map[seat]record[memberPlan]{},
		contacts:    map[portal.ContactID]record[contactPlan]{},
		preferences: map[portal.AccountID]portal.MailChoices{},
		ids:         map[string]int{},
		order:       order{seats: map[portal.AccountID][]seat{}, contacts: map[portal.AccountID][]portal.ContactID{}},
	}
}

// lines reads every line of r. Its error is about reading, not about what was
// read; that is in faults.
func (in *reader) lines(r io.Reader) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for line := 1; len(in.faults) < maxFaults; line++ {
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			in.faultf(line, "Export one record a line.", "the line is longer than %d bytes", maxLine)
			in.lost = true
			err = skipLine(lines)
		} else if text = bytes.TrimSpace(text); len(text) > 0 {
			in.line(line, text)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	in.faultf(0, "Mend these and try again.", "reading stopped at %d faults", maxFaults)
	in.lost = true
	return nil
}

// skipLine drops the rest of a line that is too long.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// byteOrderMark is what some editors put before the first line.
var byteOrderMark = []byte("\ufeff")

// line reads one line.
func (in *reader) line(line int, text []byte) {
	if bytes.HasPrefix(text, byteOrderMark) {
		in.faultf(line, "Save the file as UTF-8 without it.", "the file begins with a byte order mark")
		text = text[len(byteOrderMark):]
	}
	value, err := ijson.Parse(text)
	if err != nil {
		in.addFault(parseFault(in.file, line, err))
		in.lost = true
		return
	}
	kind := value.Get("kind")
	if kind.Kind() != ijson.String {
		in.faultf(line, `Each line says what it is, as in "kind":"user".`, "/kind: must be a string, not %s", kind.Kind())
		in.lost = true
		return
	}
	if kind.Text() == "meta" {
		in.readMeta(line, value)
	} else if in.meta.line == 0 {
		in.waiting = append(in.waiting, waiting{line, value})
	} else {
		in.record(line, value)
	}
}

// record reads a line of any kind but meta.
func (in *reader) record(line int, value ijson.Value) {
	switch kind := value.Get("kind").Text(); kind {
	case "user":
		in.readUser(line, value)
	case "account":
		in.readAccount(line, value)
	case "membership":
		in.readMembership(line, value)
	case "contact":
		in.readContact(line, value)
	case "invite", "history":
		in.notes.skipped[kind]++
	default:
		in.lost = true
		in.faultf(line, hint(kind, []string{"user", "account", "membership", "contact", "invite", "history", "meta"}),
			"/kind: there is no kind %s", quote(kind))
	}
}

// flush reads the lines that waited for the meta line.
func (in *reader) flush() {
	for _, w := range in.waiting {
		in.record(w.line, w.value)
	}
	in.waiting = nil
}

// parseFault says where in the line the JSON is wrong.
func parseFault(file string, line int, err error) fault.Fault {
	f := fault.Fault{File: file, Line: line, Message: err.Error(), Fix: "Each line is one JSON object."}
	var at *ijson.Error
	if errors.As(err, &at) {
		f.Column = int(at.Offset) + 1
		f.Message = at.Message
		if at.Pointer != "" {
			f.Message = quote(at.Pointer) + ": " + at.Message
		}
	}
	return f
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
