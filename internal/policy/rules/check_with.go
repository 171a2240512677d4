package rules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/strictyaml"
)

// with checks a replacement: only tests may replace, and only by what could be.
// A test of an impossible input proves nothing.
func (c *checker) with(w *ast.With) {
	if !c.test {
		c.fault(w.Loc(), "Move it to a file that ends in _test.rego", "with is for tests only")
		return
	}
	target, ok := w.Target.Value.(ast.Ref)
	if !ok || !target[0].Equal(ast.InputRootDocument) && !target[0].Equal(ast.DefaultRootDocument) {
		c.fault(w.Loc(), "Replace parts of input or data.doorward.provider", "with replaces the built-in %v", w.Target)
		return
	}
	root, within := c.document(target)
	if root == nil {
		c.rule(target, w.Loc())
		return
	}
	n, rest := follow(root, within)
	if len(rest) > 0 {
		c.unreached(n, target, rest[0], w.Loc())
		return
	}
	c.fits(n, target.String(), w.Value, w.Loc(), root == c.docs.input)
}

// fits checks that a value could stand at a node called name. Objects must be
// there for all to see, and when complete have every member.
func (c *checker) fits(n *node, name string, value *ast.Term, at *ast.Location, complete bool) {
	value = c.resolve(value)
	if value.Loc() != nil && value.Loc().File != "" {
		at = value.Loc()
	}
	members, isObject := value.Value.(ast.Object)
	_, varies := value.Value.(ast.Var) // over several values, as in every
	switch {
	case varies:
		return
	case n.kind != object:
		if message, fix := n.refuses(value); message != "" {
			c.fault(at, fix, "%s %s", name, message)
		}
		return
	case !isObject:
		c.fault(at, "Write the object out, or in a rule of its own and name that rule", "%s is replaced by something that cannot be checked", name)
		return
	}
	found := map[string]bool{}
	members.Foreach(func(key, value *ast.Term) {
		member, ok := key.Value.(ast.String)
		below := n.members[string(member)]
		if !ok || below == nil {
			c.fault(at, strictyaml.Suggest(string(member), n.names()), "%s has no member %v", name, key)
			return
		}
		found[string(member)] = true
		c.fits(below, name+"."+string(member), value, at, complete)
	})
	if !complete {
		return
	}
	var missing []string
	for _, member := range n.names() {
		if !found[member] {
			missing = append(missing, member)
		}
	}
	if len(missing) > 0 {
		c.fault(at, "Add them: rules never meet an input without", "%s lacks %s", name, strings.Join(missing, ", "))
	}
}
