package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"doorward/internal/strictyaml"
)

// Load reads catalogue.yaml. Its error is a fault.List with every fault of the
// file; file is how they name it.
func Load(file string, data []byte) (*Catalogue, error) {
	f, root := strictyaml.Read(file, data)
	if root == nil {
		return nil, f.Faults.Err()
	}
	r := &reader{File: f, catalogue: &Catalogue{File: file}}
	sections := r.required(root, "the catalogue", []string{"categories", "mails", "actions"}, nil)
	if n := sections["categories"]; n != nil {
		r.categories(n)
	}
	if n := sections["mails"]; n != nil {
		r.mails(n)
	}
	r.limit(root)
	if len(r.Faults) == 0 {
		r.catalogue.index()
	}
	var actions []*Action
	if n := sections["actions"]; n != nil {
		actions = r.actions(n)
	}
	r.refuseNoCategories(sections["categories"], actions)
	if err := r.Faults.Err(); err != nil {
		return nil, err
	}
	r.catalogue.addActions(append(actions, r.catalogue.mailActions()...))
	return r.catalogue, nil
}

// A reader turns the file's nodes into a catalogue.
type reader struct {
	*strictyaml.File
	catalogue *Catalogue
	known     []string              // the names of all categories, faulty ones too
	implies   map[string]*yaml.Node // by category, for the places of faults
}

// Names of categories and mails are one word, because rules and presets spell
// them inside dotted paths and behind a colon. Actions are dotted words.
var (
	word   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	dotted = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	typ    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
)

// ValidType tells whether s can be a type of the policy's own subjects and resources.
func ValidType(s string) bool { return typ.MatchString(s) }

// maxAction is the longest name of an action, in bytes.
const maxAction = 128

// reserved are not names of categories: an action without a guard has its class
// in Action.Category.
var reserved = []string{string(Self), string(Staff), string(Receive), string(Entity)}

func (r *reader) categories(n *yaml.Node) {
	fields := r.Fields(n, "categories")
	for _, field := range fields {
		r.known = append(r.known, field.Key.Value)
	}
	r.implies = make(map[string]*yaml.Node)
	for _, field := range fields {
		r.name(field.Key, "a category", word)
		if slices.Contains(reserved, field.Key.Value) {
			r.Fault(field.Key, "Choose another name.", "a category cannot be called %q: actions without a guard are", field.Key.Value)
		}
		r.catalogue.Categories = append(r.catalogue.Categories, r.category(field))
	}
	r.refuseCycles()
	r.refuseUndelegable()
}

// refuseNoCategories records that there are none, unless there is nothing that they
// could be for: entity actions are guarded by rules alone.
func (r *reader) refuseNoCategories(n *yaml.Node, actions []*Action) {
	forEntities := len(actions) > 0 && !slices.ContainsFunc(actions, func(a *Action) bool { return a.Class != Entity })
	if n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 0 && !forEntities {
		r.Fault(n, "Copy the shipped catalogue.", "categories is empty")
	}
}

func (r *reader) category(field strictyaml.Field) Category {
	name, n := field.Key.Value, field.Value
	c := Category{Name: name, Line: field.Key.Line}
	what := "category " + name
	keys := r.required(n, what, []string{"label", "freshness", "delegable"}, []string{"implies", "whmcs"})
	if v := keys["label"]; v != nil {
		c.Label, _ = r.Text(v, "label")
	}
	if v := keys["freshness"]; v != nil {
		freshness, _ := r.OneOf(v, "freshness", string(Strict), string(Bounded))
		c.Freshness = Freshness(freshness)
	}
	if v := keys["delegable"]; v != nil {
		c.Delegable, _ = r.Bool(v, "delegable")
	}
	if v := keys["implies"]; v != nil {
		r.implies[name] = v
		c.Implies = r.categoryList(v, "implies")
	}
	if v := keys["whmcs"]; v != nil {
		items, _ := r.Texts(v, "whmcs")
		c.WHMCS = values(items)
	}
	return c
}

// categoryList returns the names of categories listed at n.
func (r *reader) categoryList(n *yaml.Node, what string) []string {
	items, _ := r.Texts(n, what)
	for _, item := range items {
		r.isCategory(item)
	}
	return values(items)
}

func (r *reader) isCategory(n *yaml.Node) {
	if !slices.Contains(r.known, n.Value) {
		r.Fault(n, strictyaml.Suggest(n.Value, r.known), "no category is called %q", n.Value)
	}
}

// refuseCycles records each category that implies itself, directly or not.
func (r *reader) refuseCycles() {
	for _, c := range r.catalogue.Categories {
		if path := r.pathBack(c.Name, []string{c.Name}, map[string]bool{}); path != nil {
			r.Fault(r.implies[c.Name], "Leave out one of the implications.", "%s implies itself: %s", c.Name, strings.Join(path, " implies "))
		}
	}
}

// pathBack finds a way from the end of path to the category named start.
func (r *reader) pathBack(start string, path []string, visited map[string]bool) []string {
	for _, next := range r.impliedBy(path[len(path)-1]) {
		if next == start {
			return append(slices.Clone(path), next)
		}
		if visited[next] {
			continue
		}
		visited[next] = true
		if found := r.pathBack(start, append(slices.Clone(path), next), visited); found != nil {
			return found
		}
	}
	return nil
}

func (r *reader) impliedBy(name string) []string {
	i := slices.IndexFunc(r.catalogue.Categories, func(c Category) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return r.catalogue.Categories[i].Implies
}

// refuseUndelegable records categories that may be given to others but bring one
// along that may not.
func (r *reader) refuseUndelegable() {
	for _, c := range r.catalogue.Categories {
		if !c.Delegable {
			continue
		}
		for _, other := range r.catalogue.Categories {
			if !other.Delegable && slices.Contains(c.Implies, other.Name) {
				r.Fault(r.implies[c.Name], "Make both delegable, or neither.", "%s is delegable but implies %s, which is not", c.Name, other.Name)
			}
		}
	}
}

func (r *reader) mails(n *yaml.Node) {
	for _, field := range r.Fields(n, "mails") {
		r.name(field.Key, "a mail category", word)
		m := Mail{Name: field.Key.Value, Line: field.Key.Line}
		keys := r.required(field.Value, "mail category "+m.Name, []string{"label"}, []string{"guard", "by_role", "whmcs"})
		if v := keys["label"]; v != nil {
			m.Label, _ = r.Text(v, "label")
		}
		if v := keys["guard"]; v != nil {
			var ok bool
			if m.Guard, ok = r.Text(v, "guard"); ok {
				r.isCategory(v)
			}
		}
		if v := keys["by_role"]; v != nil {
			m.ByRole, _ = r.Bool(v, "by_role")
		}
		if v := keys["whmcs"]; v != nil {
			m.WHMCS, _ = r.Text(v, "whmcs")
		}
		r.catalogue.Mails = append(r.catalogue.Mails, m)
	}
}

func (r *reader) limit(root *yaml.Node) {
	if n := len(r.catalogue.Categories) + len(r.catalogue.Mails); n > MaxObjects {
		r.Fault(root, "Join some of them.", "%d categories and mail categories are more than %d", n, MaxObjects)
	}
}

func (r *reader) name(key *yaml.Node, what string, pattern *regexp.Regexp) {
	if !pattern.MatchString(key.Value) || len(key.Value) > maxAction {
		fix := "Use small letters, digits and _, beginning with a letter."
		if pattern == dotted {
			fix = "Use small letters, digits and _ in words joined by dots, as in invoice.pay."
		}
		r.Fault(key, fix, "%q cannot be the name of %s", key.Value, what)
	}
}

// required returns the values of the mapping n by key and records the required
// keys that are not there.
func (r *reader) required(n *yaml.Node, what string, required, optional []string) map[string]*yaml.Node {
	keys := r.Known(n, what, slices.Concat(required, optional)...)
	for _, key := range required {
		if _, ok := keys[key]; !ok && n.Kind == yaml.MappingNode {
			r.Fault(n, fmt.Sprintf("Write %s out: nothing is assumed.", key), "%s has no %s", what, key)
		}
	}
	return keys
}

func values(nodes []*yaml.Node) []string {
	var list []string
	for _, n := range nodes {
		list = append(list, n.Value)
	}
	return list
}
