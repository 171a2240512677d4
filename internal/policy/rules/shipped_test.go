package rules_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"doorward/internal/policy/rules"
)

// The shipped rules, with their tests, are sound: names, values, strictness.
func TestShippedRulesLoad(t *testing.T) {
	inputs := rules.File{Path: "inputs.yaml", Data: read(t, "inputs.yaml")}
	p, err := rules.Load(shippedCatalogue(t), inputs, shippedModules(t, true), switches())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Guardrails(), " "); got != "more_than_ones_own nobody_edits_the_owner nobody_edits_themselves not_in_the_owners_name owner_cannot_leave" {
		t.Errorf("guardrails %q", got)
	}
}

func TestShippedRulesAreFormatted(t *testing.T) {
	for _, file := range shippedModules(t, true) {
		want, err := format.SourceWithOpts(file.Path, file.Data, format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, file.Data) {
			t.Errorf("%s is not as opa fmt writes it:\n%s", file.Path, want)
		}
	}
}

// The tests beside the rules pass as opa test runs them, and reach every line.
func TestShippedRulesTests(t *testing.T) {
	modules, covered := map[string]*ast.Module{}, map[string]*ast.Module{}
	for _, file := range shippedModules(t, true) {
		module, err := ast.ParseModule(file.Path, string(file.Data))
		if err != nil {
			t.Fatal(err)
		}
		modules[file.Path] = module
		if !strings.HasSuffix(file.Path, "_test.rego") {
			covered[file.Path] = module
		}
	}
	coverage := cover.New()
	results, err := tester.NewRunner().
		SetStore(inmem.New()).
		SetCompiler(ast.NewCompiler().WithStrict(true)).
		SetCoverageQueryTracer(coverage).
		RaiseBuiltinErrors(true).
		SetModules(modules).
		RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for result := range results {
		ran++
		if result.Fail || result.Error != nil || result.Skip {
			t.Errorf("%v: %s: fail %v, error %v", result.Location, result.Name, result.Fail, result.Error)
		}
	}
	if ran < 20 {
		t.Errorf("only %d tests ran", ran)
	}
	report := coverage.Report(covered)
	for path := range covered {
		file := report.Files[path]
		if file == nil {
			t.Errorf("%s: no line is tested", path)
			continue
		}
		for _, lines := range file.NotCovered {
			t.Errorf("%s:%d-%d: not tested", path, lines.Start.Row, lines.End.Row)
		}
	}
}
