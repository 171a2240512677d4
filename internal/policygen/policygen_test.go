package policygen_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"pgregory.net/rapid"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policygen"
	"doorward/policies"
)

// seeds is how many policies these tests look at. They are always the same.
const seeds = 40

func open(t testing.TB) *policygen.Source {
	t.Helper()
	source, err := policygen.Open(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// A generator whose policies do not load, or whose rules say the same to everybody,
// tests nothing.
func TestRandomPoliciesLoadAndJudge(t *testing.T) {
	source, loaded := open(t), 0
	var allowed, denied, failed int
	for seed := range seeds {
		drawn := rapid.Custom(source.Policy).Example(seed + 1)
		p, err := policy.Load(drawn.Files)
		if err != nil {
			var faults fault.List
			if !errors.As(err, &faults) {
				t.Errorf("seed %d: %v\n%v", seed, err, drawn)
			}
			continue
		}
		loaded++
		asker := policygen.For(p)
		for i := range 30 {
			in := rapid.Custom(asker.Input).Example(i + 1)
			switch out, err := p.Rules.Eval(t.Context(), &in); {
			case err != nil:
				failed++
			case out.Allow:
				allowed++
			default:
				denied++
			}
		}
	}
	t.Logf("%d of %d policies load; %d allowed, %d denied, %d failed", loaded, seeds, allowed, denied, failed)
	if loaded < seeds*8/10 || allowed < 150 || denied < 150 || failed < 50 || failed > allowed+denied {
		t.Errorf("%d of %d policies load; %d allowed, %d denied, %d failed", loaded, seeds, allowed, denied, failed)
	}
}

// The same seed makes the same policy, or a failure could not be seen again.
func TestASeedMakesOnePolicy(t *testing.T) {
	source := open(t)
	for seed := range 5 {
		a, b := rapid.Custom(source.Policy).Example(seed), rapid.Custom(source.Policy).Example(seed)
		if a.String() != b.String() {
			t.Errorf("seed %d: first\n%v\nthen\n%v", seed, a, b)
		}
	}
}

// constructs are the ways of writing a rule that must occur, and in how many of the
// policies at least.
var constructs = map[string]int{
	"several clauses": 5, "else": 20, "default": 10, "default function": 3, "function": 10, "partial set": 10, "partial object": 5,
	"every": 5, "array comprehension": 3, "set comprehension": 5, "object comprehension": 3, "not": 20, "some in": 10, "in": 20,
	"assignment": 10, "guardrail": 10, "helper": 10, "comparison of a leaf": 30, "built-in that can fail": 3,
}

// Every construct occurs: the parser says so, not the generator.
func TestRandomPoliciesUseEveryConstruct(t *testing.T) {
	source, in := open(t), map[string]int{}
	for seed := range seeds {
		drawn := rapid.Custom(source.Policy).Example(seed + 1)
		module, err := ast.ParseModule("drawn.rego", drawn.Rules())
		if err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, drawn.Rules())
			continue
		}
		for name := range used(module) {
			in[name]++
		}
	}
	t.Log(in)
	for _, name := range slices.Sorted(maps.Keys(constructs)) {
		if in[name] < constructs[name] {
			t.Errorf("%s: in %d of %d policies, less than %d", name, in[name], seeds, constructs[name])
		}
	}
	for name := range in {
		if constructs[name] == 0 {
			t.Errorf("%s is not asked for", name)
		}
	}
}

// used are the constructs in a module.
func used(module *ast.Module) map[string]bool {
	found, clauses := map[string]bool{}, map[string]int{}
	for _, rule := range module.Rules {
		usedByHead(rule, found)
		if name := rule.Ref().String(); !rule.Default {
			clauses[name]++
			found["several clauses"] = found["several clauses"] || clauses[name] > 1 && len(rule.Head.Args) > 0
		}
		ast.WalkExprs(rule, func(e *ast.Expr) bool { usedByExpr(e, found); return false })
		ast.WalkTerms(rule, func(t *ast.Term) bool { usedByTerm(t, found); return false })
	}
	maps.DeleteFunc(found, func(_ string, there bool) bool { return !there })
	return found
}

func usedByHead(rule *ast.Rule, found map[string]bool) {
	name := string(rule.Head.Ref()[0].Value.(ast.Var))
	found["else"] = found["else"] || rule.Else != nil
	found["default"] = found["default"] || rule.Default && len(rule.Head.Args) == 0
	found["default function"] = found["default function"] || rule.Default && len(rule.Head.Args) > 0
	found["function"] = found["function"] || len(rule.Head.Args) > 0
	found["guardrail"] = found["guardrail"] || name == "guardrail"
	found["helper"] = found["helper"] || name[:2] == "ho"
	found["partial set"] = found["partial set"] || rule.Head.RuleKind() == ast.MultiValue && name != "guardrail"
	found["partial object"] = found["partial object"] || len(rule.Head.Ref()) > 1
}

func usedByExpr(e *ast.Expr, found map[string]bool) {
	found["not"] = found["not"] || e.Negated
	found["assignment"] = found["assignment"] || e.IsAssignment()
	switch terms := e.Terms.(type) {
	case *ast.Every:
		found["every"] = true
	case *ast.SomeDecl:
		_, in := terms.Symbols[0].Value.(ast.Call)
		found["some in"] = found["some in"] || in
	}
	if !e.IsCall() {
		return
	}
	switch e.Operator().String() {
	case "internal.member_2":
		found["in"] = true
	case "equal", "neq":
		for _, side := range e.Operands() {
			ref, isRef := side.Value.(ast.Ref)
			found["comparison of a leaf"] = found["comparison of a leaf"] || isRef && ref[0].Equal(ast.InputRootDocument)
		}
	}
}

func usedByTerm(t *ast.Term, found map[string]bool) {
	switch v := t.Value.(type) {
	case *ast.ArrayComprehension:
		found["array comprehension"] = true
	case *ast.SetComprehension:
		found["set comprehension"] = true
	case *ast.ObjectComprehension:
		found["object comprehension"] = true
	case ast.Call:
		if name := v[0].String(); name == "div" || name == "rem" || name == "to_number" {
			found["built-in that can fail"] = true
		}
	}
}
