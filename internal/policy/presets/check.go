package presets

import (
	"maps"
	"slices"
	"strings"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// maxDepth is how many inheritances may follow each other. Casbin stops looking
// after ten, silently, and so would miss a deny.
const maxDepth = 8

// check records what is wrong between lines. Lines that are at fault by themselves
// have been left out already.
func (r *reader) check() {
	r.repeated()
	names := namesIn(r.lines)
	if len(r.lines) == 0 && len(r.faults) == 0 {
		r.fault(0, 0, "Restore it, or copy the shipped one.", "holds no preset")
		return
	}
	if len(names) > maxPresets {
		r.fault(0, 0, "Join some of them.", "%d presets are more than %d", len(names), maxPresets)
	}
	r.unknownPresets(names)
	if r.cycles() || r.depth() {
		return // what is inherited is not defined
	}
	r.owner()
	r.addedInVain()
	for _, name := range names {
		r.sound(name)
	}
}

// namesIn returns the presets that have a line of their own, by name.
func namesIn(lines []line) []string {
	seen := make(map[string]bool)
	for _, l := range lines {
		if l.kind == "p" {
			seen[l.preset.text] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// repeated refuses lines that say again, or against, what another said.
func (r *reader) repeated() {
	first := make(map[[3]string]line)
	for _, l := range r.lines {
		key := [3]string{l.kind, l.preset.text, l.object.text + l.parent.text}
		before, seen := first[key]
		switch {
		case !seen:
			first[key] = l
		case before.effect.text == l.effect.text:
			r.fault(l.number, 1, "Keep one of them.", "line %d says the same", before.number)
		default:
			r.fault(l.number, l.effect.column, "Keep one of them.", "line %d says %s", before.number, before.effect.text)
		}
	}
}

// unknownPresets refuses inheritances by or from presets without a line of their
// own: more often a slip of the pen than a wish.
func (r *reader) unknownPresets(names []string) {
	for _, l := range r.lines {
		if l.kind != "g" {
			continue
		}
		for _, f := range []field{l.preset, l.parent} {
			if !slices.Contains(names, f.text) {
				fix := fault.Closest(f.text, names)
				if fix == "" {
					fix = "Give it a p line."
				}
				r.fault(l.number, f.column, fix, "no preset is called %q", f.text)
			}
		}
	}
}

// parents returns the presets that name inherits from directly.
func (r *reader) parents(name string) []string {
	var list []string
	for _, l := range r.lines {
		if l.kind == "g" && l.preset.text == name {
			list = append(list, l.parent.text)
		}
	}
	return list
}

// ancestors returns name and every preset it inherits from, nearest first.
func (r *reader) ancestors(name string) []string {
	list := []string{name}
	for i := 0; i < len(list); i++ {
		for _, parent := range r.parents(list[i]) {
			if !slices.Contains(list, parent) {
				list = append(list, parent)
			}
		}
	}
	return list
}

// cycles refuses inheritances that lead back to where they began.
func (r *reader) cycles() (found bool) {
	for _, l := range r.lines {
		if l.kind != "g" {
			continue
		}
		if l.preset.text == l.parent.text {
			r.fault(l.number, l.parent.column, "Remove the line.", "%s inherits from itself", l.preset.text)
			found = true
		} else if slices.Contains(r.ancestors(l.parent.text), l.preset.text) {
			r.fault(l.number, l.parent.column, "Remove one of the lines.", "%s inherits from %s, which inherits from it", l.preset.text, l.parent.text)
			found = true
		}
	}
	return found
}

// depth refuses chains of more than maxDepth inheritances, where they become too
// long. There are no cycles.
func (r *reader) depth() (found bool) {
	depths := make(map[string]int)
	for _, l := range r.lines {
		if l.kind == "g" && r.depthOf(l.parent.text, depths) == maxDepth {
			r.fault(l.number, l.parent.column, "Let it inherit from a nearer preset.", "%s inherits over more than %d presets", l.preset.text, maxDepth)
			found = true
		}
	}
	return found
}

// depthOf is the length of the longest chain of inheritances from name on.
func (r *reader) depthOf(name string, known map[string]int) int {
	if depth, ok := known[name]; ok {
		return depth
	}
	depth := 0
	for _, parent := range r.parents(name) {
		depth = max(depth, r.depthOf(parent, known)+1)
	}
	known[name] = depth
	return depth
}

// owner refuses a policy in which the owner lacks something or is denied
// something (req 7). Its lines are written out: what it inherits is not enough.
func (r *reader) owner() {
	var allowed catalogue.Set
	last := 0
	for _, l := range r.lines {
		if l.kind == "p" && l.preset.text == Owner {
			last = l.number
			if l.effect.text == "allow" {
				allowed = allowed.Union(r.cat.Set(l.object.text))
			}
		}
	}
	if last == 0 {
		r.fault(0, 0, "Copy its lines from the shipped file.", "there is no preset called %s", Owner)
		return
	}
	missing := r.cat.Set(r.cat.Objects()...).Minus(allowed)
	for _, name := range r.cat.Names(missing) {
		r.fault(last, 0, "Add the line p, owner, "+name+", allow.", "the owner lacks %s", name)
	}
	above := r.ancestors(Owner)
	for _, l := range r.lines {
		if l.kind == "p" && l.effect.text == "deny" && slices.Contains(above, l.preset.text) {
			r.fault(l.number, l.effect.column, "Remove the line.", "the owner would be denied %s", l.object.text)
		}
	}
}

// sound refuses a preset that holds a category without what it implies, or that
// gives others what is the owner's alone.
func (r *reader) sound(name string) {
	if name == Owner {
		return
	}
	held, from := r.held(name)
	for _, category := range r.cat.Categories {
		if !held.Contains(r.cat.Set(category.Name)) {
			continue
		}
		place := r.source(name, from[category.Name])
		missing := r.cat.Implied(r.cat.Set(category.Name)).Minus(held)
		if !missing.IsEmpty() {
			r.faultAt(place, "Give it that as well.", "%s holds %s without %s, which it implies",
				name, category.Name, strings.Join(r.cat.Names(missing), ", "))
		}
		if !category.Delegable {
			r.faultAt(place, "Remove it: only the owner may hold it.", "%s would be given %s", name, category.Name)
		}
	}
}

// source is where name got what l gives: l itself, or name's own line by which it
// inherits l.
func (r *reader) source(name string, l line) fault.Fault {
	if l.preset.text == name {
		return r.place(l, l.object.column)
	}
	for _, g := range r.lines {
		if g.kind == "g" && g.preset.text == name && slices.Contains(r.ancestors(g.parent.text), l.preset.text) {
			return r.place(g, g.parent.column)
		}
	}
	return fault.Fault{File: r.path}
}

// held is what name holds by its own lines and the inherited ones, and the line
// nearest to it that gives each object.
func (r *reader) held(name string) (catalogue.Set, map[string]line) {
	var allowed, denied catalogue.Set
	from := make(map[string]line)
	for _, preset := range r.ancestors(name) {
		for _, l := range r.lines {
			if l.kind != "p" || l.preset.text != preset {
				continue
			}
			if l.effect.text == "deny" {
				denied = denied.Union(r.cat.Set(l.object.text))
				continue
			}
			allowed = allowed.Union(r.cat.Set(l.object.text))
			if _, given := from[l.object.text]; !given {
				from[l.object.text] = l
			}
		}
	}
	return allowed.Minus(denied), from
}
