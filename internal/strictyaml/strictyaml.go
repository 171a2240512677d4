// Package strictyaml reads YAML that people write, strictly: one document of
// plain mappings, lists and scalars, in UTF-8 without a byte order mark.
//
// Anchors, aliases, merge keys and tags are refused, because a file that decides
// who may do what must say what it means at the place where it says it. Unknown
// and repeated keys are faults, never ignored. The package knows no key by name.
// Its invariant: reading never stops at the first fault unless the text is not
// YAML at all.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
)

// maxBytes bounds a file: the shipped ones have a fiftieth of it.
const maxBytes = 1 << 20

// A File is one YAML file being read, and the faults found in it.
type File struct {
	Path   string
	Faults fault.List
	// Empty tells that there is nothing but white space and comments. It is a
	// fault; a reader whose file may be empty looks here first.
	Empty bool
}

// A Field is one key of a mapping and its value.
type Field struct{ Key, Value *yaml.Node }

// Read parses data. The root is nil when there is nothing to read further; the
// file's faults then say why.
func Read(path string, data []byte) (file *File, root *yaml.Node) {
	f := &File{Path: path}
	switch {
	case len(data) > maxBytes:
		f.whole("is larger than 1 MiB", "Split off what is not configuration.")
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		f.Faults.Add(fault.Fault{File: path, Line: 1, Column: 1, Message: "begins with a byte order mark", Fix: "Save the file as UTF-8 without BOM."})
	case !utf8.Valid(data):
		f.notUTF8(data)
	default:
		root = f.parse(data)
	}
	return f, root
}

func (f *File) parse(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		f.Empty = true
		f.whole("is empty", "Restore it, or copy the shipped one.")
		return nil
	case err != nil:
		f.syntax(err)
		return nil
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		f.Fault(&second, "Keep one document, without a second ---.", "a second YAML document begins")
	case !errors.Is(err, io.EOF):
		f.syntax(err)
	}
	f.refuseIndirection(document.Content[0])
	return document.Content[0]
}

// Fault records a fault at n.
func (f *File) Fault(n *yaml.Node, fix, format string, args ...any) {
	f.Faults.Add(fault.Fault{File: f.Path, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (f *File) whole(message, fix string) {
	f.Faults.Add(fault.Fault{File: f.Path, Message: message, Fix: fix})
}

func (f *File) notUTF8(data []byte) {
	for i, line := range bytes.Split(data, []byte("\n")) {
		if utf8.Valid(line) {
			continue
		}
		column := 1
		for r, size := utf8.DecodeRune(line); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRune(line) {
			line, column = line[size:], column+size
		}
		f.Faults.Add(fault.Fault{File: f.Path, Line: i + 1, Column: column, Message: "is not UTF-8", Fix: "Save the file as UTF-8."})
		return
	}
}

// lineOf matches how the parser words its errors.
var lineOf = regexp.MustCompile(`^line (\d+): (.*)$`)

func (f *File) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1 // which the parser leaves out
	if m := lineOf.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	f.Faults.Add(fault.Fault{File: f.Path, Line: line, Message: "is not YAML: " + text, Fix: "Look at the indentation and quotes here and just above."})
}

func (f *File) refuseIndirection(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		f.Fault(n, "Write the value out.", "an alias (*%s) is not allowed", n.Value)
		return
	case n.Anchor != "":
		f.Fault(n, "Remove it, and write values out where they are used.", "an anchor (&%s) is not allowed", n.Anchor)
	case n.Tag == "!!merge":
		f.Fault(n, "Write the keys out.", "a merge key (<<) is not allowed")
	case n.Style&yaml.TaggedStyle != 0:
		f.Fault(n, "Remove it.", "a tag (%s) is not allowed", n.Tag)
	}
	for _, child := range n.Content {
		f.refuseIndirection(child)
	}
}

// Fields returns the keys of the mapping n, in order, without repeated ones.
// What names n in faults.
func (f *File) Fields(n *yaml.Node, what string) []Field {
	if n.Kind != yaml.MappingNode {
		f.Wrong(n, what, "a mapping, as in key: value")
		return nil
	}
	fields := make([]Field, 0, len(n.Content)/2)
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, repeated := lines[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			f.Wrong(key, "a key of "+what, "a name")
		case key.Tag == "!!merge": // refused already
		case repeated:
			f.Fault(key, "Keep one of them.", "%q is there twice; the first is in line %d", key.Value, first)
		default:
			lines[key.Value] = key.Line
			fields = append(fields, Field{key, value})
		}
	}
	return fields
}

// Known returns the values of the mapping n by key. Keys that are not known are
// faults; keys that are not there are nil.
func (f *File) Known(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node)
	for _, field := range f.Fields(n, what) {
		if name := field.Key.Value; slices.Contains(known, name) {
			values[name] = field.Value
		} else {
			f.Fault(field.Key, Suggest(name, known), "%s has no key %q", what, name)
		}
	}
	return values
}

// Suggest returns the nearest known name as a question, or the list of them all.
func Suggest(got string, known []string) string {
	if near := fault.Closest(got, known); near != "" {
		return near
	}
	return "Known are: " + strings.Join(known, ", ") + "."
}

// Text returns the non-empty string n.
func (f *File) Text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value == "" {
		f.Wrong(n, what, "a text")
		return "", false
	}
	return n.Value, true
}

// OneOf returns the string n if it is one of known.
func (f *File) OneOf(n *yaml.Node, what string, known ...string) (string, bool) {
	text, ok := f.Text(n, what)
	if ok && !slices.Contains(known, text) {
		f.Fault(n, Suggest(text, known), "%s cannot be %q", what, text)
		return "", false
	}
	return text, ok
}

// Bool returns the boolean n: true or false, not yes or no.
func (f *File) Bool(n *yaml.Node, what string) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		f.Wrong(n, what, "true or false")
		return false, false
	}
	return strings.EqualFold(n.Value, "true"), true
}

// Texts returns the items of the list n that are non-empty strings and not
// repeated.
func (f *File) Texts(n *yaml.Node, what string) (items []*yaml.Node, ok bool) {
	if n.Kind != yaml.SequenceNode {
		f.Wrong(n, what, "a list, as in [one, two]")
		return nil, false
	}
	ok = true
	for _, item := range n.Content {
		_, fine := f.Text(item, "an item of "+what)
		same := func(other *yaml.Node) bool { return other.Value == item.Value }
		if fine && slices.ContainsFunc(items, same) {
			f.Fault(item, "Keep one of them.", "%q is there twice", item.Value)
			fine = false
		}
		if fine {
			items = append(items, item)
		}
		ok = ok && fine
	}
	return items, ok
}

// Wrong records that n has the wrong type. Aliases were refused already.
func (f *File) Wrong(n *yaml.Node, what, wanted string) {
	if n.Kind != yaml.AliasNode {
		f.Fault(n, "", "%s must be %s, not %s", what, wanted, describe(n))
	}
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null" || n.Value == "":
		return "empty"
	}
	return strconv.Quote(n.Value)
}
