package presets

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// Bounds of the file. The shipped one is a fiftieth of them.
const (
	maxBytes   = 1 << 20
	maxLine    = 512 // bytes
	maxPresets = 64
)

// A line is one line of the file that says something: a grant (p) or an
// inheritance (g).
type line struct {
	number int
	kind   string // p or g
	preset field
	object field        // of a grant: the category or mail
	effect field        // of a grant: allow or deny
	parent field        // of an inheritance: the preset whose lines are inherited
	added  *fault.Fault // of an addition: where it was written; it has no number and no columns
}

// A field is a part of a line and its column, in bytes from 1.
type field struct {
	text   string
	column int
}

// A reader turns the file into lines, collecting every fault.
type reader struct {
	cat    *catalogue.Catalogue
	path   string
	lines  []line
	faults fault.List
}

func read(cat *catalogue.Catalogue, path string, data []byte) *reader {
	r := &reader{cat: cat, path: path}
	switch {
	case len(data) > maxBytes:
		r.fault(0, 0, "Leave out what is not a preset.", "is larger than 1 MiB")
		return r
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		r.fault(1, 1, "Save the file as UTF-8 without BOM.", "begins with a byte order mark")
		data = data[3:]
	}
	for i, text := range strings.Split(string(data), "\n") {
		r.line(i+1, strings.TrimSuffix(text, "\r"))
	}
	return r
}

func (r *reader) fault(number, column int, fix, format string, args ...any) {
	r.faultAt(fault.Fault{File: r.path, Line: number, Column: column}, fix, format, args...)
}

func (r *reader) line(number int, text string) {
	switch {
	case len(text) > maxLine:
		r.fault(number, maxLine+1, "Write one grant or inheritance a line.", "the line is longer than %d bytes", maxLine)
	case !r.readable(number, text):
	case strings.Trim(text, " ") == "" || strings.HasPrefix(text, "#"):
	default:
		r.rule(number, text)
	}
}

// readable refuses what people cannot see or tell apart. In comments letters of
// any script are welcome, but nothing that hides or reorders text.
func (r *reader) readable(number int, text string) bool {
	comment, ok := strings.HasPrefix(text, "#"), true
	for i, c := range text {
		column := i + 1
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			r.fault(number, column, "Save the file as UTF-8.", "is not UTF-8")
		case c == '\r':
			r.fault(number, column, "End lines with LF or CRLF.", "a carriage return that ends no line")
			return false // a file with CR alone would say it for every line
		case c == '\t':
			r.fault(number, column, "Use spaces.", "a tab")
		case unicode.IsControl(c) || unicode.Is(unicode.Cf, c):
			r.fault(number, column, "Remove it.", "an invisible character (%U)", c)
		case c > unicode.MaxASCII && !comment:
			r.fault(number, column, "Type it anew; names have the letters a to z only.", "a character (%U) that only looks like another", c)
		default:
			continue
		}
		ok = false
	}
	return ok
}

// rule reads a line that says something.
func (r *reader) rule(number int, text string) {
	fields, ok := r.fields(number, text)
	if !ok {
		return
	}
	kind := fields[0]
	arity, known := map[string]int{"p": 4, "g": 3}[kind.text]
	switch {
	case !known:
		r.unknownKind(number, kind)
	case len(fields) > arity:
		r.fault(number, fields[arity].column, form(kind.text), "a %s line has %d fields, not %d", kind.text, arity, len(fields))
	case len(fields) < arity:
		r.fault(number, len(text)+1, form(kind.text), "a %s line has %d fields, not %d", kind.text, arity, len(fields))
	case kind.text == "p":
		r.grant(line{number: number, kind: "p", preset: fields[1], object: fields[2], effect: fields[3]})
	default:
		r.inheritance(line{number: number, kind: "g", preset: fields[1], parent: fields[2]})
	}
}

func form(kind string) string {
	if kind == "p" {
		return "Write p, preset, category, allow."
	}
	return "Write g, preset, inherited preset."
}

func (r *reader) unknownKind(number int, kind field) {
	fix := "Begin it with p or g, small."
	if strings.HasPrefix(kind.text, ";") || strings.HasPrefix(kind.text, "//") {
		fix = "Begin comments with #."
	}
	r.fault(number, kind.column, fix, "a line cannot begin with %q", kind.text)
}

// fields splits a line at its commas. Spaces may follow a comma, so that columns
// can be lined up, and stand nowhere else.
func (r *reader) fields(number int, text string) (fields []field, ok bool) {
	ok = true
	start := 0
	for i, part := range strings.Split(text, ",") {
		content := strings.TrimLeft(part, " ")
		f := field{strings.TrimRight(content, " "), start + len(part) - len(content) + 1}
		start += len(part) + 1
		switch {
		case i == 0 && f.column > 1:
			r.fault(number, 1, "Begin the line at the margin.", "a space before the line")
		case f.text == "":
			r.fault(number, f.column, "Write a name, or remove the comma.", "the field is empty")
		case f.text != content:
			r.fault(number, f.column+len(f.text), "Remove it: it would be part of the name.", "a space after %q", f.text)
		case strings.Contains(f.text, `"`):
			r.fault(number, f.column, "Write names as they are.", "quotes are not allowed")
		case i > 0 && strings.Contains(f.text, "#"):
			r.fault(number, f.column+strings.Index(f.text, "#"), "Write it on a line of its own.", "a comment behind a rule would be part of it")
		default:
			fields = append(fields, f)
			continue
		}
		ok = false
	}
	return fields, ok
}

// presetName is the form of a preset's name.
var presetName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

func (r *reader) name(number int, f field) bool {
	if presetName.MatchString(f.text) {
		return true
	}
	r.fault(number, f.column, "Use small letters, digits, _ and -, beginning with a letter.", "%q cannot be the name of a preset", f.text)
	return false
}

func (r *reader) grant(l line) {
	ok := r.name(l.number, l.preset)
	if _, known := r.cat.Bit(l.object.text); !known {
		r.unknownObject(l)
		ok = false
	}
	if e := l.effect; e.text != "allow" && e.text != "deny" {
		fix := fault.Closest(e.text, []string{"allow", "deny"})
		if fix == "" {
			fix = "Write allow or deny."
		}
		r.fault(l.number, e.column, fix, "the effect cannot be %q", e.text)
		ok = false
	}
	if ok {
		r.lines = append(r.lines, l)
	}
}

func (r *reader) unknownObject(l line) {
	f := l.object
	if strings.Contains(f.text, "*") {
		r.fault(l.number, f.column, "Write every category out: a wildcard would give ownership and security, too.", "%q is a wildcard", f.text)
		return
	}
	fix := fault.Closest(f.text, r.cat.Objects())
	if fix == "" {
		fix = "Add it to the catalogue first."
	}
	r.fault(l.number, f.column, fix, "no category or mail is called %q", f.text)
}

func (r *reader) inheritance(l line) {
	child, parent := r.name(l.number, l.preset), r.name(l.number, l.parent)
	if child && parent {
		r.lines = append(r.lines, l)
	}
}
