package presets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
)

// letters is a catalogue of the categories a to f.
func letters(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	var b strings.Builder
	b.WriteString("categories:\n")
	for _, name := range "abcdef" {
		fmt.Fprintf(&b, "  %c: {label: X, freshness: strict, delegable: true}\n", name)
	}
	b.WriteString("mails: {}\nactions: {a.do: {guards: [a], effect: read, scope: none}}\n")
	cat, err := catalogue.Load("catalogue.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// randomLines draws a policy with allows, denies and inheritance, without cycles:
// a preset inherits from later ones only, so that chains stay within maxDepth.
func randomLines(t *rapid.T, objects []string) []line {
	var lines []line
	n := rapid.IntRange(1, 6).Draw(t, "presets")
	for i := range n {
		name := fmt.Sprintf("r%d", i)
		said := false
		for _, object := range objects {
			switch rapid.IntRange(0, 5).Draw(t, name+" "+object) {
			case 0, 1:
				lines, said = append(lines, grantOf(name, object, "allow")), true
			case 2:
				lines, said = append(lines, grantOf(name, object, "deny")), true
			}
		}
		if !said {
			lines = append(lines, grantOf(name, objects[0], "allow"))
		}
		for j := i + 1; j < n; j++ {
			if rapid.IntRange(0, 3).Draw(t, fmt.Sprintf("%s inherits r%d", name, j)) == 0 {
				lines = append(lines, line{kind: "g", preset: field{text: name}, parent: field{text: fmt.Sprintf("r%d", j)}})
			}
		}
	}
	return lines
}

func grantOf(preset, object, effect string) line {
	return line{kind: "p", preset: field{text: preset}, object: field{text: object}, effect: field{text: effect}}
}

// whole is Casbin with all lines at once, and a user who has the presets and the
// objects.
func whole(t *rapid.T, lines []line, presets, objects []string) *casbin.Enforcer {
	m, err := model.NewModelFromString(pinnedModel)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.kind == "p" {
			_, err = e.AddPolicy(l.preset.text, l.object.text, l.effect.text)
		} else {
			_, err = e.AddGroupingPolicy(l.preset.text, l.parent.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range presets {
		if _, err := e.AddGroupingPolicy("user", name); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range objects {
		if _, err := e.AddPolicy("user", object, "allow"); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// A grant of several presets and direct categories is what Casbin itself would
// say, asked about everything at once (design section 4).
func TestMasksAgreeWithEnforce(t *testing.T) {
	cat := letters(t)
	rapid.Check(t, func(t *rapid.T) {
		lines := randomLines(t, cat.Objects())
		names := namesIn(lines)
		masks, err := judge(cat, lines)
		if err != nil {
			t.Fatal(err)
		}
		table := &Table{cat: cat, masks: masks}
		given := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, len(names), rapid.ID).Draw(t, "given")
		direct := rapid.SliceOfNDistinct(rapid.SampledFrom(cat.Objects()), 0, 3, rapid.ID).Draw(t, "direct")
		held := table.Holds(given, direct)
		e := whole(t, lines, given, direct)
		for bit, object := range cat.Objects() {
			want, err := e.Enforce("user", object)
			if err != nil {
				t.Fatal(err)
			}
			if held.Has(bit) != want {
				t.Fatalf("%v and %v hold %s: %v, Casbin says %v", given, direct, object, held.Has(bit), want)
			}
		}
	})
}

// The check at load notices a mask that is wrong in any one place. A mask that
// allows what the same preset denies is no difference: the deny wins in every
// union.
func TestVerifyNoticesAWrongMask(t *testing.T) {
	lines := []line{
		grantOf("yes", "a", "allow"), grantOf("no", "a", "deny"), grantOf("silent", "b", "allow"), grantOf("heir", "b", "allow"),
		{kind: "g", preset: field{text: "heir"}, parent: field{text: "no"}},
	}
	names := namesIn(lines)
	right := column{allow: []bool{false, false, false, true}, deny: []bool{true, true, false, false}}
	if got := fmt.Sprint(names); got != "[heir no silent yes]" {
		t.Fatal(got)
	}
	check := func(c column) error {
		e, err := newEnforcer(lines, "a")
		if err != nil {
			t.Fatal(err)
		}
		return verify(e, "a", names, unionsOf(len(names)), c)
	}
	if err := check(right); err != nil {
		t.Fatalf("the right mask: %v", err)
	}
	for i, name := range names {
		wrong := column{slices.Clone(right.allow), slices.Clone(right.deny)}
		wrong.deny[i] = !wrong.deny[i]
		if err := check(wrong); err == nil {
			t.Errorf("a wrong deny of %s went unnoticed", name)
		}
		if right.deny[i] {
			continue
		}
		wrong = column{slices.Clone(right.allow), slices.Clone(right.deny)}
		wrong.allow[i] = !wrong.allow[i]
		if err := check(wrong); err == nil {
			t.Errorf("a wrong allow of %s went unnoticed", name)
		}
	}
}

func TestUnionsToCompare(t *testing.T) {
	for n, want := range map[int]int{1: 1, 6: 63, 12: 4095, 13: maxUnions, maxPresets: maxUnions} {
		unions := unionsOf(n)
		if len(unions) != want {
			t.Errorf("%d presets: %d unions, want %d", n, len(unions), want)
		}
		pairs := 0
		for _, union := range unions {
			if len(union) == 2 {
				pairs++
			}
			if len(union) == 0 || !slices.IsSorted(union) || union[len(union)-1] >= n {
				t.Fatalf("%d presets: the union %v", n, union)
			}
		}
		if pairs < n*(n-1)/2 {
			t.Errorf("%d presets: %d pairs", n, pairs)
		}
	}
	if a, b := fmt.Sprint(unionsOf(20)), fmt.Sprint(unionsOf(20)); a != b {
		t.Error("the sample differs from one load to the next")
	}
}
