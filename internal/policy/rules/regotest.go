package rules

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// How OPA names tests, and tests that are still to be written.
const (
	testPrefix = "test_"
	todoPrefix = "todo_test_"
)

// testTimeout bounds one test of rules: they answer in milliseconds.
const testTimeout = 5 * time.Second

// Tests are the tests beside the rules (files *_test.rego), ready to run under the
// same restrictions as the rules. They are immutable and safe for concurrent use.
type Tests struct {
	list     []RegoTest
	compiler *ast.Compiler
	store    storage.Store
}

// A RegoTest is one rule whose name begins with test_.
type RegoTest struct {
	Name   string
	File   string
	Line   int
	query  string
	broken string // why it cannot be run; "" when it can
}

// A TestResult is what came of a test.
type TestResult struct {
	RegoTest
	// Problem says why it failed; "" when it passed.
	Problem string
	// At is the line in which it failed, 0 when it is not known.
	At   int
	Took time.Duration
}

// LoadTests compiles the tests of a folder that Load accepts. Its error is a
// fault.List.
func LoadTests(cat *catalogue.Catalogue, inputs File, modules []File, provider Switches) (*Tests, error) {
	var faults fault.List
	schema := readInputs(cat, inputs, &faults)
	parsed := parse(modules, &faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	compiler, _ := compile(parsed, documents{input: inputTree(cat, schema), provider: switchTree(provider), switches: provider.Values}, &faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &Tests{list: testsIn(compiler), compiler: compiler, store: storeOf(provider.Values)}, nil
}

// testsIn lists the tests in order of place.
func testsIn(compiler *ast.Compiler) []RegoTest {
	var list []RegoTest
	first := map[string]int{}
	for path, module := range compiler.Modules {
		for _, rule := range module.Rules {
			ref := rule.Head.Ref()
			name := ref[0].Value.String()
			if !isTest(path) || !strings.HasPrefix(name, testPrefix) && !strings.HasPrefix(name, todoPrefix) {
				continue
			}
			list = append(list, RegoTest{
				Name: name, File: path, Line: rule.Loc().Row,
				query:  module.Package.Path.Extend(ref[:1]).String(),
				broken: brokenTest(rule, name),
			})
			first[list[len(list)-1].query]++
		}
	}
	for i, t := range list {
		if first[t.query] > 1 {
			list[i].broken = "another test has the same name, and one that passes would hide one that fails"
		}
	}
	slices.SortFunc(list, func(a, b RegoTest) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return list
}

// brokenTest tells why a test could seem to pass without testing, or "".
func brokenTest(rule *ast.Rule, name string) string {
	switch {
	case strings.HasPrefix(name, todoPrefix):
		return "it is still to be written: nothing is left out here"
	case len(rule.Head.Args) > 0:
		return "it is a function, which nothing calls"
	case len(rule.Head.Ref()) > 1 || rule.Head.RuleKind() == ast.MultiValue:
		return "it has several cases, and one that fails would be missing unseen; write every … in … { … }"
	}
	return ""
}

// List are the tests, in order of place. Do not modify it.
func (t *Tests) List() []RegoTest { return t.list }

// Run runs one of the tests and notes in coverage, unless it is nil, what it reaches.
func (t *Tests) Run(ctx context.Context, test RegoTest, coverage *Coverage) TestResult {
	start := time.Now()
	result := TestResult{RegoTest: test, Problem: test.broken}
	if result.Problem == "" {
		result.Problem, result.At = t.run(ctx, test, coverage)
	}
	result.Took = time.Since(start)
	return result
}

func (t *Tests) run(ctx context.Context, test RegoTest, coverage *Coverage) (problem string, at int) {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	failed := &failures{file: test.File}
	// OPA panics on some values.
	defer func() {
		if cause := recover(); cause != nil {
			problem, at = fmt.Sprintf("OPA panicked: %v", cause), failed.line
		}
	}()
	options := []func(*rego.Rego){
		rego.Query(test.query), rego.Compiler(t.compiler), rego.Store(t.store),
		rego.StrictBuiltinErrors(true), rego.QueryTracer(failed),
	}
	if coverage != nil {
		options = append(options, rego.QueryTracer(coverage))
	}
	results, err := rego.New(options...).Eval(ctx)
	switch {
	case err != nil:
		return err.Error(), failed.line
	case len(results) == 0:
		return "it does not hold", failed.line
	case results[0].Expressions[0].Value != true:
		return fmt.Sprintf("its value is %v, not true", results[0].Expressions[0].Value), 0
	}
	return "", 0
}

// failures notes the last line of a file of tests in which something did not hold.
type failures struct {
	file string
	line int
}

// Enabled satisfies topdown.QueryTracer.
func (f *failures) Enabled() bool { return true }

// Config satisfies topdown.QueryTracer.
func (f *failures) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent satisfies topdown.QueryTracer.
func (f *failures) TraceEvent(event topdown.Event) {
	if e, ok := event.Node.(*ast.Expr); ok && event.Op == topdown.FailOp && e.Location != nil && e.Location.File == f.file {
		f.line = e.Location.Row
	}
}
