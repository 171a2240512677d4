package rules

import (
	"strings"

	"doorward/internal/policy/catalogue"
)

// A Leaf is one value that rules can read in the input.
type Leaf struct {
	Path   string   // as rules write it: input.subject.kind
	Type   Type     // string, number or boolean
	Domain []string // what a string can be; nil when it may be any. Do not modify.
}

// Leaves lists the input's leaves by path, for whoever enumerates inputs: the tree
// of it is the one by which rules are checked.
func Leaves(cat *catalogue.Catalogue, schema *Schema) []Leaf {
	return leavesBelow(inputTree(cat, schema), []string{"input"})
}

func leavesBelow(n *node, path []string) []Leaf {
	if n.kind != object {
		return []Leaf{{Path: strings.Join(path, "."), Type: Type(n.kind), Domain: n.domain}}
	}
	var leaves []Leaf
	for _, name := range n.names() {
		leaves = append(leaves, leavesBelow(n.members[name], append(path[:len(path):len(path)], name))...)
	}
	return leaves
}
