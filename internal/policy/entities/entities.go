// Package entities reads entities.yaml: the subjects and resources that a policy has
// of its own, with what it stores of them.
//
// It decides nothing and knows no directory: a user of the directory with the same name
// is somebody else. Its invariants: what is stored is at a path that inputs.yaml
// declares, with the type it declares, so that nothing is stored that no rule can read
// and nothing is read that was stored otherwise than meant; a file has at most
// MaxEntities of them; ids come in byte order.
package entities

import (
	"slices"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// MaxEntities is how many subjects and resources a policy may have of its own: they are
// kept in memory, and a search judges each. More belong in a directory.
const MaxEntities = 10_000

// A Table is one reading of entities.yaml. It is immutable, and a nil Table is empty.
type Table struct {
	subjects  group
	resources group
}

// A group is the subjects, or the resources.
type group struct {
	stored map[portal.Ref][]rules.Value
	ids    map[string][]string // by type, in byte order
}

// Subject returns what is stored of a subject, parallel to Schema.Request: the zero
// Value where nothing is. Do not modify it. It is not ok when there is no such subject.
func (t *Table) Subject(ref portal.Ref) (stored []rules.Value, ok bool) {
	if t == nil {
		return nil, false
	}
	stored, ok = t.subjects.stored[ref]
	return stored, ok
}

// Resource is Subject for a resource.
func (t *Table) Resource(ref portal.Ref) (stored []rules.Value, ok bool) {
	if t == nil {
		return nil, false
	}
	stored, ok = t.resources.stored[ref]
	return stored, ok
}

// Subjects are the ids of the subjects of a type, in byte order. Do not modify them.
func (t *Table) Subjects(typ string) []string {
	if t == nil {
		return nil
	}
	return t.subjects.ids[typ]
}

// Resources are the ids of the resources of a type, in byte order. Do not modify them.
func (t *Table) Resources(typ string) []string {
	if t == nil {
		return nil
	}
	return t.resources.ids[typ]
}

// Load reads entities.yaml for a catalogue and what inputs.yaml declares; with a nil
// schema, which nobody could read, only names and places are looked at and the Table is
// nil. Its error is a fault.List with every fault; file is how they name it.
func Load(cat *catalogue.Catalogue, schema *rules.Schema, file string, data []byte) (*Table, error) {
	r := newReader(cat, schema, file, data)
	t := r.table()
	if err := r.Faults.Err(); err != nil {
		return nil, err
	}
	if schema == nil {
		return nil, nil
	}
	return t, nil
}

func (g *group) add(ref portal.Ref, stored []rules.Value) {
	g.stored[ref] = stored
	g.ids[ref.Type] = append(g.ids[ref.Type], ref.ID)
}

func (g *group) sort() {
	for _, ids := range g.ids {
		slices.Sort(ids)
	}
}
