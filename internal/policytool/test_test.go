package policytool_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorward/internal/policytool"
)

const ownTests = `package doorward_test

import data.doorward

test_paying if {
	doorward.reason == "" with input as member
		with input.action as pay
}

test_wrong if {
	doorward.reason == "" with input as member
	doorward.reason == "removed" with input as member
		with input.action as pay
	true
}

test_twice if true

test_twice if false

todo_test_later if true

test_cases[name] if {
	some name in ["a", "b"]
	name == "a"
}

test_number := 3

test_provider if data.doorward.provider.closed.access == "none"

test_error if {
	count(input.action.name) > 0 with input as member
	startswith(sprintf("%d", [1]), "1")
	to_number("x") == 1
}
`

const ownTable = `title: Own
rows:
  - {req: 62, who: billing, do: [invoice.list, ticket.open], want: allow}
  - req: 62
    who: {presets: [billing, support]}
    properties: {department: billing}
    do: ticket.open
    want: allow
  - {req: 62, who: billing, do: invoice.list, want: allow}
`

// runOwn tests the shipped folder with these tests in place of its own.
func runOwn(t *testing.T, o policytool.TestOptions) *policytool.TestReport {
	t.Helper()
	folder := without(edited(t), "tests/")
	for name := range folder {
		if strings.HasSuffix(name, "_test.rego") && name != "rules/base_test.rego" {
			delete(folder, name)
		}
	}
	own := edited(t, edit{"rules/own_test.rego", "", ownTests}, edit{"tests/own.yaml", "", ownTable})
	folder["rules/own_test.rego"], folder["tests/own.yaml"] = own["rules/own_test.rego"], own["tests/own.yaml"]
	report, err := policytool.RunTests(t.Context(), folder, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// Rego tests and rows of tables are in one report, each failure with its line and
// what came of it, and a test that could only seem to pass fails.
func TestRegoTestsAndTablesInOneReport(t *testing.T) {
	var got []string
	for _, file := range runOwn(t, policytool.TestOptions{}).Files {
		for _, test := range file.Tests {
			got = append(got, fmt.Sprintf("%s %s:%d:%d %s", test.Name, file.Name, test.Line, test.At, test.Problem))
		}
	}
	want := []string{
		"test_paying rules/own_test.rego:5:0 ",
		"test_wrong rules/own_test.rego:10:12 it does not hold",
		"test_twice rules/own_test.rego:17:0 another test has the same name, and one that passes would hide one that fails",
		"test_twice rules/own_test.rego:19:0 another test has the same name, and one that passes would hide one that fails",
		"todo_test_later rules/own_test.rego:21:0 it is still to be written: nothing is left out here",
		"test_cases rules/own_test.rego:23:0 it has several cases, and one that fails would be missing unseen; write every … in … { … }",
		"test_number rules/own_test.rego:28:0 its value is 3, not true",
		"test_provider rules/own_test.rego:30:0 ",
		"test_error rules/own_test.rego:32:35 rules/own_test.rego:35: eval_builtin_error: to_number: strconv.ParseFloat: parsing \"x\": invalid syntax",
		"invoice.list (who: billing) tests/own.yaml:3:0 ",
		"ticket.open (who: billing) tests/own.yaml:3:0 got category_missing, want allow",
		"ticket.open (who: {presets: [billing, support]}, properties: {department: billing}) tests/own.yaml:4:0 ",
		"invoice.list (who: billing) (2) tests/own.yaml:9:0 ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOnlyWhatMatchesIsRun(t *testing.T) {
	report := runOwn(t, policytool.TestOptions{Match: func(file, name string) bool {
		return strings.HasPrefix(name, "ticket.open") || name == "test_paying"
	}})
	if tests, failed := report.Count(); tests != 3 || failed != 1 || len(report.Files) != 2 {
		t.Errorf("got %d tests, %d failed, in %d files", tests, failed, len(report.Files))
	}
}

// Coverage counts rules that gave their value and expressions that were evaluated,
// and presets by category.
func TestCoverage(t *testing.T) {
	c := runOwn(t, policytool.TestOptions{Coverage: true}).Coverage
	missed := map[string]bool{}
	for _, file := range c.Rules {
		if file.Covered > file.Total || file.Total-file.Covered != len(file.Missed) || file.Total == 0 {
			t.Errorf("%+v", file)
		}
		for _, m := range file.Missed {
			missed[file.File+" "+m.What] = true
		}
	}
	for _, want := range []string{
		"rules/guardrails.rego guardrail owner_cannot_leave never gave its value",
		"rules/self.rego a branch of self_reason never gave its value",
		"rules/self.rego expression of self_reason was never evaluated",
		"rules/decision.rego rule usable_when_suspended never gave its value",
	} {
		if !missed[want] {
			t.Errorf("not missed: %s", want)
		}
	}
	for _, not := range []string{"rules/decision.rego rule decision never gave its value", "rules/decision.rego a branch of decision never gave its value"} {
		if missed[not] {
			t.Errorf("missed: %s", not)
		}
	}
	for _, cell := range c.Cells {
		want := policytool.CellCoverage{Preset: cell.Preset, Category: cell.Category, Held: cell.Held}
		switch cell.Preset + " " + cell.Category {
		case "billing invoices":
			want.Allowed = true
		case "billing tickets":
			want.Refused = true
		}
		if cell != want || cell.Shown() != (want.Allowed || want.Refused) {
			t.Errorf("got %+v, want %+v", cell, want)
		}
	}
}

// The print changes with everything that the tests depend on, and with nothing else.
func TestPrint(t *testing.T) {
	base := policytool.Print(edited(t))
	for file, changes := range map[string]bool{"tests/own.yaml": true, "rules/own_test.rego": true, "presets/presets.csv": true, "README.md": false, "tests/owner.yaml": true} {
		if got := policytool.Print(edited(t, edit{file, "", "# x\n"})); (got != base) != changes {
			t.Errorf("%s: changed is %v", file, got != base)
		}
	}
}
