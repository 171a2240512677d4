package entities

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
	"doorward/internal/strictyaml"
)

// The sections of the file, and where in a question their entities' properties are.
const (
	subjectRoot  = "subject"
	resourceRoot = "resource"
)

// A reader turns the file's nodes into a Table.
type reader struct {
	*strictyaml.File
	root   *yaml.Node // nil when there is nothing to read
	cat    *catalogue.Catalogue
	schema *rules.Schema // nil: not known
	count  int
}

func newReader(cat *catalogue.Catalogue, schema *rules.Schema, file string, data []byte) *reader {
	f, root := strictyaml.Read(file, data)
	return &reader{File: f, root: root, cat: cat, schema: schema}
}

func (r *reader) table() *Table {
	t := &Table{}
	if r.root == nil {
		return t
	}
	sections := r.Known(r.root, "the file", "subjects", "resources")
	for _, name := range []string{"subjects", "resources"} {
		if sections[name] == nil && r.root.Kind == yaml.MappingNode {
			r.Fault(r.root, "Write "+name+": {} for none.", "the file has no %s", name)
		}
	}
	t.subjects = r.group(subjectRoot, sections["subjects"])
	t.resources = r.group(resourceRoot, sections["resources"])
	if r.count > MaxEntities {
		r.Fault(r.root, "Keep what changes often in a directory, or say it in the question.", "%d subjects and resources are more than %d", r.count, MaxEntities)
	}
	return t
}

// group reads a section: by type, then by id.
func (r *reader) group(root string, section *yaml.Node) group {
	g := group{stored: map[portal.Ref][]rules.Value{}, ids: map[string][]string{}}
	if section == nil {
		return g
	}
	for _, typ := range r.Fields(section, root+"s") {
		name := typ.Key.Value
		leaves := r.leaves(root, name)
		r.typ(root, typ.Key)
		for _, entity := range r.Fields(typ.Value, root+"s of type "+name) {
			r.count++
			if !portal.ValidID(entity.Key.Value) {
				r.Fault(entity.Key, "Use 1 to 128 letters, digits and . _ : @ + ~ -", "%q cannot be an id", entity.Key.Value)
				continue
			}
			ref := portal.Ref{Type: name, ID: entity.Key.Value}
			g.add(ref, r.entity(ref, []string{root, "properties"}, entity.Value, leaves))
		}
	}
	g.sort()
	return g
}

// typ checks a type. Resources are of a type that something can be done to.
func (r *reader) typ(root string, key *yaml.Node) {
	if !catalogue.ValidType(key.Value) {
		r.Fault(key, "Use letters, digits, _, - and dots, beginning with a letter.", "%q cannot be a type", key.Value)
		return
	}
	var known []string
	for _, a := range r.cat.Actions() {
		if a.Entity != "" && !slices.Contains(known, a.Entity) {
			known = append(known, a.Entity)
		}
	}
	switch {
	case len(known) == 0:
		r.Fault(key, "Add actions with entity: and a type to catalogue.yaml.", "no action is about entities")
	case root == resourceRoot && !slices.Contains(known, key.Value):
		r.Fault(key, strictyaml.Suggest(key.Value, known), "no action is done to a %s", key.Value)
	}
}

// leaves are the declared parts that can be stored of an entity, by their index: those
// of subjects for any entity action, those of a resource for actions on its type.
func (r *reader) leaves(root, typ string) map[int]rules.RequestLeaf {
	leaves := map[int]rules.RequestLeaf{}
	if r.schema == nil {
		return leaves
	}
	for i, leaf := range r.schema.Request {
		for _, a := range r.cat.Actions() {
			if leaf.Path[0] == root && leaf.For(a.Name) && a.Class == catalogue.Entity && (root == subjectRoot || a.Entity == typ) {
				leaves[i] = leaf
			}
		}
	}
	return leaves
}

// entity reads what is stored of an entity, at a path and below.
func (r *reader) entity(ref portal.Ref, path []string, n *yaml.Node, leaves map[int]rules.RequestLeaf) []rules.Value {
	if r.schema == nil {
		r.Fields(n, ref.String())
		return nil
	}
	stored := make([]rules.Value, len(r.schema.Request))
	r.properties(ref, path, n, leaves, stored)
	return stored
}

func (r *reader) properties(ref portal.Ref, path []string, n *yaml.Node, leaves map[int]rules.RequestLeaf, stored []rules.Value) {
	what := ref.String()
	if len(path) > 2 {
		what = strings.Join(path, ".")
	}
	for _, field := range r.Fields(n, what) {
		at := append(slices.Clone(path), field.Key.Value)
		i, below := declared(leaves, at)
		switch {
		case i >= 0:
			stored[i] = r.value(field.Value, strings.Join(at, "."), leaves[i].Type)
		case below:
			r.properties(ref, at, field.Value, leaves, stored)
		default:
			r.Fault(field.Key, "Declare it in inputs.yaml, or remove it.", "no rule may read %s of a %s", strings.Join(at, "."), ref.Type)
		}
	}
}

// declared finds the leaf at a path; -1 when there is none. Below tells that there are
// leaves below it.
func declared(leaves map[int]rules.RequestLeaf, path []string) (i int, below bool) {
	for i, leaf := range leaves {
		switch {
		case slices.Equal(leaf.Path, path):
			return i, false
		case len(leaf.Path) > len(path) && slices.Equal(leaf.Path[:len(path)], path):
			below = true
		}
	}
	return -1, below
}

// value reads what is stored at a declared path.
func (r *reader) value(n *yaml.Node, what string, want rules.Type) rules.Value {
	v, ok := rules.ValueOf(n, want)
	switch {
	case !ok:
		r.Wrong(n, what, "a "+string(want)+", as inputs.yaml declares")
	case len(v.Text) > rules.MaxText:
		r.Fault(n, "Store what rules compare, and no more.", "%s has more than %d bytes", what, rules.MaxText)
	}
	return v
}
