package policytool

import (
	"fmt"
	"slices"
	"strings"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/policy/rules"
)

// A finder looks for parts of a sound policy folder that do nothing.
type finder struct {
	*suite
	warnings, notes []Finding
}

func (f *finder) warn(kind FindingKind, at fault.Fault, fix, format string, args ...any) {
	at.Message, at.Fix = fmt.Sprintf(format, args...), fix
	f.warnings = append(f.warnings, Finding{kind, at})
}

// categories finds those that guard nothing, and those that only the owner's preset
// gives although others may hold them.
func (f *finder) categories() {
	var used, given catalogue.Set
	for _, action := range f.base.Catalogue.Actions() {
		used = used.Union(action.Guard)
	}
	for _, leaf := range f.base.Rules.Schema().Has {
		used = used.With(leaf.Bit)
	}
	for _, name := range f.base.Presets.Names() {
		if name != presets.Owner {
			given = given.Union(f.base.Presets.Holds([]string{name}, nil))
		}
	}
	for bit, category := range f.base.Catalogue.Categories {
		at := f.keyPlace("catalogue.yaml", "categories", category.Name)
		switch {
		case !used.Has(bit):
			f.warn(UnusedCategory, at, "Guard an action with it, or remove it.", "%s guards no action and no mail, and no rule may ask for it", category.Name)
		case category.Delegable && !given.Has(bit):
			at.Message = "only the owner's preset gives " + category.Name + "; others hold it when it is given by name"
			f.notes = append(f.notes, Finding{OwnersCategory, at})
		}
	}
}

// presets finds those that no row of a table is about.
func (f *finder) presets() {
	named := map[string]bool{}
	for _, table := range f.tables {
		for _, row := range table.Rows {
			for _, who := range []*Who{&row.Who, row.Member, row.Actor} {
				for _, name := range who.presets() {
					named[name] = true
				}
			}
		}
	}
	for _, name := range f.base.Presets.Names() {
		if !named[name] {
			f.warn(UntestedPreset, f.presetPlace(name), "Add rows with who: "+name+" to a table in tests/.", "no table says what %s may do", name)
		}
	}
}

// presets are the presets that somebody has; none when there is nobody.
func (w *Who) presets() []string {
	if w == nil {
		return nil
	}
	return w.Presets
}

// profiles finds those that no table is about. A table without one is about what
// provider.yaml names.
func (f *finder) profiles() {
	for _, name := range f.suite.profiles {
		if !slices.ContainsFunc(f.tables, func(t Table) bool {
			return t.Profile == name || t.Profile == "" && f.base.Provider.Profile == name
		}) {
			f.warn(UntestedProfile, fault.Fault{File: "profiles/" + name + ".yaml"},
				"Write tests/profile-"+name+".yaml with profile: "+name+".", "no table says what the profile %s answers", name)
		}
	}
}

// inputs finds declared ones that no rule reads.
func (f *finder) inputs() {
	read := f.base.Rules.Reads()
	unread := func(leaf string) bool {
		return !slices.ContainsFunc(read, func(r string) bool { return r == leaf || strings.HasPrefix(r, leaf+".") })
	}
	const fix = "Remove it: it only multiplies what is remembered."
	for _, leaf := range f.base.Rules.Schema().Has {
		if name := hasLeaf(leaf); unread(name) {
			f.warn(UnreadInput, f.itemPlace("inputs.yaml", "has", "category", leaf.Category), fix, "no rule reads %s", name)
		}
	}
	for _, leaf := range f.base.Rules.Schema().Request {
		if name := requestLeaf(leaf); unread(name) {
			f.warn(UnreadInput, f.itemPlace("inputs.yaml", "request", "path", strings.Join(leaf.Path, ".")), fix, "no rule reads %s", name)
		}
	}
}

// switches finds those of the provider that nothing reads.
func (f *finder) switches() {
	for _, at := range f.base.Provider.Unread(f.base.Rules.Reads()) {
		f.warnings = append(f.warnings, Finding{UnreadSwitch, at})
	}
}

// unfired tells of rules and branches that nothing made fire. That is no proof that
// nothing can.
func (f *finder) unfired(parts []rules.Part, e Evidence) {
	for _, p := range parts {
		f.warn(UnfiredRule, placeOf(p), "Remove it, or write a test in which it fires.", "%s never fired in %d inputs", describe(p), e.Inputs())
	}
}

// guardrails finds those that fired on made-up inputs only. Untested are the parts
// that no test and no table made fire.
func (f *finder) guardrails(untested []rules.Part, noted *rules.Coverage) {
	tested := map[string]bool{}
	for _, p := range f.base.Rules.Parts() {
		if p.Kind != rules.Expression && !slices.Contains(untested, p) {
			tested[p.Name] = true
		}
	}
	for _, p := range untested {
		if p.Name != "" && !tested[p.Name] && noted.Reached(p) {
			tested[p.Name] = true
			f.warn(UntestedRail, placeOf(p), "Add a row to a table that wants it.", "no table and no Rego test exercises the guardrail %s", p.Name)
		}
	}
}

// rows finds those of tables that do not hold.
func (f *finder) rows(answers []Result) {
	for _, a := range answers {
		if !a.OK() {
			f.warn(FailingRow, fault.Fault{File: a.File, Line: a.Line}, "See doorward policy test.", "%s is answered %s, not %s", a.Action, a.Got, a.Want)
		}
	}
}

func placeOf(p rules.Part) fault.Fault {
	return fault.Fault{File: p.File, Line: p.Line, Column: p.Column}
}
