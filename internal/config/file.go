package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

// A value is what one place says of one setting.
type value struct {
	setting Setting
	text    string
	at      fault.Fault // File, Line and Column of the value
}

// A fileReader turns a configuration file into values.
type fileReader struct {
	file   *strictyaml.File
	table  []Setting
	values []value
}

// readFile reads doorward.yaml. What is wrong in it comes back in the list; the
// values are then incomplete.
func readFile(file string, data []byte, table []Setting) ([]value, fault.List) {
	yamlFile, root := strictyaml.Read(file, data)
	if yamlFile.Empty {
		return nil, nil // sets nothing
	}
	r := &fileReader{file: yamlFile, table: table}
	if root != nil {
		r.mapping("", root)
	}
	return r.values, r.file.Faults
}

// mapping reads the settings below prefix, which is "" or ends with a dot.
func (r *fileReader) mapping(prefix string, n *yaml.Node) {
	what := strings.TrimSuffix(prefix, ".")
	if what == "" {
		what = "the file"
	}
	for _, field := range r.file.Fields(n, what) {
		r.entry(prefix+field.Key.Value, field.Key, field.Value)
	}
}

func (r *fileReader) entry(name string, key, val *yaml.Node) {
	if strings.Contains(key.Value, ".") {
		r.file.Fault(key, "Write each level on a line of its own, the inner one indented.", "%q is not one key", key.Value)
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
	r.file.Fault(key, suggest(name, keys(r.table)), "no setting is called %q", name)
}

func (r *fileReader) scalar(s Setting, val *yaml.Node) {
	if val.Kind != yaml.ScalarNode || !slices.Contains(s.yaml, val.ShortTag()) {
		r.file.Wrong(val, s.Key, s.Kind)
		return
	}
	at := fault.Fault{File: r.file.Path, Line: val.Line, Column: val.Column}
	r.values = append(r.values, value{s, val.Value, at})
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
