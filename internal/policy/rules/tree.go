package rules

import (
	"maps"
	"slices"
	"strings"

	"doorward/internal/policy/catalogue"
)

// documents are what rules can refer to besides each other.
type documents struct {
	input    *node          // input
	provider *node          // data.doorward.provider
	switches map[string]any // its values
}

// A node is one place in a document: an object of further nodes, or a leaf.
type node struct {
	kind    kind
	members map[string]*node // of an object
	domain  []string         // of a string that is one of a few; nil when it may be any
}

// A kind is what stands at a node.
type kind string

const (
	object  kind = "object"
	array   kind = "array"
	text    kind = kind(String)
	number  kind = kind(Number)
	boolean kind = kind(Boolean)
)

func objectOf(members map[string]*node) *node { return &node{kind: object, members: members} }
func oneOf(domain ...string) *node            { return &node{kind: text, domain: domain} }
func flag() *node                             { return &node{kind: boolean} }

// names are the members' names, sorted.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.members)) }

// at returns the node at a path of names, making objects on the way.
func (n *node) at(path []string) *node {
	for _, name := range path {
		if n.members[name] == nil {
			n.members[name] = objectOf(map[string]*node{})
		}
		n = n.members[name]
	}
	return n
}

// The values of the input's enumerated strings.
var (
	effects      = []string{"read", "write"}
	subjectTypes = []string{"user", "contact", "unknown"}
	kinds        = []string{"owner", "member", "stranger", "contact"}
	userStatuses = []string{"active", "disabled", "unknown"}
	grantStates  = []string{"active", "none", "pending", "expired", "removed"}
	scopes       = []string{"yes", "no", "listed", "whole_account"}
	mailings     = []string{"chosen", "declined", "by_default", "no"}
	accStatuses  = []string{"active", "suspended", "closed", "unknown", "none"}
	actings      = []string{"same", "other", "absent"}
	actors       = []string{"nobody", "staff", "expired", "other"}
	members      = []string{"nobody", "self", "owner", "manager", "covered", "exceeding", "stranger"}
)

// inputTree is the shape of the document that rules see as input.
func inputTree(cat *catalogue.Catalogue, schema *Schema) *node {
	has := map[string]*node{}
	for _, leaf := range schema.Has {
		has[leaf.Category] = flag()
	}
	request := objectOf(map[string]*node{})
	for _, leaf := range schema.Request {
		*request.at(leaf.Path) = node{kind: kind(leaf.Type)}
	}
	return objectOf(map[string]*node{
		"action": objectOf(map[string]*node{
			"name": oneOf(actionNames(cat)...), "category": oneOf(categoryNames(cat)...),
			"effect": oneOf(effects...), "sensitive": flag(),
		}),
		"subject": objectOf(map[string]*node{
			"type": oneOf(subjectTypes...), "kind": oneOf(kinds...), "status": oneOf(userStatuses...),
			"staff_may": flag(),
		}),
		"grant": objectOf(map[string]*node{
			"state": oneOf(grantStates...), "holds": flag(), "in_scope": oneOf(scopes...),
			"subscribed": oneOf(mailings...), "has": objectOf(has),
		}),
		"account": objectOf(map[string]*node{
			"status": oneOf(accStatuses...), "mfa_required": flag(),
		}),
		"session": objectOf(map[string]*node{
			"mfa": flag(), "mfa_fresh": flag(), "acting": oneOf(actings...), "actor": oneOf(actors...),
		}),
		"resource": objectOf(map[string]*node{"own": flag(), "member": oneOf(members...)}),
		"request":  request,
	})
}

func actionNames(cat *catalogue.Catalogue) []string {
	var names []string
	for _, action := range cat.Actions() {
		names = append(names, action.Name)
	}
	return names
}

// categoryNames are the values of input.action.category: the categories, and
// the classes of action that no category guards. A catalogue without entity actions
// does not have theirs, so that a rule about them is refused.
func categoryNames(cat *catalogue.Catalogue) []string {
	names := []string{"self", "staff", "mail"}
	if slices.ContainsFunc(cat.Actions(), func(a *catalogue.Action) bool { return a.Class == catalogue.Entity }) {
		names = append(names, string(catalogue.Entity))
	}
	for _, category := range cat.Categories {
		names = append(names, category.Name)
	}
	return names
}

// switchTree is the shape of the provider's switches.
func switchTree(s Switches) *node {
	tree := dataTree(s.Values)
	for name, domain := range s.Domains {
		if leaf := tree.find(strings.Split(name, ".")); leaf != nil {
			leaf.domain = domain
		}
	}
	return tree
}

// find returns the node at a path of names, or nil.
func (n *node) find(path []string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = n.members[name]
	}
	return n
}

// dataTree is the shape of known data.
func dataTree(value any) *node {
	switch value := value.(type) {
	case map[string]any:
		members := map[string]*node{}
		for name, member := range value {
			members[name] = dataTree(member)
		}
		return objectOf(members)
	case string:
		return &node{kind: text}
	case bool:
		return flag()
	case []any, []string:
		return &node{kind: array}
	default:
		return &node{kind: number}
	}
}

// jsonSchema is n as a JSON schema, for OPA's type checker.
func (n *node) jsonSchema() any {
	if n.kind != object {
		return map[string]any{"type": string(n.kind)}
	}
	properties, required := map[string]any{}, []any{}
	for _, name := range n.names() {
		properties[name] = n.members[name].jsonSchema()
		required = append(required, name)
	}
	return map[string]any{
		"type": "object", "properties": properties, "required": required, "additionalProperties": false,
	}
}
