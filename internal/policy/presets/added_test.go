package presets_test

import (
	"testing"

	"doorward/internal/fault"
	"doorward/internal/policy/presets"
)

func loadAdded(t *testing.T, csv string, added ...presets.Added) (*presets.Table, error) {
	t.Helper()
	return presets.Load(smallCatalogue(t), "model.conf", shippedFile(t, "presets/model.conf"), "presets.csv", []byte(csv), added...)
}

func adding(categories ...string) presets.Added {
	return presets.Added{Preset: "r", Categories: categories, At: fault.Fault{File: "profile.yaml", Line: 3, Column: 5}}
}

// A13.2: what is added is what lines in the file would be, for those who inherit
// it and for unions with presets that deny it.
func TestAddedLinesEqualLinesOfTheFile(t *testing.T) {
	const others = "p, heir, mail:news, allow\ng, heir, r\np, no, b, deny\n"
	inFile, err := loadAdded(t, after("p, r, a, allow\np, r, b, allow\n"+others))
	if err != nil {
		t.Fatal(err)
	}
	added, err := loadAdded(t, after("p, r, a, allow\n"+others), adding("b"))
	if err != nil {
		t.Fatal(err)
	}
	for _, held := range [][]string{{"r"}, {"heir"}, {"no"}, {"r", "no"}, {"heir", "no"}, {"owner", "no"}, {"owner"}} {
		if got, want := added.Holds(held, nil), inFile.Holds(held, nil); got != want {
			t.Errorf("%v: got %v, want %v", held, got, want)
		}
	}
	if added.Holds([]string{"r"}, nil) != smallCatalogue(t).Set("a", "b") {
		t.Error("b was not added")
	}
}

func TestNothingAddedNeedsNoPreset(t *testing.T) {
	if _, err := loadAdded(t, ownerLines, adding()); err != nil {
		t.Error(err)
	}
}

// The shipped preset of all permissions, A13.2, with both switches that add to it.
func TestAddedToTheShippedPreset(t *testing.T) {
	cat, plain := shipped(t)
	added, err := presets.Load(cat, "model.conf", shippedFile(t, "presets/model.conf"), "presets.csv", shippedFile(t, "presets/presets.csv"),
		presets.Added{Preset: presets.All, Categories: []string{"users", "cancellations"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range plain.Names() {
		want := plain.Holds([]string{name}, nil)
		if name == presets.All {
			want = want.Union(cat.Set("users", "cancellations"))
		}
		if got := added.Holds([]string{name}, nil); got != want {
			t.Errorf("%s holds %v, want %v", name, cat.Names(got), cat.Names(want))
		}
	}
}

// Faults of additions are where the addition was written, not in the file.
func TestFaultsOfAdditions(t *testing.T) {
	for name, c := range map[string]struct {
		csv  string
		adds []string
		want string
	}{
		"no such preset":        {"p, s, a, allow\n", []string{"a"}, "profile.yaml:3:5: adds to the preset r, and presets.csv has none of that name. Give it p lines, or empty the list."},
		"said already":          {"p, r, a, allow\n", []string{"a"}, "profile.yaml:3:5: adds a to the preset r, where line 5 of presets.csv says allow. Keep one of them."},
		"said against":          {"p, r, mail:news, allow\np, r, a, deny\n", []string{"a"}, "profile.yaml:3:5: adds a to the preset r, where line 6 of presets.csv says deny. Keep one of them."},
		"denied by descent":     {"p, r, mail:news, allow\np, s, a, deny\ng, r, s\n", []string{"a"}, "profile.yaml:3:5: adds a to the preset r, which inherits a line that denies it. Remove the deny line, or leave it out here."},
		"lacks what is implied": {"p, r, mail:news, allow\n", []string{"b"}, "profile.yaml:3:5: r holds b without a, which it implies. Give it that as well."},
		"the owner's alone":     {"p, r, a, allow\n", []string{"own"}, "profile.yaml:3:5: r would be given own. Remove it: only the owner may hold it."},
	} {
		table, err := loadAdded(t, after(c.csv), adding(c.adds...))
		if table != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, c.want)
		}
	}
}

// Names the catalogue lacks are the business of whoever knows where they stand.
func TestUnknownAdditionsGiveNothing(t *testing.T) {
	table, err := loadAdded(t, after("p, r, a, allow\n"), adding("c"))
	if err != nil || table.Holds([]string{"r"}, nil) != smallCatalogue(t).Set("a") {
		t.Errorf("got %v, %v", table, err)
	}
}
