package presets_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/presets"
	"doorward/internal/policygen"
)

// A mutation changes one line of a file as people do by accident. It returns the line
// as it was if it finds nothing to change.
type mutation struct {
	name  string
	apply func(t *rapid.T, line string) string
	// void tells that the line says the same after it, so that it must load the same.
	void bool
}

var mutations = []mutation{
	{"letter changed", func(t *rapid.T, line string) string { return at(t, line, "abdegilnoprstwy:_-,# ") }, false},
	{"letter doubled", func(t *rapid.T, line string) string {
		i := rapid.IntRange(0, len(line)-1).Draw(t, "at")
		return line[:i] + line[i:i+1] + line[i:]
	}, false},
	{"letter lost", func(t *rapid.T, line string) string {
		i := rapid.IntRange(0, len(line)-1).Draw(t, "at")
		return line[:i] + line[i+1:]
	}, false},
	{"letters exchanged", func(t *rapid.T, line string) string {
		i := rapid.IntRange(0, len(line)-2).Draw(t, "at")
		return line[:i] + line[i+1:i+2] + line[i:i+1] + line[i+2:]
	}, false},
	{"case changed", func(t *rapid.T, line string) string {
		i := rapid.IntRange(0, len(line)-1).Draw(t, "at")
		return line[:i] + strings.ToUpper(line[i:i+1]) + line[i+1:]
	}, false},
	{"field in capitals", func(t *rapid.T, line string) string { return field(t, line, strings.ToUpper) }, false},
	{"space at the end", func(_ *rapid.T, line string) string { return line + " " }, false},
	{"space at the margin", func(_ *rapid.T, line string) string { return " " + line }, false},
	{"space after a field", func(t *rapid.T, line string) string { return field(t, line, func(f string) string { return f + " " }) }, false},
	{"comment behind", func(_ *rapid.T, line string) string { return line + " # why" }, false},
	{"comment close behind", func(_ *rapid.T, line string) string { return line + "#" }, false},
	{"field doubled", func(t *rapid.T, line string) string {
		return field(t, line, func(f string) string { return f + "," + f })
	}, false},
	{"field lost", func(t *rapid.T, line string) string { return field(t, line, func(string) string { return "" }) }, false},
	{"field quoted", func(t *rapid.T, line string) string {
		return field(t, line, func(f string) string { return `"` + f + `"` })
	}, false},
	{"comma lost", func(_ *rapid.T, line string) string { return strings.Replace(line, ",", " ", 1) }, false},
	{"deny misspelt", func(t *rapid.T, line string) string {
		return strings.Replace(line, "deny", rapid.SampledFrom([]string{"denny", "Deny", "dney", "den", "denied", "no", "DENY", "deny;", "d\u0435ny"}).Draw(t, "word"), 1)
	}, false},
	{"deny made allow", func(_ *rapid.T, line string) string { return strings.Replace(line, "deny", "allow", 1) }, false},
	{"commented out", func(_ *rapid.T, line string) string { return "# " + line }, false},
	{"said twice", func(_ *rapid.T, line string) string { return line + "\n" + line }, false},
	{"tab", func(_ *rapid.T, line string) string { return strings.Replace(line, ", ", ",\t", 1) }, false},
	{"invisible", func(t *rapid.T, line string) string {
		return field(t, line, func(f string) string { return f + "\u200b" })
	}, false},
	{"spaced out", func(_ *rapid.T, line string) string { return strings.ReplaceAll(line, ", ", ",    ") }, true},
	{"close together", func(_ *rapid.T, line string) string { return strings.ReplaceAll(line, ", ", ",") }, true},
	{"CRLF", func(_ *rapid.T, line string) string { return line + "\r" }, true},
	{"a line between", func(_ *rapid.T, line string) string { return line + "\n\n# p, owner, nothing, deny" }, true},
}

// at puts another letter in the place of one.
func at(t *rapid.T, line, letters string) string {
	i := rapid.IntRange(0, len(line)-1).Draw(t, "at")
	j := rapid.IntRange(0, len(letters)-1).Draw(t, "letter")
	return line[:i] + letters[j:j+1] + line[i+1:]
}

// field changes one field of a line.
func field(t *rapid.T, line string, change func(string) string) string {
	fields := strings.Split(line, ", ")
	i := rapid.IntRange(0, len(fields)-1).Draw(t, "field")
	fields[i] = change(fields[i])
	return strings.Join(fields, ", ")
}

// Lines as a person reads them who takes every letter at its word.
var (
	grantLine       = regexp.MustCompile(`^p, *([a-z0-9_-]+), *([a-z0-9_:]+), *(allow|deny)\r?$`)
	inheritanceLine = regexp.MustCompile(`^g, *([a-z0-9_-]+), *([a-z0-9_-]+)\r?$`)
	silentLine      = regexp.MustCompile(`^(#.*|\r?)$`)
)

// mayGain is what changing a line may give somebody who holds any presets: what the
// new line allows or the old one denied. An inheritance may give anything.
func mayGain(cat *catalogue.Catalogue, before, after string) catalogue.Set {
	var gain catalogue.Set
	if m := grantLine.FindStringSubmatch(before); m != nil && m[3] == "deny" {
		gain = gain.Union(cat.Set(m[2]))
	}
	for _, line := range strings.Split(after, "\n") {
		if m := grantLine.FindStringSubmatch(line); m != nil && m[3] == "allow" {
			gain = gain.Union(cat.Set(m[2]))
		}
		if inheritanceLine.MatchString(line) {
			return cat.Set(cat.Objects()...)
		}
	}
	if inheritanceLine.MatchString(before) { // what was inherited may have been a deny
		return cat.Set(cat.Objects()...)
	}
	return gain
}

// says is what a line says: its fields, or nothing.
func says(line string) string {
	line = strings.TrimSuffix(line, "\r")
	if silentLine.MatchString(line) {
		return ""
	}
	return strings.ReplaceAll(line, " ", "")
}

// A file that was spoiled in one line is refused, or means what it says to the letter:
// exactly the same where the line says the same, and never more than the line itself
// gives (S23; engine notes 3.4). A line that no longer reads as a line is refused.
func TestSpoiledFilesAreRefusedOrMeanWhatTheySay(t *testing.T) {
	cat, modelConf := shippedCatalogue(t), shippedFile(t, "presets/model.conf")
	tried, refused, loaded, all := map[string]int{}, map[string]int{}, map[string]int{}, 0
	policygen.Check(t, 30, func(t *rapid.T) {
		file, good := drawLoadable(t, cat, modelConf, 3)
		lines := strings.Split(strings.TrimSuffix(file, "\n"), "\n")
		for range 16 {
			m := rapid.SampledFrom(mutations).Draw(t, "mutation")
			i := spoiled(t, lines, m)
			line := m.apply(t, lines[i])
			if line == lines[i] {
				continue
			}
			tried[m.name], all = tried[m.name]+1, all+1
			text := strings.Join(slices.Concat(lines[:i], []string{line}, lines[i+1:]), "\n") + "\n"
			table, err := presets.Load(cat, "model.conf", modelConf, "presets.csv", []byte(text))
			if err != nil {
				refused[m.name]++
				if m.void {
					t.Fatalf("%s: %q became %q: %v", m.name, lines[i], line, err)
				}
				continue
			}
			loaded[m.name]++
			checkSpoiled(t, cat, good, table, lines[i], line)
		}
	})
	t.Logf("loaded %v, refused %v", loaded, refused)
	for _, m := range mutations {
		if tried[m.name] == 0 && all > 300 || all == 0 {
			t.Errorf("%s was never tried among %d", m.name, all)
		}
		if mustRefuse[m.name] && loaded[m.name] > 0 {
			t.Errorf("%s: %d files load", m.name, loaded[m.name])
		}
	}
}

// mustRefuse are the mutations after which no line of the file reads as one.
var mustRefuse = map[string]bool{
	"field in capitals": true, "space at the end": true, "space at the margin": true, "space after a field": true, "comment behind": true,
	"comment close behind": true, "field doubled": true, "field lost": true, "field quoted": true, "comma lost": true, "deny misspelt": true,
	"case changed": true, "said twice": true, "tab": true, "invisible": true,
}

// spoiled draws which line is changed: the comment at the top says nothing, and a
// mutation of denies wants one.
func spoiled(t *rapid.T, lines []string, m mutation) int {
	var some []int
	for i, line := range lines {
		if !silentLine.MatchString(line) && (!strings.HasPrefix(m.name, "deny") || strings.HasSuffix(line, "deny")) {
			some = append(some, i)
		}
	}
	if len(some) == 0 {
		return 0
	}
	return rapid.SampledFrom(some).Draw(t, "line")
}

func checkSpoiled(t *rapid.T, cat *catalogue.Catalogue, good, table *presets.Table, before, after string) {
	for _, line := range strings.Split(after, "\n") {
		if !grantLine.MatchString(line) && !inheritanceLine.MatchString(line) && !silentLine.MatchString(line) {
			t.Fatalf("%q became %q, which reads as nothing, and loads", before, after)
		}
	}
	var said []string
	for _, line := range strings.Split(after, "\n") {
		if s := says(line); s != "" {
			said = append(said, s)
		}
	}
	same := slices.Equal(said, []string{says(before)})
	gain := mayGain(cat, before, after)
	names := good.Names()
	for _, preset := range append(names, table.Names()...) {
		for _, other := range names {
			was, is := good.Holds([]string{preset, other}, nil), table.Holds([]string{preset, other}, nil)
			if same && was != is {
				t.Fatalf("%q became %q, which says the same: %s and %s held %v, hold %v", before, after, preset, other, cat.Names(was), cat.Names(is))
			}
			if more := is.Minus(was).Minus(gain); !more.IsEmpty() {
				t.Fatalf("%q became %q: %s and %s hold %v besides", before, after, preset, other, cat.Names(more))
			}
		}
	}
}
