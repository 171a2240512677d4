package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/policy/fault"
)

// A value is what one place says of one setting.
type value struct {
	setting Setting
	text    string
	at      fault.Fault // File, Line and Column of the value
}

// A fileReader turns a configuration file into values, collecting its faults.
type fileReader struct {
	file   string
	table  []Setting
	values []value
	faults fault.List
}

// readFile reads doorward.yaml. What is wrong in it comes back in the list; the
// values are then incomplete.
func readFile(file string, data []byte, table []Setting) ([]value, fault.List) {
	r := &fileReader{file: file, table: table}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil // an empty file sets nothing
	case err != nil:
		r.faults.Add(syntaxFault(file, err))
		return nil, r.faults
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		r.faults.Add(fault.Fault{File: file, Message: "holds more than one YAML document", Fix: "Keep the settings in one document, without a second ---."})
		return nil, r.faults
	}
	r.mapping("", document.Content[0])
	return r.values, r.faults
}

// syntaxFault gives an error of the YAML reader its line.
func syntaxFault(file string, err error) fault.Fault {
	// The YAML reader leaves out the line when it is the first.
	f := fault.Fault{File: file, Line: 1, Message: strings.TrimPrefix(err.Error(), "yaml: "),
		Fix: "Look at the indentation and quotes here and just above."}
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(f.Message); m != nil {
		f.Line, _ = strconv.Atoi(m[1])
		f.Message = m[2]
	}
	f.Message = "is not YAML: " + f.Message
	return f
}

func (r *fileReader) at(n *yaml.Node) fault.Fault {
	return fault.Fault{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *fileReader) fault(n *yaml.Node, fix, format string, args ...any) {
	f := r.at(n)
	f.Message, f.Fix = fmt.Sprintf(format, args...), fix
	r.faults.Add(f)
}

// mapping reads the settings below prefix, which is "" or ends with a dot.
func (r *fileReader) mapping(prefix string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		name := strings.TrimSuffix(prefix, ".")
		if name == "" {
			name = "the file"
		}
		r.fault(n, "See docs/config.md for the keys.", "%s must hold settings, as in key: value", name)
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			r.fault(key, "Keep one of them.", "%s%s is set twice", prefix, key.Value)
			continue
		}
		seen[key.Value] = true
		r.entry(prefix+key.Value, key, val)
	}
}

func (r *fileReader) entry(name string, key, val *yaml.Node) {
	if strings.Contains(key.Value, ".") {
		r.fault(key, "Write each level on a line of its own, the inner one indented.", "%q is not one key", key.Value)
		return
	}
	if i := slices.IndexFunc(r.table, func(s Setting) bool { return s.Key == name }); i >= 0 {
		r.scalar(r.table[i], val)
		return
	}
	if slices.ContainsFunc(r.table, func(s Setting) bool { return strings.HasPrefix(s.Key, name+".") }) {
		r.mapping(name+".", val)
		return
	}
	r.fault(key, suggest(name, keys(r.table)), "no setting is called %q", name)
}

func (r *fileReader) scalar(s Setting, val *yaml.Node) {
	if val.Kind != yaml.ScalarNode || !slices.Contains(s.yaml, val.ShortTag()) {
		r.fault(val, "", "%s must be %s, not %s", s.Key, s.Kind, describe(val))
		return
	}
	r.values = append(r.values, value{s, val.Value, r.at(val)})
}

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.ShortTag() == "!!null":
		return "empty"
	}
	return n.Value
}

func keys(table []Setting) []string {
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = s.Key
	}
	return names
}

// suggest names the nearest known name, or where to find them all.
func suggest(got string, known []string) string {
	if near := fault.Closest(got, known); near != "" {
		return near
	}
	return "See docs/config.md for all settings."
}
