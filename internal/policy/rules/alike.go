package rules

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A reading is what rules can learn about one text of the input: the results of
// comparing it with constants. Two texts with equal results are the same to every
// rule, so that one stands for both when inputs are tried.
type reading struct {
	// uses counts the places where rules refer to the text. Where these are more than
	// its tests, it is used in another way too, and no two texts are the same.
	uses  int
	tests []func(text string) bool
}

// of is what rules learn about a text.
func (r *reading) of(text string) string {
	switch {
	case r == nil:
		return ""
	case r.uses != len(r.tests):
		return text
	}
	results := make([]byte, len(r.tests))
	for i, test := range r.tests {
		results[i] = '0'
		if test(text) {
			results[i] = '1'
		}
	}
	return string(results)
}

// readings are what rules learn about the texts of the input, by reference. Nothing is
// learnt about one that is missing.
type readings map[string]*reading

// readings finds what the rules that decide and the invariants learn.
func (c *checker) readings(modules map[string]*ast.Module) readings {
	found := readings{}
	at := func(ref ast.Ref) *reading {
		name := ref.String()
		if found[name] == nil {
			found[name] = &reading{}
		}
		return found[name]
	}
	for path, module := range modules {
		if isTest(path) {
			continue
		}
		ast.WalkRefs(module, func(ref ast.Ref) bool {
			if ref[0].Equal(ast.InputRootDocument) {
				at(ref).uses++
			}
			return false
		})
		eachCall(module, func(operator string, operands []*ast.Term) {
			if leaf, test := c.comparing(operator, operands); test != nil {
				at(leaf).tests = append(at(leaf).tests, test)
			}
		})
	}
	return found
}

// comparing is a comparison of a text of the input with constants, as a function of the
// text; nil when it is something else.
func (c *checker) comparing(operator string, operands []*ast.Term) (leaf ast.Ref, test func(string) bool) {
	if len(operands) < 2 {
		return nil, nil
	}
	text, constants := operands[0], operands[1]
	if _, constant := text.Value.(ast.String); constant && slices.Contains(equalities, operator) {
		text, constants = constants, text
	}
	leaf, ok := text.Value.(ast.Ref)
	if !ok || !leaf[0].Equal(ast.InputRootDocument) {
		return nil, nil
	}
	words, known := c.words(constants)
	switch {
	case !known:
		return nil, nil
	case operator == "internal.member_2":
		return leaf, func(text string) bool { return slices.Contains(words, text) }
	case len(words) != 1:
		return nil, nil
	case slices.Contains(equalities, operator):
		return leaf, func(text string) bool { return text == words[0] }
	}
	return leaf, affixed(operator, words[0])
}

var equalities = []string{"equal", "eq", "neq"}

// affixed is the comparison of a text with a part of it; nil when the operator is
// another one.
func affixed(operator, part string) func(string) bool {
	switch operator {
	case "startswith":
		return func(text string) bool { return strings.HasPrefix(text, part) }
	case "endswith":
		return func(text string) bool { return strings.HasSuffix(text, part) }
	case "contains":
		return func(text string) bool { return strings.Contains(text, part) }
	}
	return nil
}

// words are the constants that a term is, or holds; false when not all are known.
func (c *checker) words(t *ast.Term) (words []string, known bool) {
	if ref, ok := t.Value.(ast.Ref); ok && ref.HasPrefix(providerPath) {
		return listed(c.docs.switches, ref[len(providerPath):])
	}
	known = true
	add := func(t *ast.Term) {
		s, ok := t.Value.(ast.String)
		words, known = append(words, string(s)), known && ok
	}
	switch v := c.resolve(t).Value.(type) {
	case ast.String:
		words = []string{string(v)}
	case *ast.Array:
		v.Foreach(add)
	case ast.Set:
		v.Foreach(add)
	default:
		return nil, false
	}
	return words, known
}

// listed are the texts at a path of the provider's switches.
func listed(data any, path ast.Ref) (words []string, known bool) {
	for _, t := range path {
		name, constant := t.Value.(ast.String)
		members, ok := data.(map[string]any)
		if !constant || !ok {
			return nil, false
		}
		data = members[string(name)]
	}
	switch v := data.(type) {
	case string:
		return []string{v}, true
	case []string:
		return v, true
	case []any:
		for _, item := range v {
			word, ok := item.(string)
			if !ok {
				return nil, false
			}
			words = append(words, word)
		}
		return words, true
	}
	return nil, false
}

// eachCall visits every call of a module.
func eachCall(module *ast.Module, visit func(operator string, operands []*ast.Term)) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if x.IsCall() {
				visit(x.Operator().String(), x.Operands())
			}
		case *ast.Term:
			if call, ok := x.Value.(ast.Call); ok {
				visit(call[0].String(), call[1:])
			}
		}
		return false
	}).Walk(module)
}
