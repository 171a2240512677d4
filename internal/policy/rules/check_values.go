package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/strictyaml"
)

// maxAliases bounds how many names for one thing are followed.
const maxAliases = 8

// localsOf maps the local variables that := declares to what they stand for.
// Their names are unique among all rules at this stage of compiling.
func localsOf(modules map[string]*ast.Module) map[ast.Var]*ast.Term {
	locals := map[ast.Var]*ast.Term{}
	for _, module := range modules {
		ast.WalkExprs(module, func(e *ast.Expr) bool {
			if !e.IsAssignment() && !e.IsEquality() || len(e.Operands()) != 2 {
				return false
			}
			standFor(locals, e.Operand(0), e.Operand(1))
			return false
		})
	}
	return locals
}

// standFor notes what the variables in pattern stand for: [a, b] := [1, 2].
func standFor(locals map[ast.Var]*ast.Term, pattern, value *ast.Term) {
	switch p := pattern.Value.(type) {
	case ast.Var:
		if p.IsGenerated() && locals[p] == nil {
			locals[p] = value
		}
	case *ast.Array:
		if v, ok := value.Value.(*ast.Array); ok && v.Len() == p.Len() {
			for i := range p.Len() {
				standFor(locals, p.Elem(i), v.Elem(i))
			}
		}
	}
}

// resolve returns what a term stands for: it follows local variables, and rules
// that have one value.
func (c *checker) resolve(t *ast.Term) *ast.Term {
	for range maxAliases {
		next := c.alias(t)
		if next == nil {
			break
		}
		t = next
	}
	return t
}

func (c *checker) alias(t *ast.Term) *ast.Term {
	switch v := t.Value.(type) {
	case ast.Var:
		return c.locals[v]
	case ast.Ref:
		n := c.rules.Find(v)
		if n == nil || len(n.Values) != 1 {
			return nil
		}
		rule := n.Values[0]
		if rule.Head.RuleKind() != ast.SingleValue || rule.Else != nil || len(rule.Head.Args) > 0 {
			return nil
		}
		return rule.Head.Value
	}
	return nil
}

// leaf returns the declared value that a term stands for, or nil.
func (c *checker) leaf(t *ast.Term) *node {
	ref, ok := c.resolve(t).Value.(ast.Ref)
	if !ok {
		return nil
	}
	root, within := c.document(ref)
	if root == nil {
		return nil
	}
	n, rest := follow(root, within)
	if n.kind == object || len(rest) > 0 {
		return nil
	}
	return n
}

// comparison refuses a comparison that can never hold, or never fail, because a
// value is not among those that are possible.
func (c *checker) comparison(operator string, operands []*ast.Term, at *ast.Location) {
	if len(operands) < 2 {
		return
	}
	switch operator {
	case "eq", "equal", "neq":
		c.compare(operands[0], operands[1], at)
	case "internal.member_2":
		c.member(operands[0], operands[1], at)
	case "startswith":
		c.affix(operands[0], operands[1], strings.HasPrefix, "begins with", at)
	case "endswith":
		c.affix(operands[0], operands[1], strings.HasSuffix, "ends with", at)
	case "contains":
		c.affix(operands[0], operands[1], strings.Contains, "contains", at)
	}
}

func (c *checker) compare(a, b *ast.Term, at *ast.Location) {
	a, b = c.resolve(a), c.resolve(b)
	// Lists can hold each other by name: OPA refuses that only after this.
	if c.compared[[2]*ast.Term{a, b}] {
		return
	}
	c.compared[[2]*ast.Term{a, b}] = true
	if list, ok := a.Value.(*ast.Array); ok {
		if other, ok := b.Value.(*ast.Array); ok && other.Len() == list.Len() {
			for i := range list.Len() {
				c.compare(list.Elem(i), other.Elem(i), at)
			}
		}
		return
	}
	if leaf := c.leaf(a); leaf != nil {
		c.possible(leaf, a, b, at)
	}
	if leaf := c.leaf(b); leaf != nil {
		c.possible(leaf, b, a, at)
	}
}

// member checks an element against everything in a collection.
func (c *checker) member(element, collection *ast.Term, at *ast.Location) {
	if ref, ok := collection.Value.(ast.Ref); ok {
		if n := c.rules.Find(ref); n != nil && added(n) != nil {
			c.isAdded(added(n), element, at)
			return
		}
	}
	each := func(t *ast.Term) { c.compare(element, t, at) }
	switch v := c.resolve(collection).Value.(type) {
	case *ast.Array:
		v.Foreach(each)
	case ast.Set:
		v.Foreach(each)
	case ast.Object:
		v.Foreach(func(_, value *ast.Term) { each(value) })
	}
}

// lookup checks a leaf that is looked up in a rule's constant set or object, and
// a constant that is looked up in a set of constants that rules add to.
func (c *checker) lookup(rule *ast.TreeNode, key *ast.Term, at *ast.Location) {
	if names := added(rule); names != nil {
		c.isAdded(names, key, at)
	} else if len(rule.Values) == 1 && rule.Values[0].Head.Value != nil {
		c.lookedUp(rule.Values[0].Head.Value.Value, key, at)
	}
}

// bare is a constant as people write it, without quotes.
func bare(t *ast.Term) string {
	if s, ok := t.Value.(ast.String); ok {
		return string(s)
	}
	return t.String()
}

// lookedUp checks a leaf against the names in a set or an object.
func (c *checker) lookedUp(collection ast.Value, key *ast.Term, at *ast.Location) {
	leaf := c.leaf(key)
	if leaf == nil {
		return
	}
	each := func(t *ast.Term) { c.possible(leaf, c.resolve(key), c.resolve(t), at) }
	switch v := collection.(type) {
	case ast.Set:
		v.Foreach(each)
	case ast.Object:
		v.Foreach(func(name, _ *ast.Term) { each(name) })
	}
}

// added are the constants that the rules of a set add to it; nil when the node
// is no set, or when not all that is added is constant.
func added(rule *ast.TreeNode) []*ast.Term {
	var names []*ast.Term
	for _, r := range rule.Values {
		if r.Head.RuleKind() != ast.MultiValue || len(r.Head.Args) > 0 || kindOf(r.Head.Key) == "" {
			return nil
		}
		names = append(names, r.Head.Key)
	}
	return names
}

// isAdded refuses a constant that no rule adds to a set, such as a misspelt
// guardrail, and a leaf that can never be what one adds.
func (c *checker) isAdded(names []*ast.Term, key *ast.Term, at *ast.Location) {
	key = c.resolve(key)
	if leaf := c.leaf(key); leaf != nil {
		for _, name := range names {
			c.possible(leaf, key, name, at)
		}
		return
	}
	if kindOf(key) == "" || slices.ContainsFunc(names, key.Equal) {
		return
	}
	var known []string
	for _, name := range names {
		known = append(known, bare(name))
	}
	c.fault(at, strictyaml.Suggest(bare(key), known), "no rule adds %v to that set", key)
}

// affix checks a part of an enumerated string.
func (c *checker) affix(whole, part *ast.Term, has func(s, part string) bool, verb string, at *ast.Location) {
	leaf := c.leaf(whole)
	want, constant := c.resolve(part).Value.(ast.String)
	if leaf == nil || leaf.domain == nil || !constant {
		return
	}
	if !slices.ContainsFunc(leaf.domain, func(s string) bool { return has(s, string(want)) }) {
		c.fault(at, "One of: "+strings.Join(leaf.domain, ", "), "no value of %v %s %q", c.resolve(whole), verb, string(want))
	}
}

// possible refuses a constant that a leaf can never be.
func (c *checker) possible(leaf *node, name, constant *ast.Term, at *ast.Location) {
	if message, fix := leaf.refuses(constant); message != "" {
		c.fault(at, fix, "%v %s", name, message)
	}
}

// refuses tells why n can never be a term, and what to do; "" when it can be, or
// when that cannot be known from here.
func (n *node) refuses(t *ast.Term) (message, fix string) {
	kind := kindOf(t)
	switch {
	case kind == "" || n.kind == array && kind == array:
		return "", ""
	case kind != n.kind:
		return fmt.Sprintf("is a %s, and never %v", n.kind, t), fmt.Sprintf("Write a %s", n.kind)
	case kind != text || n.domain == nil:
		return "", ""
	}
	value := string(t.Value.(ast.String))
	if slices.Contains(n.domain, value) {
		return "", ""
	}
	return fmt.Sprintf("is never %q", value), strictyaml.Suggest(value, n.domain)
}

// kindOf is the kind of a constant; "" for everything else.
func kindOf(t *ast.Term) kind {
	switch t.Value.(type) {
	case ast.String:
		return text
	case ast.Number:
		return number
	case ast.Boolean:
		return boolean
	case ast.Null:
		return "null"
	case *ast.Array, ast.Set:
		return array
	case ast.Object:
		return object
	}
	return ""
}
