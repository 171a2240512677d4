package policygen

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
)

// presetNames are the presets that are drawn besides the owner. A preset inherits
// from later ones only, so that there are no cycles.
var presetNames = []string{"administrator", "billing", "support", "developer", "all", "night-shift", "r2_d2"}

// Presets draws a presets.csv: up to so many presets, with allow and deny lines, that
// inherit from each other, after an owner who has everything. Nearly always a preset
// that holds a category holds what it implies, and nothing that is the owner's alone.
func Presets(t *rapid.T, cat *catalogue.Catalogue, most int) string {
	var b strings.Builder
	b.WriteString("# drawn\n")
	for _, object := range cat.Objects() {
		fmt.Fprintf(&b, "p, owner, %s, allow\n", object)
	}
	names := presetNames[:rapid.IntRange(1, min(most, len(presetNames))).Draw(t, "presets")]
	for i, name := range names {
		allowed, denied := drawMask(t, cat, name)
		for _, object := range cat.Objects() {
			switch one := cat.Set(object); {
			case denied.Contains(one):
				fmt.Fprintf(&b, "p, %s, %s, deny\n", name, object)
			case allowed.Contains(one):
				fmt.Fprintf(&b, "p, %s, %s, allow\n", name, object)
			}
		}
		for _, parent := range names[i+1:] {
			if oneIn(t, 5) {
				fmt.Fprintf(&b, "g, %s, %s\n", name, parent)
			}
		}
	}
	return b.String()
}

// drawMask draws what the lines of a preset allow and deny; one of the two is never
// empty. What is allowed comes with all that it implies, and what is denied with all
// that implies it, so that whatever is inherited stays sound.
func drawMask(t *rapid.T, cat *catalogue.Catalogue, name string) (allowed, denied catalogue.Set) {
	careless := oneIn(t, 50)
	for bit, object := range cat.Objects() {
		switch rapid.IntRange(0, 9).Draw(t, name+" "+object) {
		case 7, 8:
			if bit >= len(cat.Categories) || cat.Categories[bit].Delegable || careless {
				allowed = allowed.With(bit)
			}
		case 9:
			if careless || oneIn(t, 2) {
				denied = denied.With(bit)
			}
		}
	}
	if !careless {
		allowed = cat.Implied(allowed)
		denied = implying(cat, denied)
	}
	if allowed.IsEmpty() && denied.IsEmpty() {
		allowed = cat.Set(cat.Objects()[len(cat.Objects())-1])
	}
	return allowed, denied
}

// implying returns s with all categories that imply any of it.
func implying(cat *catalogue.Catalogue, s catalogue.Set) catalogue.Set {
	all := s
	for bit := range cat.Categories {
		if !cat.Implied(catalogue.Set{}.With(bit)).Common(s).IsEmpty() {
			all = all.With(bit)
		}
	}
	return all
}
