package presets

import "slices"

// A Line is one line by which a preset allows or denies an object: its own, an
// inherited one, or an addition of the provider's switches.
type Line struct {
	// Path leads from the preset asked about to the one whose line it is: two names
	// and more when the line is inherited.
	Path []string
	Deny bool
	// File and Number are where it stands; of an addition, where the switch does.
	File   string
	Number int
	Added  bool
}

// Lines returns the lines by which the preset allows or denies the object, its own
// first and then the inherited ones, nearest first. An unknown preset has none.
func (t *Table) Lines(preset, object string) []Line {
	var found []Line
	for _, path := range t.lineage(preset) {
		for _, l := range t.lines {
			if l.kind == "p" && l.preset.text == path[len(path)-1] && l.object.text == object {
				found = append(found, t.line(l, path))
			}
		}
	}
	return found
}

func (t *Table) line(l line, path []string) Line {
	shown := Line{Path: path, Deny: l.effect.text == "deny", File: t.path, Number: l.number}
	if l.added != nil {
		shown.File, shown.Number, shown.Added = l.added.File, l.added.Line, true
	}
	return shown
}

// lineage returns the preset and all that it inherits from, each with the shortest
// path to it, nearest first.
func (t *Table) lineage(preset string) [][]string {
	paths, seen := [][]string{{preset}}, []string{preset}
	for i := 0; i < len(paths); i++ {
		last := paths[i][len(paths[i])-1]
		for _, l := range t.lines {
			if l.kind == "g" && l.preset.text == last && !slices.Contains(seen, l.parent.text) {
				seen = append(seen, l.parent.text)
				paths = append(paths, append(slices.Clone(paths[i]), l.parent.text))
			}
		}
	}
	return paths
}
