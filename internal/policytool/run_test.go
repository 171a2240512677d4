package policytool_test

import (
	"testing"
	"testing/fstest"

	"doorward/internal/policytool"
	"doorward/policies"
)

// Every row of the shipped tables holds. The rows cite the requirements.
func TestShippedTables(t *testing.T) {
	results, err := policytool.RunTables(t.Context(), policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.OK() {
			t.Error(r)
		}
	}
	if len(results) < 300 {
		t.Errorf("only %d answers: did the tables get lost?", len(results))
	}
}

// A malformed table is refused with its place; it does not merely expect less.
func TestMalformedTablesAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"no rows":         {"title: x\n", "tests/x.yaml: has no rows. A table that expects nothing proves nothing."},
		"unknown key":     {"titel: x\n", "tests/x.yaml: line 1: field titel not found in type policytool.tableFile"},
		"no requirement":  {"rows:\n  - {who: billing, do: invoice.list, want: allow}\n", "tests/x.yaml:2: cites no requirement: add req: [...]"},
		"no action":       {"rows:\n  - {req: 62, who: billing, want: allow}\n", "tests/x.yaml:2: names no action: add do: ACTION"},
		"no answer":       {"rows:\n  - {req: 62, who: billing, do: invoice.list}\n", "tests/x.yaml:2: expects nothing: add want: allow, or want: and a reason"},
		"nobody":          {"rows:\n  - {req: 62, do: invoice.list, want: allow}\n", "tests/x.yaml:2: names nobody: add who: PRESET, or who: {presets: [...], ...}"},
		"misspelt member": {"rows:\n  - {req: 62, who: {preset: [billing]}, do: invoice.list, want: allow}\n", "tests/x.yaml:2: line 1: field preset not found in type policytool.whoFile"},
	} {
		_, err := policytool.ReadTables(fstest.MapFS{"tests/x.yaml": {Data: []byte(c.table)}})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
