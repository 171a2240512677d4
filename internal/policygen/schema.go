package policygen

import (
	"fmt"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// A schema is a random inputs.yaml: what it declares, and for which actions.
type schema struct {
	rules.Schema
	hasFor, requestFor []string
}

// paths are the parts of questions that are declared, each of any type.
var paths = []string{
	"resource.properties.department", "context.amount", "context.late", "action.properties.note", "context.from.where",
}

// absents are what rules see of a part that is not there, by type.
var absents = map[rules.Type][]string{
	rules.String:  {"", "none"},
	rules.Number:  {"0", "-1", "1.50"},
	rules.Boolean: {"false", "true"},
}

func drawSchema(t *rapid.T, cat *catalogue.Catalogue) *schema {
	s := new(schema)
	patterns := rapid.SampledFrom([]string{"*", "ticket.*", "*.list", "invoice.*", "mail.*"})
	category := rapid.Map(rapid.SampledFrom(cat.Categories), func(c catalogue.Category) string { return c.Name })
	for _, name := range rapid.SliceOfNDistinct(category, 0, 3, rapid.ID).Draw(t, "has") {
		s.Has = append(s.Has, rules.HasLeaf{Category: name})
		s.hasFor = append(s.hasFor, patterns.Draw(t, "for"))
	}
	for _, path := range rapid.SliceOfNDistinct(rapid.SampledFrom(paths), 0, 3, rapid.ID).Draw(t, "request") {
		typ := rapid.SampledFrom([]rules.Type{rules.String, rules.Number, rules.Boolean}).Draw(t, "type")
		absent := rapid.SampledFrom(absents[typ]).Draw(t, "absent")
		s.Request = append(s.Request, rules.RequestLeaf{
			Path: strings.Split(path, "."), Type: typ, Absent: rules.Value{Type: typ, Text: absent},
		})
		s.requestFor = append(s.requestFor, patterns.Draw(t, "for"))
	}
	return s
}

// yaml is the schema as a file.
func (s *schema) yaml() string {
	var b strings.Builder
	b.WriteString("has:")
	for i, leaf := range s.Has {
		fmt.Fprintf(&b, "\n  - {category: %s, for: [%q]}", leaf.Category, s.hasFor[i])
	}
	b.WriteString(ending(len(s.Has)) + "request:")
	for i, leaf := range s.Request {
		absent := leaf.Absent.Text
		if leaf.Type == rules.String {
			absent = strconv.Quote(absent)
		}
		fmt.Fprintf(&b, "\n  - {path: %s, type: %s, absent: %s, for: [%q]}", strings.Join(leaf.Path, "."), leaf.Type, absent, s.requestFor[i])
	}
	return b.String() + ending(len(s.Request))
}

// ending ends a list of n items.
func ending(n int) string {
	if n == 0 {
		return " []\n"
	}
	return "\n"
}
