package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/fault"
	"doorward/internal/strictyaml"
)

// A checker walks modules whose references are resolved and refuses each way in
// which a rule could read past the input's declared leaves, or could silently
// never fire (design section 4). It reads; it changes nothing.
type checker struct {
	docs   documents
	rules  *ast.TreeNode
	faults *fault.List
	test   bool // the module is one of tests
	judge  bool // the module is one of invariants
	// locals are the terms that local variables stand for.
	locals map[ast.Var]*ast.Term
	said   map[fault.Fault]bool
	// compared are the pairs that were compared already.
	compared map[[2]*ast.Term]bool
	// here is the last place that was known; OPA rewrites some terms and loses theirs.
	here *ast.Location
}

// providerPath leads to the provider's switches.
var providerPath = ast.MustParseRef("data.doorward.provider")

// check returns what rules learn about the texts of the input.
func check(compiler *ast.Compiler, docs documents, faults *fault.List) readings {
	c := &checker{
		docs: docs, rules: compiler.RuleTree, faults: faults,
		locals: localsOf(compiler.Modules), said: map[fault.Fault]bool{}, compared: map[[2]*ast.Term]bool{},
	}
	c.entrypoint()
	c.hidden()
	c.functions(compiler.Modules)
	for path, module := range compiler.Modules {
		c.test, c.judge = isTest(path), isInvariant(path)
		for _, rule := range module.Rules {
			c.here = rule.Loc()
			c.walk(rule)
		}
	}
	return c.readings(compiler.Modules)
}

func (c *checker) fault(at *ast.Location, fix, format string, args ...any) {
	f := fault.Fault{Message: fmt.Sprintf(format, args...), Fix: fix}
	if at == nil || at.Row == 0 {
		at = c.here
	}
	if at != nil {
		f.File, f.Line, f.Column = at.File, at.Row, at.Col
	}
	if !c.said[f] {
		c.said[f] = true
		c.faults.Add(f)
	}
}

// entrypoint checks that there is something to ask.
func (c *checker) entrypoint() {
	if node := c.rules.Find(ast.MustParseRef(entrypoint)); node == nil || len(node.Values) == 0 {
		c.faults.Add(fault.Fault{
			File: "rules", Message: "no rule is named decision in package doorward",
			Fix: `Write decision := {"allow": …, "reason": …, "obligations": …}`,
		})
	}
}

// hidden checks that no rule stands where the provider's switches are.
func (c *checker) hidden() {
	node := c.rules.Find(providerPath)
	if node == nil {
		return
	}
	node.DepthFirst(func(n *ast.TreeNode) bool {
		for _, rule := range n.Values {
			c.fault(rule.Loc(), "Rename the rule", "a rule hides the provider's switches, data.doorward.provider")
		}
		return false
	})
}

// walk checks everything in x.
func (c *checker) walk(x any) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			c.expr(x)
		case *ast.With:
			c.with(x)
			c.walk(x.Value)
			return true
		case *ast.Term:
			return c.term(x)
		}
		return false
	}).Walk(x)
}

// expr checks one expression, apart from the terms in it.
func (c *checker) expr(e *ast.Expr) {
	if at := e.Loc(); at != nil && at.Row > 0 {
		c.here = at
	}
	if e.IsCall() {
		c.printing(e)
		c.comparison(e.Operator().String(), e.Operands(), e.Loc())
		return
	}
	term, ok := e.Terms.(*ast.Term)
	if !ok {
		return
	}
	if leaf := c.leaf(term); leaf != nil && leaf.kind != boolean {
		c.fault(term.Loc(), "Compare it with a value",
			"%v is a %s: as a condition it always holds, and its negation never does", term, leaf.kind)
	}
}

// printing refuses print, which OPA would silently take out.
func (c *checker) printing(e *ast.Expr) {
	if e.Operator().String() == ast.Print.Name {
		c.fault(e.Loc(), "Remove it", "print is not available to rules: %s", impure(ast.Print))
	}
}

// term checks one term, and tells whether what it is made of is checked too.
func (c *checker) term(t *ast.Term) bool {
	switch v := t.Value.(type) {
	case ast.Var:
		if t.Equal(ast.InputRootDocument) || t.Equal(ast.DefaultRootDocument) {
			c.fault(t.Loc(), "Refer to one value inside it", "%v is used as a value", v)
		}
	case ast.Ref:
		c.ref(v, t.Loc())
		return true
	case ast.Call:
		c.comparison(v[0].String(), v[1:], t.Loc())
	}
	return false
}

// ref checks what a reference reaches, and the terms inside its brackets.
func (c *checker) ref(ref ast.Ref, at *ast.Location) {
	if root, within := c.document(ref); root != nil {
		c.reaches(root, ref, within, at)
	} else if ref[0].Equal(ast.DefaultRootDocument) {
		c.rule(ref, at)
	}
	// A reference may begin with a collection, as in {"owner"}[input.subject.kind].
	if _, named := ref[0].Value.(ast.Var); !named {
		c.walk(ref[0])
	}
	c.within(ref, at)
	for _, t := range ref[1:] {
		c.walk(t)
	}
}

// within checks a leaf that is looked up in a collection that is there for all to
// see.
func (c *checker) within(ref ast.Ref, at *ast.Location) {
	if len(ref) > 1 && !ref[0].Equal(ast.InputRootDocument) && !ref[0].Equal(ast.DefaultRootDocument) {
		c.lookedUp(c.resolve(ref[0]).Value, ref[1], at)
	}
}

// document returns the document that a reference is into and the rest of the
// reference; nil for rules, built-ins and variables.
func (c *checker) document(ref ast.Ref) (*node, ast.Ref) {
	switch {
	case ref[0].Equal(ast.InputRootDocument):
		return c.docs.input, ref[1:]
	case ref.HasPrefix(providerPath):
		return c.docs.provider, ref[len(providerPath):]
	default:
		return nil, nil
	}
}

// follow walks down from n along constant names. It returns how far it came and
// what is left.
func follow(n *node, path ast.Ref) (*node, ast.Ref) {
	for len(path) > 0 {
		name, ok := path[0].Value.(ast.String)
		if !ok || n.members[string(name)] == nil {
			break
		}
		n, path = n.members[string(name)], path[1:]
	}
	return n, path
}

// reaches checks that a reference ends at a leaf, or at an element of a list.
func (c *checker) reaches(root *node, ref, within ast.Ref, at *ast.Location) {
	n, rest := follow(root, within)
	switch {
	case n.kind == object && len(rest) == 0:
		c.fault(at, "Refer to one value inside it: "+strings.Join(n.names(), ", "), "%v is an object used as a value", ref)
	case n.kind == object:
		c.unreached(n, ref, rest[0], at)
	case n.kind == array && len(rest) == 1 && kindOf(rest[0]) == text:
		c.fault(at, "Write "+ref[:len(ref)-1].String()+"[_], or x in it", "%v looks for a name in a list", ref)
	case n.kind == array && len(rest) == 1:
	case len(rest) > 0:
		c.fault(at, "Stop at the value", "%v goes on after a %s", ref, n.kind)
	}
}

// unreached reports a reference that leaves what is declared below n.
func (c *checker) unreached(n *node, ref ast.Ref, next *ast.Term, at *ast.Location) {
	if name, constant := next.Value.(ast.String); constant {
		c.fault(at, strictyaml.Suggest(string(name), n.names()), "%v does not exist: nothing here is named %q", ref, string(name))
		return
	}
	c.fault(at, "Write the name out", "%v is reached by a computed name", ref)
}

// rule checks that a reference into data names a rule.
func (c *checker) rule(ref ast.Ref, at *ast.Location) {
	if ref.HasPrefix(invariantPackage) && !c.judge {
		c.fault(at, "Say it in a rule of package "+rulePackage, "a rule depends on an invariant, which judges rules")
		return
	}
	n, length := c.ruleAt(ref)
	if partial(n, ref, length) {
		c.lookedUpByName(n, ref[length:], at)
		return
	}
	if len(n.Values) == 0 {
		c.fault(at, strictyaml.Suggest(nameAt(ref, length), childNames(n)), "%v names no rule and no known data", ref)
		return
	}
	if length < len(ref) {
		c.lookup(n, ref[length], at)
	}
}

// ruleAt follows a reference to the first rule on its way. It returns where it
// ended and how many terms it took.
func (c *checker) ruleAt(ref ast.Ref) (*ast.TreeNode, int) {
	n := c.rules
	for i, t := range ref {
		below := n.Child(t.Value)
		if below == nil {
			return n, i
		}
		if n = below; len(n.Values) > 0 {
			return n, i + 1
		}
	}
	return n, len(ref)
}

// partial tells whether a reference ends at an object that rules add members to, and
// reads it whole or by a computed name. A package has rules below it, too, and is no
// such object.
func partial(n *ast.TreeNode, ref ast.Ref, length int) bool {
	if len(n.Values) > 0 || length < len(ref) && kindOf(ref[length]) != "" {
		return false
	}
	below := false
	n.DepthFirst(func(n *ast.TreeNode) bool {
		for _, rule := range n.Values {
			below = len(rule.Module.Package.Path) < length
		}
		return below
	})
	return below
}

// lookedUpByName checks a leaf that is looked up among the members that rules add.
func (c *checker) lookedUpByName(n *ast.TreeNode, names ast.Ref, at *ast.Location) {
	if len(names) == 0 || c.leaf(names[0]) == nil {
		return
	}
	for _, name := range childNames(n) {
		c.possible(c.leaf(names[0]), c.resolve(names[0]), ast.StringTerm(name), at)
	}
}

// nameAt is the i-th term of a reference, if it is a name.
func nameAt(ref ast.Ref, i int) string {
	if i < len(ref) {
		if name, ok := ref[i].Value.(ast.String); ok {
			return string(name)
		}
	}
	return ""
}

func childNames(n *ast.TreeNode) []string {
	var names []string
	for key := range n.Children {
		if name, ok := key.(ast.String); ok {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}
