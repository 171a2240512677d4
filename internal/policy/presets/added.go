package presets

import (
	"fmt"
	"slices"

	"doorward/internal/fault"
)

// Added gives a preset categories besides its lines of the file, as if the file
// had an allow line for each. Names that the catalogue lacks give nothing.
type Added struct {
	Preset     string
	Categories []string
	At         fault.Fault // where it was written; its message is ignored
}

// add appends the lines. It refuses what the file says already, or says against:
// one of the two would be believed to be in force and could be changed in vain.
func (r *reader) add(a Added) {
	if len(a.Categories) == 0 {
		return
	}
	if !slices.Contains(namesIn(r.lines), a.Preset) {
		r.faultAt(a.At, "Give it p lines, or empty the list.", "adds to the preset %s, and %s has none of that name", a.Preset, r.path)
		return
	}
	for _, category := range a.Categories {
		if _, known := r.cat.Bit(category); !known {
			continue
		}
		said := slices.IndexFunc(r.lines, func(l line) bool {
			return l.kind == "p" && l.preset.text == a.Preset && l.object.text == category
		})
		if said >= 0 {
			l := r.lines[said]
			r.faultAt(a.At, "Keep one of them.", "adds %s to the preset %s, where line %d of %s says %s", category, a.Preset, l.number, r.path, l.effect.text)
			continue
		}
		r.lines = append(r.lines, line{
			kind: "p", preset: field{text: a.Preset}, object: field{text: category}, effect: field{text: "allow"}, added: &a.At,
		})
	}
}

// addedInVain refuses additions that an inherited line denies. There are no cycles.
func (r *reader) addedInVain() {
	for _, l := range r.lines {
		if l.added == nil {
			continue
		}
		if held, _ := r.held(l.preset.text); !held.Contains(r.cat.Set(l.object.text)) {
			r.faultAt(*l.added, "Remove the deny line, or leave it out here.", "adds %s to the preset %s, which inherits a line that denies it", l.object.text, l.preset.text)
		}
	}
}

// place is where a line was written; the column is of the file's own lines.
func (r *reader) place(l line, column int) fault.Fault {
	if l.added != nil {
		return *l.added
	}
	return fault.Fault{File: r.path, Line: l.number, Column: column}
}

func (r *reader) faultAt(place fault.Fault, fix, format string, args ...any) {
	place.Message, place.Fix = fmt.Sprintf(format, args...), fix
	r.faults.Add(place)
}
