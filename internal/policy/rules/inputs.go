package rules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/strictyaml"
)

// roots are where in a question a declared path may begin.
var roots = []string{"resource.properties", "action.properties", "subject.properties", "context"}

// reduced are the parts of a question that rules see only as what they amount to.
var reduced = map[string]string{
	"context.account":   "input.session.acting",
	"context.auth_time": "input.session.mfa_fresh",
	"context.amr":       "input.session.mfa",
}

var (
	pathName      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	actionPattern = regexp.MustCompile(`^[a-z0-9_.*]+$`)
)

// An inputsReader reads inputs.yaml for a catalogue.
type inputsReader struct {
	*strictyaml.File
	cat    *catalogue.Catalogue
	schema Schema
}

func readInputs(cat *catalogue.Catalogue, file File, faults *fault.List) *Schema {
	f, root := strictyaml.Read(file.Path, file.Data)
	in := &inputsReader{File: f, cat: cat}
	if root != nil {
		sections := in.required(root, "the file", []string{"has", "request"})
		for _, n := range in.list(sections["has"], "has") {
			in.has(n)
		}
		for _, n := range in.list(sections["request"], "request") {
			in.request(n)
		}
	}
	*faults = append(*faults, in.Faults...)
	return &in.schema
}

// required returns the values of a mapping by key; each of keys must be there.
func (in *inputsReader) required(n *yaml.Node, what string, keys []string, optional ...string) map[string]*yaml.Node {
	values := in.Known(n, what, slices.Concat(keys, optional)...)
	for _, key := range keys {
		if n.Kind == yaml.MappingNode && values[key] == nil {
			in.Fault(n, "Add "+key+":", "%s has no %s", what, key)
		}
	}
	return values
}

func (in *inputsReader) list(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		in.Fault(n, "Write a list, or [] for none.", "%s must be a list", what)
	}
	return n.Content
}

func (in *inputsReader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	s, _ := in.Text(n, what)
	return s
}

func (in *inputsReader) has(n *yaml.Node) {
	m := in.required(n, "an item of has", []string{"category", "for"})
	leaf := HasLeaf{Category: in.text(m["category"], "category"), actions: in.actions(m["for"])}
	if leaf.Category == "" {
		return
	}
	var names []string
	for _, category := range in.cat.Categories {
		names = append(names, category.Name)
	}
	switch {
	case !slices.Contains(names, leaf.Category):
		in.Fault(m["category"], strictyaml.Suggest(leaf.Category, names), "unknown category %q", leaf.Category)
	case slices.ContainsFunc(in.schema.Has, func(h HasLeaf) bool { return h.Category == leaf.Category }):
		in.Fault(m["category"], "List all its actions in one place.", "category %q is declared twice", leaf.Category)
	default:
		leaf.Bit, _ = in.cat.Bit(leaf.Category)
		in.schema.Has = append(in.schema.Has, leaf)
	}
}

func (in *inputsReader) request(n *yaml.Node) {
	m := in.required(n, "an item of request", []string{"path", "type", "absent", "for"}, "samples", "stored")
	leaf := RequestLeaf{Path: in.path(m["path"]), Type: in.typ(m["type"]), actions: in.actions(m["for"])}
	leaf.Absent = in.value(m["absent"], leaf.Type)
	for _, sample := range in.list(m["samples"], "samples") {
		leaf.Samples = append(leaf.Samples, in.value(sample, leaf.Type))
	}
	if stored := m["stored"]; stored != nil {
		leaf.Stored, _ = in.Bool(stored, "stored")
		in.storable(&leaf, stored, m["for"])
	}
	if leaf.Path != nil && leaf.Type != "" {
		in.schema.Request = append(in.schema.Request, leaf)
	}
}

// path reads where in the question a part is; nil after a fault.
func (in *inputsReader) path(n *yaml.Node) []string {
	written := in.text(n, "path")
	if written == "" {
		return nil
	}
	names := strings.Split(written, ".")
	if slices.ContainsFunc(names, func(s string) bool { return !pathName.MatchString(s) }) {
		in.Fault(n, "Write names of letters, digits and _ with single dots between them.", "%q is not a path", written)
		return nil
	}
	for part, leaf := range reduced {
		if inside(written, part) {
			in.Fault(n, "Use "+leaf+" in the rules.", "%q cannot be declared: it is judged before the rules, which see what it amounts to", written)
			return nil
		}
	}
	if !slices.ContainsFunc(roots, func(root string) bool { return strings.HasPrefix(written, root+".") }) {
		in.Fault(n, "Begin with "+strings.Join(roots, ". or ")+".", "%q is not a part of a question that rules may read", written)
		return nil
	}
	for _, leaf := range in.schema.Request {
		if other := strings.Join(leaf.Path, "."); inside(written, other) || inside(other, written) {
			in.Fault(n, "Declare each part once, and no part inside another.", "%q is already declared by %q", written, other)
			return nil
		}
	}
	return names
}

// inside tells whether a path is the other or a part of it.
func inside(path, other string) bool { return path == other || strings.HasPrefix(path, other+".") }

func (in *inputsReader) typ(n *yaml.Node) Type {
	if n == nil {
		return ""
	}
	written, _ := in.OneOf(n, "type", string(String), string(Number), string(Boolean))
	return Type(written)
}

// value reads a constant of a type; the zero Value after a fault.
func (in *inputsReader) value(n *yaml.Node, want Type) Value {
	if n == nil || want == "" {
		return Value{}
	}
	v, ok := ValueOf(n, want)
	if !ok {
		in.Fault(n, "Write it as it would stand in JSON.", "%q is not a %s", n.Value, want)
	}
	return v
}

// ValueOf is the YAML node as a value of a type, or false when it is none: it must be
// written as it would stand in JSON.
func ValueOf(n *yaml.Node, want Type) (Value, bool) {
	var fits bool
	switch n.ShortTag() {
	case "!!str":
		fits = want == String
	case "!!bool":
		fits = want == Boolean && (n.Value == "true" || n.Value == "false")
	case "!!int", "!!float":
		fits = want == Number && ValidNumber(n.Value)
	}
	if n.Kind != yaml.ScalarNode || !fits {
		return Value{}, false
	}
	return Value{Type: want, Text: n.Value}, true
}

// storable refuses a leaf that only counts as stored where nothing is: for anything but
// subjects and resources of entity actions.
func (in *inputsReader) storable(leaf *RequestLeaf, n, actions *yaml.Node) {
	if !leaf.Stored {
		return
	}
	if root := leaf.Path; root != nil && root[0] != "subject" && root[0] != "resource" {
		in.Fault(n, "Remove it.", "nothing is stored of %s", strings.Join(leaf.Path, "."))
	}
	for _, a := range in.cat.Actions() {
		if leaf.For(a.Name) && a.Class != catalogue.Entity {
			in.Fault(actions, "Name entity actions only.", "%s is no entity action, and nothing is stored for it", a.Name)
			return
		}
	}
}

// actions returns the actions that a list of patterns means. Every pattern must
// mean one that those before it do not.
func (in *inputsReader) actions(n *yaml.Node) map[string]bool {
	chosen := map[string]bool{}
	patterns := in.list(n, "for")
	if n != nil && n.Kind == yaml.SequenceNode && len(patterns) == 0 {
		in.Fault(n, "Name the actions, for example ticket.*", "no actions")
	}
	for _, p := range patterns {
		written := in.text(p, "an action")
		switch {
		case written == "":
		case !actionPattern.MatchString(written):
			in.Fault(p, "Write an action's name, with * for any part of it.", "%q is not a pattern of actions", written)
		default:
			in.choose(p, written, chosen)
		}
	}
	return chosen
}

func (in *inputsReader) choose(n *yaml.Node, pattern string, chosen map[string]bool) {
	before, matched := len(chosen), false
	names := actionNames(in.cat)
	for _, name := range names {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			chosen[name], matched = true, true
		}
	}
	if !matched {
		in.Fault(n, strictyaml.Suggest(pattern, names), "no action matches %q", pattern)
	} else if len(chosen) == before {
		in.Fault(n, "Remove it.", "%q adds no action to those before it", pattern)
	}
}
