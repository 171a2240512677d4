package entities_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/entities"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

const actions = `categories: {}
mails: {}
actions:
  read: {entity: record, effect: read, scope: none}
  write: {entity: record, effect: write, scope: none}
  post: {entity: page, effect: write, scope: none}
`

const inputs = `has: []
request:
  - {path: subject.properties.role, type: string, absent: "", for: [write]}
  - {path: subject.properties.team.lead, type: boolean, absent: false, for: [post], stored: true}
  - {path: resource.properties.status, type: string, absent: "", for: [write]}
  - {path: resource.properties.size, type: number, absent: 0, for: [post]}
  - {path: context.ip, type: string, absent: "", for: ["*"]}
`

// sound is a file without fault; the cases below change a part of it.
const sound = `subjects:
  user:
    bob: {role: admin}
    alice: {}
    "7": {team: {lead: true}}
  robot:
    r2: {}
resources:
  record:
    b: {status: archived}
    a: {status: ""}
  page:
    home: {size: 1.50}
`

func policy(t testing.TB) (*catalogue.Catalogue, *rules.Schema) {
	t.Helper()
	cat, err := catalogue.Load("catalogue.yaml", []byte(actions))
	if err != nil {
		t.Fatal(err)
	}
	p, err := rules.Load(cat, rules.File{Path: "inputs.yaml", Data: []byte(inputs)}, []rules.File{{
		Path: "rules/a.rego", Data: []byte("package doorward\n\ndecision := {\"allow\": false, \"reason\": \"bad_input\", \"obligations\": []}\n"),
	}}, rules.Switches{})
	if err != nil {
		t.Fatal(err)
	}
	return cat, p.Schema()
}

func TestSoundEntities(t *testing.T) {
	cat, schema := policy(t)
	table, err := entities.Load(cat, schema, "entities.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"users", table.Subjects("user"), []string{"7", "alice", "bob"}},
		{"robots", table.Subjects("robot"), []string{"r2"}},
		{"records", table.Resources("record"), []string{"a", "b"}},
		{"records that ask", table.Subjects("record"), nil},
		{"users that are asked about", table.Resources("user"), nil},
		{"spaceships", table.Subjects("spaceship"), nil},
		{"types by case", table.Subjects("User"), nil}, // S14
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
	subject := func(typ, id string) ([]rules.Value, bool) { return table.Subject(portal.Ref{Type: typ, ID: id}) }
	resource := func(typ, id string) ([]rules.Value, bool) { return table.Resource(portal.Ref{Type: typ, ID: id}) }
	for _, c := range []struct {
		of      func(typ, id string) ([]rules.Value, bool)
		typ, id string
		at      int
		want    rules.Value
		ok      bool
	}{
		{subject, "user", "bob", 0, rules.Value{Type: rules.String, Text: "admin"}, true},
		{subject, "user", "bob", 1, rules.Value{}, true},
		{subject, "user", "alice", 0, rules.Value{}, true},
		{subject, "user", "7", 1, rules.Value{Type: rules.Boolean, Text: "true"}, true},
		{subject, "robot", "bob", 0, rules.Value{}, false},
		{resource, "record", "b", 2, rules.Value{Type: rules.String, Text: "archived"}, true},
		{resource, "record", "a", 2, rules.Value{Type: rules.String}, true},
		{resource, "page", "home", 3, rules.Value{Type: rules.Number, Text: "1.50"}, true},
		{resource, "user", "bob", 0, rules.Value{}, false},
	} {
		got, ok := c.of(c.typ, c.id)
		if ok != c.ok || ok && (len(got) != len(schema.Request) || got[c.at] != c.want) {
			t.Errorf("%s:%s: got %v, %v", c.typ, c.id, got, ok)
		}
	}
}

// A policy without the file has no entities, and nobody has to look whether it has.
func TestNoTableIsEmpty(t *testing.T) {
	var none *entities.Table
	if _, ok := none.Subject(portal.Ref{Type: "user", ID: "bob"}); ok || none.Subjects("user") != nil {
		t.Error("nobody is a subject")
	}
	if _, ok := none.Resource(portal.Ref{Type: "record", ID: "a"}); ok || none.Resources("record") != nil {
		t.Error("nothing is a resource")
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	cat, schema := policy(t)
	edited := func(old, replacement string) string {
		if strings.Count(sound, old) != 1 {
			t.Fatalf("%q is not once in the file", old)
		}
		return strings.Replace(sound, old, replacement, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":                  {"", "entities.yaml: is empty. Restore it, or copy the shipped one."},
		"a list":                 {"- a\n", "entities.yaml:1:1: the file must be a mapping, as in key: value, not a list"},
		"unknown section":        {edited("subjects:", "subject:"), `entities.yaml:1:1: the file has no key "subject". Did you mean "subjects"?`},
		"no resources":           {"subjects: {}\n", "entities.yaml:1:1: the file has no resources. Write resources: {} for none."},
		"a bad type":             {edited("robot:", "ro bot:"), `entities.yaml:6:3: "ro bot" cannot be a type. Use letters`},
		"a type nobody acts on":  {edited("page:", "pages:"), `entities.yaml:12:3: no action is done to a pages. Did you mean "page"?`},
		"a bad id":               {edited("r2:", "r/2:"), `entities.yaml:7:5: "r/2" cannot be an id. Use 1 to 128`},
		"an id twice":            {edited("alice:", "bob:"), `entities.yaml:4:5: "bob" is there twice; the first is in line 3. Keep one of them.`},
		"a type twice":           {edited("robot:", "user:"), `entities.yaml:6:3: "user" is there twice; the first is in line 2.`},
		"nothing for an entity":  {edited("alice: {}", "alice:"), "entities.yaml:4:11: user:alice must be a mapping, as in key: value, not empty"},
		"a list of types":        {edited("  robot:\n    r2: {}", "  robot: [r2]"), "entities.yaml:6:10: subjects of type robot must be a mapping, as in key: value, not a list"},
		"what no rule may read":  {edited("{role: admin}", "{rolle: admin}"), "entities.yaml:3:11: no rule may read subject.properties.rolle of a user. Declare it in inputs.yaml, or remove it."},
		"another action's":       {edited("b: {status: archived}", "b: {size: 1}"), "entities.yaml:10:9: no rule may read resource.properties.size of a record."},
		"a subject's":            {edited("b: {status: archived}", "b: {role: x}"), "entities.yaml:10:9: no rule may read resource.properties.role of a record."},
		"a text for what is in":  {edited("{team: {lead: true}}", "{team: lead}"), `entities.yaml:5:17: subject.properties.team must be a mapping, as in key: value, not "lead"`},
		"below a value":          {edited("{role: admin}", "{role: {admin: true}}"), "entities.yaml:3:17: subject.properties.role must be a string, as inputs.yaml declares, not a mapping"},
		"a list of values":       {edited("{role: admin}", "{role: [admin]}"), "subject.properties.role must be a string, as inputs.yaml declares, not a list"},
		"another type":           {edited("{role: admin}", "{role: 7}"), `subject.properties.role must be a string, as inputs.yaml declares, not "7"`},
		"no boolean of JSON":     {edited("lead: true", "lead: True"), `subject.properties.team.lead must be a boolean, as inputs.yaml declares, not "True"`},
		"a number out of bounds": {edited("1.50", "1e999"), `resource.properties.size must be a number, as inputs.yaml declares, not "1e999"`},
		"null":                   {edited("{role: admin}", "{role: null}"), "subject.properties.role must be a string, as inputs.yaml declares, not empty"},
		"a long text":            {edited("{role: admin}", "{role: "+strings.Repeat("x", 257)+"}"), "entities.yaml:3:17: subject.properties.role has more than 256 bytes"},
		"an alias":               {edited("{role: admin}", "&b {role: admin}"), "entities.yaml:3:10: an anchor (&b) is not allowed"},
		"too many": {func() string {
			var b strings.Builder
			for i := range entities.MaxEntities {
				fmt.Fprintf(&b, "    u%d: {}\n", i)
			}
			return edited("  robot:\n", b.String()+"  robot:\n")
		}(), "entities.yaml:1:1: 10007 subjects and resources are more than 10000."},
		"too large": {strings.Repeat("#", 1<<20) + "\n" + sound, "entities.yaml: is larger than 1 MiB"}, // S22
	} {
		t.Run(name, func(t *testing.T) {
			table, err := entities.Load(cat, schema, "entities.yaml", []byte(c.text))
			var faults fault.List
			if table != nil || !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v\nwant %s", table, err, c.want)
			}
		})
	}
}

// Where inputs.yaml cannot be read, the faults of names are told all the same, and no
// table is made.
func TestWithoutASchema(t *testing.T) {
	cat, _ := policy(t)
	if table, err := entities.Load(cat, nil, "entities.yaml", []byte(sound)); table != nil || err != nil {
		t.Errorf("got %v, %v", table, err)
	}
	_, err := entities.Load(cat, nil, "entities.yaml", []byte(strings.Replace(sound, "r2:", "r/2:", 1)))
	if err == nil || !strings.Contains(err.Error(), `"r/2" cannot be an id`) {
		t.Errorf("got %v", err)
	}
}

// Where no action is about entities, nobody could ever ask about one.
func TestEntitiesNobodyAsksAbout(t *testing.T) {
	cat, err := catalogue.Load("catalogue.yaml", []byte("categories: {a: {label: A, freshness: strict, delegable: true}}\nmails: {}\nactions: {a.do: {guards: [a], effect: read, scope: none}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = entities.Load(cat, &rules.Schema{}, "entities.yaml", []byte(sound))
	if err == nil || !strings.Contains(err.Error(), "entities.yaml:2:3: no action is about entities") {
		t.Errorf("got %v", err)
	}
}

// Whatever the file holds, it is read or refused, and what was read fits the schema.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		sound, "", "subjects: {}\nresources: {}\n", "subjects: {user: {bob: {role: *x}}}\nresources: []\n", "subjects: {user: {bob: {team: {lead: true, lead: false}}}}\nresources: {record: {a: {status: 1}}}\n",
		"subjects: {user: {? [a] : {}}}\nresources: {}\n", "\xef\xbb\xbf", "subjects: &a {b: *a}\n", "{{{",
	} {
		f.Add([]byte(text))
	}
	cat, schema := policy(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := entities.Load(cat, schema, "entities.yaml", data)
		if (table == nil) == (err == nil) {
			t.Fatalf("got %v and %v", table, err)
		}
		for _, typ := range []string{"user", "robot"} {
			ids := table.Subjects(typ)
			if !slices.IsSorted(ids) {
				t.Errorf("%v is not in order", ids)
			}
			for _, id := range ids {
				stored, ok := table.Subject(portal.Ref{Type: typ, ID: id})
				if !ok || len(stored) != len(schema.Request) || stored[2] != (rules.Value{}) {
					t.Errorf("%s: %v, %v", id, stored, ok)
				}
				for i, v := range stored {
					if v != (rules.Value{}) && v.Type != schema.Request[i].Type {
						t.Errorf("%s: %v", id, v)
					}
				}
			}
		}
	})
}
