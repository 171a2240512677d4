// Package presets holds what each preset gives: categories and mail, read from
// presets.csv, judged by Casbin once and kept as masks.
//
// It knows no people and no rules: what holding a category allows is decided
// elsewhere. Its invariants: the file is read by our own strict reader, because
// Casbin silently turns a misspelt deny into an allow; every mask was obtained
// from Casbin and checked against it for unions of presets; the owner holds
// everything.
package presets

import (
	"maps"
	"slices"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// Owner is the preset of an account's owner: every policy has it, and it holds
// every category and mail (req 7).
const Owner = "owner"

// All is the preset of everything that can be given to others (req 49, A13.2).
const All = "all"

// A Table is what every preset of a policy allows and denies. It is immutable.
type Table struct {
	cat   *catalogue.Catalogue
	masks map[string]mask
	// path and lines are for people who ask why: masks decide.
	path  string
	lines []line
}

// A mask is what a preset allows and what it denies, inherited lines included.
type mask struct{ allow, deny catalogue.Set }

// Load reads model.conf and presets.csv against cat. Its error is a fault.List
// with every fault of both files; the paths are how they name them. What is added
// counts like lines of presets.csv.
func Load(cat *catalogue.Catalogue, modelPath string, model []byte, csvPath string, csv []byte, added ...Added) (*Table, error) {
	faults := checkModel(modelPath, model)
	r := read(cat, csvPath, csv)
	for _, a := range added {
		r.add(a)
	}
	r.check()
	if err := append(faults, r.faults...).Err(); err != nil {
		return nil, err
	}
	masks, err := judge(cat, r.lines)
	if err != nil {
		return nil, fault.List{{
			File: csvPath, Message: "Casbin judges these presets otherwise than Doorward would: " + err.Error(),
			Fix: "This is a fault of Doorward: please report it with the file.",
		}}
	}
	return &Table{cat: cat, masks: masks, path: csvPath, lines: r.lines}, nil
}

// None has no presets: for a catalogue that has nothing to give.
func None(cat *catalogue.Catalogue) *Table { return &Table{cat: cat} }

// Names returns the presets by name.
func (t *Table) Names() []string { return slices.Sorted(maps.Keys(t.masks)) }

// Known tells whether there is a preset of that name.
func (t *Table) Known(preset string) bool {
	_, ok := t.masks[preset]
	return ok
}

// Holds returns what somebody holds who was given these presets and, besides,
// these objects: whatever any of them allows, without what any preset denies.
// Unknown names give nothing. It does not allocate.
func (t *Table) Holds(presets, objects []string) catalogue.Set {
	allowed, denied := t.Gives(presets)
	return allowed.Union(t.cat.Set(objects...)).Minus(denied)
}

// Gives returns what any of these presets allows, and what any denies. Unknown
// names give nothing. It does not allocate.
func (t *Table) Gives(presets []string) (allowed, denied catalogue.Set) {
	for _, name := range presets {
		m := t.masks[name]
		allowed, denied = allowed.Union(m.allow), denied.Union(m.deny)
	}
	return allowed, denied
}
