package presets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// The lines that are shown for a preset are those that decide: where the masks that
// Casbin was asked for give an object, an allow line is shown and no deny line.
func TestLinesAgreeWithMasks(t *testing.T) {
	cat := letters(t)
	rapid.Check(t, func(t *rapid.T) {
		lines := randomLines(t, cat.Objects())
		masks, err := judge(cat, lines)
		if err != nil {
			t.Fatal(err)
		}
		table := &Table{cat: cat, masks: masks, lines: lines}
		for _, preset := range table.Names() {
			for _, object := range cat.Objects() {
				allows, denies := false, false
				for _, l := range table.Lines(preset, object) {
					allows, denies = allows || !l.Deny, denies || l.Deny
				}
				compare(t, cat, masks[preset], preset, object, allows && !denies, denies)
			}
		}
	})
}

func compare(t *rapid.T, cat *catalogue.Catalogue, m mask, preset, object string, gives, denies bool) {
	if got := m.allow.Contains(cat.Set(object)); got != gives {
		t.Errorf("%s gives %s: masks %v, lines %v", preset, object, got, gives)
	}
	if got := m.deny.Contains(cat.Set(object)); got != denies {
		t.Errorf("%s denies %s: masks %v, lines %v", preset, object, got, denies)
	}
}

// Own lines come first, then those of the nearest ancestor; each has the way to it.
func TestLinesSayWhereAndThroughWhom(t *testing.T) {
	cat := letters(t)
	r := read(cat, "presets.csv", []byte(`p, top, a, allow
g, top, mid
# a comment
p, mid, b, allow
g, mid, low
p, low, a, deny
`))
	r.add(Added{Preset: "low", Categories: []string{"b"}, At: fault.Fault{File: "profiles/x.yaml", Line: 3}})
	table := &Table{cat: cat, path: r.path, lines: r.lines}
	for _, c := range []struct {
		preset, object string
		want           []Line
	}{
		{"top", "a", []Line{
			{Path: []string{"top"}, File: "presets.csv", Number: 1},
			{Path: []string{"top", "mid", "low"}, Deny: true, File: "presets.csv", Number: 6},
		}},
		{"top", "b", []Line{
			{Path: []string{"top", "mid"}, File: "presets.csv", Number: 4},
			{Path: []string{"top", "mid", "low"}, File: "profiles/x.yaml", Number: 3, Added: true},
		}},
		{"mid", "c", nil},
		{"nobody", "a", nil},
	} {
		if diff := cmp.Diff(c.want, table.Lines(c.preset, c.object)); diff != "" {
			t.Errorf("%s, %s (-want +got)\n%s", c.preset, c.object, diff)
		}
	}
}
