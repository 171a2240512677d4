package repo

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/requirements.md from the citations")

const requirementsPage = "docs/requirements.md"

// row is a numbered row of the page: what stands before its last cell, and its
// number.
var row = regexp.MustCompile(`^(\| ((?:A13\.|C|invariant )?\d+) \|.*\|) [^|]* \|$`)

// pending stands where no test cites a requirement.
const pending = "pending"

func TestRequirementsPage(t *testing.T) {
	found := collect(t)
	got := string(read(t, requirementsPage))
	want := rewrite(got, found)
	if *update {
		if err := os.WriteFile(filepath.Join(root, requirementsPage), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else {
		compareRows(t, got, want)
	}
	numbers := numbered(got)
	for number, tests := range found {
		if !slices.Contains(numbers, number) {
			t.Errorf("%s: there is no requirement %s", strings.Join(tests, ", "), number)
		}
	}
}

// compareRows reports each row whose last column is not what the tests say.
func compareRows(t *testing.T, got, want string) {
	t.Helper()
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if line != wanted[i] {
			t.Errorf("%s:%d: row %s is out of date; run make requirements\n got %s\nwant %s", requirementsPage, i+1,
				row.FindStringSubmatch(line)[2], lastCell(line), lastCell(wanted[i]))
		}
	}
}

func lastCell(line string) string {
	cells := strings.Split(strings.TrimSuffix(line, " |"), " | ")
	return cells[len(cells)-1]
}

// rewrite puts the citations into the last column of the page.
func rewrite(page string, found citations) string {
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		if match := row.FindStringSubmatch(line); match != nil {
			held := pending
			if tests := found[match[2]]; len(tests) > 0 {
				held = "`" + strings.Join(tests, "` `") + "`"
			}
			lines[i] = match[1] + " " + held + " |"
		}
	}
	return strings.Join(lines, "\n")
}

// numbered lists the page's numbers in order.
func numbered(page string) []string {
	var numbers []string
	for line := range strings.Lines(page) {
		if match := row.FindStringSubmatch(strings.TrimSuffix(line, "\n")); match != nil {
			numbers = append(numbers, match[2])
		}
	}
	return numbers
}

func TestRequirementsPageIsComplete(t *testing.T) {
	var want []string
	for _, part := range []struct {
		form  string
		count int
	}{{"%d", 120}, {"C%d", 13}, {"A13.%d", 20}, {"invariant %d", 13}} {
		for n := range part.count {
			want = append(want, fmt.Sprintf(part.form, n+1))
		}
	}
	if diff := cmp.Diff(want, numbered(string(read(t, requirementsPage)))); diff != "" {
		t.Errorf("the page's numbers (-want +got):\n%s", diff)
	}
}

const sampleTest = `package sample

// Cited by the file: req 1.
var rows = 1

// TestA holds req 2.
func TestA(t *testing.T) {
	t.Run("req 3: a name", nil) // A13.4
	_ = 5 // invariant 5, not required 6, nor A13.
}

func helper() {} // req 7
`

const sampleTable = `title: sample
rows:
  - {req: [62, "A13.3", "S14", "D2"], who: owner, do: invoice.list, want: allow}
`

func TestCitationsAreFound(t *testing.T) {
	found := citations{}
	if err := found.addGo("internal/x/x_test.go", []byte(sampleTest)); err != nil {
		t.Fatal(err)
	}
	if err := found.addTable("policies/tests/x.yaml", []byte(sampleTable)); err != nil {
		t.Fatal(err)
	}
	want := citations{
		"1": {"internal/x/x_test.go"}, "7": {"internal/x/x_test.go"},
		"2": {"x.TestA"}, "3": {"x.TestA"}, "A13.4": {"x.TestA"}, "invariant 5": {"x.TestA"},
		"62": {"policies/tests/x.yaml"}, "A13.3": {"policies/tests/x.yaml"},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("citations (-want +got):\n%s", diff)
	}
}

func TestRewriteFillsAndEmptiesTheColumn(t *testing.T) {
	const page = "| 1 | One. | `000` | pending |\n| 12 | Twelve. | `000` | `x.TestGone` |\n| C3 | a | b | pending |\n| x | no number | pending |\n"
	const want = "| 1 | One. | `000` | `x.TestA` `x.TestB` |\n| 12 | Twelve. | `000` | pending |\n| C3 | a | b | pending |\n| x | no number | pending |\n"
	got := rewrite(page, citations{"1": {"x.TestA", "x.TestB"}})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
