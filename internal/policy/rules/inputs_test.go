package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/fault"
	"doorward/internal/policy/rules"
)

func loadInputs(t testing.TB, inputs string) (*rules.Program, error) {
	t.Helper()
	return rules.Load(shippedCatalogue(t), rules.File{Path: "inputs.yaml", Data: []byte(inputs)},
		[]rules.File{{Path: "rules/a.rego", Data: []byte(sound)}}, switches())
}

func TestInputsDeclareLeaves(t *testing.T) {
	p, err := loadInputs(t, `
has:
  - category: orders
    for: [service.cancel, "ticket.*"]
request:
  - path: resource.properties.department
    type: string
    absent: ""
    for: ["ticket.*"]
    samples: [billing, ""]
  - path: context.amount
    type: number
    absent: 0.0
    for: [invoice.pay]
    samples: [1, 1.0, 1e0]
  - path: subject.properties.vip
    type: boolean
    absent: false
    for: [invoice.pay]
`)
	if err != nil {
		t.Fatal(err)
	}
	cat := shippedCatalogue(t)
	schema := p.Schema()
	has := schema.Has[0]
	if bit, _ := cat.Bit("orders"); has.Category != "orders" || has.Bit != bit {
		t.Errorf("has %+v", has)
	}
	for action, want := range map[string]bool{"service.cancel": true, "ticket.cc.update": true, "service.cancel.withdraw": false, "invoice.pay": false} {
		if has.For(action) != want {
			t.Errorf("has orders for %s: got %v", action, !want)
		}
	}
	department, amount, vip := schema.Request[0], schema.Request[1], schema.Request[2]
	if got := strings.Join(department.Path, "."); got != "resource.properties.department" || !department.For("ticket.open") || department.For("invoice.pay") {
		t.Errorf("department %+v", department)
	}
	// S12: literals are kept.
	want := []rules.Value{{Type: rules.Number, Text: "1"}, {Type: rules.Number, Text: "1.0"}, {Type: rules.Number, Text: "1e0"}}
	if d := cmp.Diff(want, amount.Samples); d != "" {
		t.Error(d)
	}
	if amount.Absent != (rules.Value{Type: rules.Number, Text: "0.0"}) || vip.Absent != (rules.Value{Type: rules.Boolean, Text: "false"}) ||
		department.Absent != (rules.Value{Type: rules.String}) {
		t.Errorf("absent %v %v %v", amount.Absent, vip.Absent, department.Absent)
	}
}

func TestInputsAreReadStrictly(t *testing.T) {
	request := func(lines string) string { return "has: []\nrequest:\n" + lines + "\n" }
	for _, c := range []struct{ name, text, says string }{
		{"not YAML", "has: [}\n # HERE", ""},
		{"not a mapping", "- has # HERE\n", "must be a mapping"},
		{"unknown section", "has: []\nrequest: []\nrequests: [] # HERE\n", `Did you mean "request"?`},
		{"section missing", "has: [] # HERE\n", "no request"},
		{"repeated section", "has: []\nrequest: []\nhas: [] # HERE\n", "twice"},
		{"section no list", "has: {} # HERE\nrequest: []\n", "must be a list"},
		{"unknown key", "has:\n  - category: orders\n    form: [invoice.pay] # HERE\n    for: [invoice.pay]\nrequest: []\n", `Did you mean "for"?`},
		{"category missing", "has:\n  - for: [invoice.pay] # HERE\nrequest: []\n", "no category"},
		{"unknown category", "has:\n  - category: order # HERE\n    for: [invoice.pay]\nrequest: []\n", `Did you mean "orders"?`},
		{"mail category", "has:\n  - category: \"mail:invoice\" # HERE\n    for: [invoice.pay]\nrequest: []\n", "unknown category"},
		{"category twice", "has:\n  - category: orders\n    for: [invoice.pay]\n  - category: orders # HERE\n    for: [invoice.view]\nrequest: []\n", "twice"},
		{"no actions", "has:\n  - category: orders\n    for: [] # HERE\nrequest: []\n", "no actions"},
		{"unknown action", "has:\n  - category: orders\n    for: [invoice.pya] # HERE\nrequest: []\n", `Did you mean "invoice.pay"?`},
		{"pattern of nothing", "has:\n  - category: orders\n    for: [\"invoices.*\"] # HERE\nrequest: []\n", "no action matches"},
		{"pattern with a class", "has:\n  - category: orders\n    for: [\"[a-z]*\"] # HERE\nrequest: []\n", "not a pattern"},
		{"needless pattern", "has:\n  - category: orders\n    for: [\"invoice.*\", invoice.pay] # HERE\nrequest: []\n", "adds no action"},
		{"unknown root", request("  - path: resource.id # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "not a part"},
		{"a whole root", request("  - path: resource.properties # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "not a part"},
		{"acting account", request("  - path: context.account # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "input.session.acting"},
		{"login time", request("  - path: context.auth_time # HERE\n    type: number\n    absent: 0\n    for: [invoice.pay]"), "input.session.mfa_fresh"},
		{"login methods", request("  - path: context.amr.first # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "input.session.mfa"},
		{"empty name", request("  - path: context..a # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "not a path"},
		{"strange name", request("  - path: context.a-b # HERE\n    type: string\n    absent: \"\"\n    for: [invoice.pay]"), "not a path"},
		{"path twice", request("  - {path: context.a, type: string, absent: \"\", for: [invoice.pay]}\n  - {path: context.a, type: string, absent: \"\", for: [invoice.view]} # HERE"), "already declared"},
		{"path inside another", request("  - {path: context.a, type: string, absent: \"\", for: [invoice.pay]}\n  - {path: context.a.b, type: string, absent: \"\", for: [invoice.view]} # HERE"), "already declared"},
		{"unknown type", request("  - path: context.a\n    type: text # HERE\n    absent: \"\"\n    for: [invoice.pay]"), "type"},
		{"absent missing", request("  - path: context.a # HERE\n    type: string\n    for: [invoice.pay]"), "no absent"},
		{"absent null", request("  - path: context.a\n    type: string\n    absent: null # HERE\n    for: [invoice.pay]"), "not a string"},
		{"absent of another type", request("  - path: context.a\n    type: boolean\n    absent: \"no\" # HERE\n    for: [invoice.pay]"), "not a boolean"},
		{"number that is not JSON", request("  - path: context.a\n    type: number\n    absent: 0x10 # HERE\n    for: [invoice.pay]"), "not a number"},
		{"infinity", request("  - path: context.a\n    type: number\n    absent: .inf # HERE\n    for: [invoice.pay]"), "not a number"},
		{"a number that OPA panics on", request("  - path: context.a\n    type: number\n    absent: 1e999999999 # HERE\n    for: [invoice.pay]"), "not a number"},
		{"sample of another type", request("  - path: context.a\n    type: number\n    absent: 0\n    for: [invoice.pay]\n    samples: [a] # HERE"), "not a number"},
		{"sample that is a list", request("  - path: context.a\n    type: string\n    absent: \"\"\n    for: [invoice.pay]\n    samples: [[a]] # HERE"), "not a string"},
		{"alias", "has: &a []\nrequest: *a # HERE\n", "alias"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadInputs(t, c.text)
			var list fault.List
			if !errors.As(err, &list) {
				t.Fatalf("got %v, want a fault.List", err)
			}
			line := lineOf(t, c.text)
			for _, f := range list {
				if f.File == "inputs.yaml" && (f.Line == line || c.name == "not YAML") && strings.Contains(f.Error(), c.says) {
					return
				}
			}
			t.Errorf("no fault in line %d says %q; got\n%v", line, c.says, err)
		})
	}
	if _, err := loadInputs(t, ""); err == nil {
		t.Error("an empty file was accepted")
	}
}

func FuzzInputs(f *testing.F) {
	f.Add("has: []\nrequest: []\n")
	f.Add(string(read(f, "inputs.yaml")))
	f.Add("has:\n- {category: orders, for: [\"*\"]}\nrequest:\n- {path: context.a, type: number, absent: 1e9, for: [\"*\"]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := loadInputs(t, text)
		var list fault.List
		if err != nil && !errors.As(err, &list) {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil && p.Schema() == nil {
			t.Fatalf("%q: no schema", text)
		}
	})
}
