package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"doorward/internal/fault"
	"doorward/internal/ijson"
)

// A Record is one object of a file, as doorward-import/1 has them in lines, and the
// line where it stands.
type Record struct {
	Line  int
	Value ijson.Value
}

// A Form is how a file holds its records. It yields them as the file has them. An error
// that is a fault.List is noted, and what comes after it is read all the same; any other
// ends the reading. warn takes what a person should look at, and the line.
type Form func(name string, r io.Reader, warn func(line int, message string)) iter.Seq2[Record, error]

// maxLine bounds a line in bytes, the end of line included.
const maxLine = 64 << 10

// Lines is the form of doorward-import/1: JSON Lines.
func Lines(name string, r io.Reader, _ func(int, string)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		lines := bufio.NewReaderSize(r, maxLine)
		for line := 1; ; line++ {
			text, err := lines.ReadSlice('\n')
			ok := true
			if errors.Is(err, bufio.ErrBufferFull) {
				ok = yield(Record{}, longLine(name, line))
				err = skipLine(lines)
			} else if text = bytes.TrimSpace(text); len(text) > 0 {
				ok = yieldLine(name, line, text, yield)
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Record{}, err)
			}
			if !ok || err != nil {
				return
			}
		}
	}
}

func longLine(name string, line int) fault.List {
	return fault.List{{File: name, Line: line, Message: "the line is longer than 65536 bytes", Fix: "Export one record a line."}}
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

// yieldLine yields what stands in a line, and tells whether to go on.
func yieldLine(name string, line int, text []byte, yield func(Record, error) bool) bool {
	if bytes.HasPrefix(text, byteOrderMark) {
		mark := fault.Fault{File: name, Line: line, Message: "the file begins with a byte order mark", Fix: "Save the file as UTF-8 without it."}
		if !yield(Record{}, fault.List{mark}) {
			return false
		}
		text = text[len(byteOrderMark):]
	}
	value, err := ijson.Parse(text)
	if err != nil {
		return yield(Record{}, fault.List{parseFault(name, line, err)})
	}
	return yield(Record{Line: line, Value: value}, nil)
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
