package rules_test

import (
	"errors"
	"strings"
	"testing"

	"doorward/internal/fault"
	"doorward/internal/policy/rules"
)

// sound is a policy that decides, for others to spoil.
const sound = `package doorward

decision := {"allow": false, "reason": "bad_input", "obligations": []}

`

// loadRules loads one rule file, and one test file when it is not empty.
func loadRules(t *testing.T, rule, test string) error {
	t.Helper()
	modules := []rules.File{{Path: "rules/a.rego", Data: []byte(rule)}}
	if test != "" {
		modules = append(modules, rules.File{Path: "rules/a_test.rego", Data: []byte(test)})
	}
	inputs := rules.File{Path: "inputs.yaml", Data: read(t, "inputs.yaml")}
	_, err := rules.Load(shippedCatalogue(t), inputs, modules, switches())
	return err
}

// lineOf returns the line of text that is marked HERE, from 1.
func lineOf(t *testing.T, text string) int {
	t.Helper()
	before, _, found := strings.Cut(text, "# HERE")
	if !found {
		t.Fatalf("no line is marked:\n%s", text)
	}
	return strings.Count(before, "\n") + 1
}

// wantFault checks that err has a fault at the line marked in text that says so,
// and tells what to do.
func wantFault(t *testing.T, err error, file, text, says string) {
	t.Helper()
	var list fault.List
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want a fault.List", err)
	}
	line := lineOf(t, text)
	for _, f := range list {
		if f.File == file && f.Line == line && strings.Contains(f.Error(), says) {
			if f.Fix == "" || f.Column == 0 {
				t.Errorf("%v: fix %q, column %d", f, f.Fix, f.Column)
			}
			return
		}
	}
	t.Errorf("no fault in line %d says %q; got\n%v", line, says, err)
}

func TestLoadAcceptsWhatIsSound(t *testing.T) {
	rule := sound + `
import data.doorward.provider

guardrail contains "quiet" if {
	kind := input.subject.kind
	kind in {"owner", "member"}
	input["grant"]["state"] == "active"
	[input.subject.type, input.account.status] == ["user", "active"]
	input.action.category in provider.suspended.writes
	provider.suspended.writes[0] == "invoices"
	not input.session.mfa_fresh
	startswith(input.action.name, "invoice.")
	calm[input.subject.status]
	twice(input.action.name) == "x"
	twice(input.subject.kind) == "y"
	"owner" in [input.subject.kind, "member"]
	"quiet" in guardrail_names
	"other" in some_names
	{"owner": {"a": 1}}[input.subject.kind].a == 1
	provider.suspended.writes[_] == "invoices"
	same("owner", input.subject.kind)
	same(input.grant.state, input.account.status)
	time.parse_rfc3339_ns(input.request.resource.properties.department) > 0
	some name, word in by_name
	[name, word] == ["a", input.subject.kind]
	every _, word in by_name { word != "stranger" }
	count(by_kind) > 0
	by_kind[input.subject.kind] == 1
}

by_name["a"] := "owner"

by_name["b"] := "member" if input.session.mfa

by_kind["owner"] := 1 if input.session.mfa

calm := {"active", "disabled"}

twice(s) := concat("", [s, s])

same(a, b) if a == b

same(a, _) if a == "owner"

guardrail_names contains "quiet"

some_names contains name if some name in ["a", "b"]
`
	rule = strings.Replace(rule, sound, "package doorward\n", 1) + sound[len("package doorward\n"):]
	test := `package doorward_test

import data.doorward

test_quiet if {
	doorward.decision.reason == "bad_input" with input.subject.kind as "owner"
		with data.doorward.provider as {"closed": {"access": "read"}}
}
`
	if err := loadRules(t, rule, test); err != nil {
		t.Error(err)
	}
}

// Each way around "a rule sees only declared leaves" that design section 4 names.
func TestLoadRefusesReadingPastTheInput(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"unknown member", `x if input.subject.kindd == "owner" # HERE`, `Did you mean "kind"?`},
		{"unknown part", `x if input.sujbect.kind == "owner" # HERE`, `Did you mean "subject"?`},
		{"undeclared request path", `x if input.request.resource.properties.departement == "billing" # HERE`, `Did you mean "department"?`},
		{"undeclared category", `x if input.grant.has.quotes # HERE`, "does not exist"},
		{"longer reference", `x if input.subject.kind.name == "owner" # HERE`, "goes on after a string"},
		{"index into a leaf", `x if input.subject.kind[0] == "o" # HERE`, "goes on after a string"},
		{"computed name", "x if {\n\tsome part in [\"kind\"]\n\tinput.subject[part] == \"owner\" # HERE\n}", "computed name"},
		{"variable name", `x if input[_].kind == "owner" # HERE`, "computed name"},
		{"name from the input", `x if input.subject[input.subject.kind] # HERE`, "computed name"},
		{"object assigned", "x if {\n\ts := input.subject # HERE\n\ts.kind == \"owner\"\n}", "object used as a value"},
		{"object compared", `x if input.subject == {"kind": "owner"} # HERE`, "object used as a value"},
		{"object as condition", `x if input.subject # HERE`, "object used as a value"},
		{"object as argument", `x if count(input.subject) > 1 # HERE`, "object used as a value"},
		{"object in a collection", `x if "a" in {input.subject} # HERE`, "object used as a value"},
		{"object in a head", `x := input.subject # HERE`, "object used as a value"},
		{"iteration", "x if {\n\tsome v in input.subject # HERE\n\tv == \"owner\"\n}", "computed name"},
		{"every", "x if {\n\tevery v in input.subject { v != \"owner\" } # HERE\n}", "object used as a value"},
		{"walk", "x if {\n\twalk(input, [_, v]) # HERE\n\tv == \"owner\"\n}", "used as a value"},
		{"object.get", `x if object.get(input, "subject", {}) == {} # HERE`, "used as a value"},
		{"object.get below", `x if object.get(input.subject, "kind", "") == "" # HERE`, "object used as a value"},
		{"comprehension", `x if count([v | v := input.grant[_]]) > 1 # HERE`, "computed name"},
		{"comprehension of the whole", `x if count({k | some k, _ in input}) > 1 # HERE`, "computed name"},
		{"input itself", "x if {\n\ti := input # HERE\n\ti.subject.kind == \"owner\"\n}", "used as a value"},
		{"import of a wrong part", "import input.subjects as s\n\nx if s.kind == \"owner\" # HERE", "does not exist"},
		{"import, then object", "import input.subject as s\n\nx if count(s) > 0 # HERE", "object used as a value"},
		{"in an else", "x := 1 if {\n\tinput.session.mfa\n} else := 2 if {\n\tinput.session.mfaa # HERE\n}", "does not exist"},
		{"in a function", `f(x) := input.subjects[x] # HERE`, "does not exist"},
		{"in a string", `x := $"{input.subject}" # HERE`, "object used as a value"},
		{"in a head's name", `p[input.subject] := 1 # HERE`, "object used as a value"},
		{"in a set's head", `p contains input.subject # HERE`, "object used as a value"},
		{"every with a key", "x if {\n\tevery k, v in input { k != v } # HERE\n}", "used as a value"},
		{"import of everything", "import input as i\n\nx if i.subject # HERE", "object used as a value"},
		{"as an argument of a rule", "f(x) := x\n\ny := f(input.subject) # HERE", "object used as a value"},
		{"in brackets", `x if {"a": 1}[input.subjects.kind] # HERE`, "does not exist"},
		{"at the head of a reference", `x if object.get([input][0], "subjects", 1) == 1 # HERE`, "object used as a value"},
		{"part at the head of a reference", `x if {"i": input.subject}.i.kind == "owner" # HERE`, "object used as a value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := withImports(c.rule)
			wantFault(t, loadRules(t, rule, ""), "rules/a.rego", rule, c.says)
		})
	}
}

// withImports puts rule behind the sound policy; imports must come first.
func withImports(rule string) string {
	if strings.HasPrefix(rule, "import") {
		imports, rest, _ := strings.Cut(rule, "\n")
		return "package doorward\n\n" + imports + "\n" + sound[len("package doorward\n"):] + rest + "\n"
	}
	return sound + rule + "\n"
}

func TestLoadRefusesUnknownData(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"no such rule", `x if data.doorward.desicion.allow # HERE`, `Did you mean "decision"?`},
		{"no such switch", `x if data.doorward.provider.closed.acess == "read" # HERE`, `Did you mean "access"?`},
		{"no such data", `x if data.users[_] == "7" # HERE`, "names no rule and no known data"},
		{"all data", `x if count(data) > 1 # HERE`, "names no rule"},
		{"a whole package", `x if count(data.doorward) > 1 # HERE`, "names no rule"},
		{"a computed rule", `x if data.doorward[input.subject.kind] # HERE`, "names no rule"},
		{"no such member", "o[\"a\"] := 1 if input.session.mfa\n\nx if o.b == 1 # HERE", `Did you mean "a"?`},
		{"all switches", `x if count(data.doorward.provider) > 1 # HERE`, "object used as a value"},
		{"a group of switches", `x := data.doorward.provider.closed # HERE`, "object used as a value"},
		{"computed switch", `x if data.doorward.provider[input.subject.kind] # HERE`, "computed name"},
		{"past a switch", `x if data.doorward.provider.closed.access.read # HERE`, "goes on after a string"},
		{"past a list", `x if data.doorward.provider.suspended.writes[0].x # HERE`, "goes on after a array"},
		{"a rule that hides a switch", `provider.closed.access := "read" # HERE`, "hides the provider's switches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := sound + c.rule + "\n"
			wantFault(t, loadRules(t, rule, ""), "rules/a.rego", rule, c.says)
		})
	}
}

// A misspelt value makes a guard that silently never fires.
func TestLoadRefusesImpossibleComparisons(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"equal", `x if input.account.status == "suspendd" # HERE`, `Did you mean "suspended"?`},
		{"equal, other way", `x if "suspendd" == input.account.status # HERE`, `Did you mean "suspended"?`},
		{"unified", `x if input.account.status = "suspendd" # HERE`, `Did you mean "suspended"?`},
		{"a switch", `x if data.doorward.provider.closed.access == "raed" # HERE`, `Did you mean "read"?`},
		{"not equal", `x if input.subject.kind != "onwer" # HERE`, `Did you mean "owner"?`},
		{"action", `x if input.action.name == "invoice.pya" # HERE`, `Did you mean "invoice.pay"?`},
		{"category", `x if input.action.category == "invoice" # HERE`, `Did you mean "invoices"?`},
		{"in a set", `x if input.action.name in {"invoice.view", "invoice.pya"} # HERE`, `never "invoice.pya"`},
		{"in an array", `x if input.grant.state in ["active", "actve"] # HERE`, `never "actve"`},
		{"in an object", `x if input.grant.state in {"a": "actve"} # HERE`, `never "actve"`},
		{"in a rule's set", "names := {\"invoice.pya\"}\n\nx if input.action.name in names # HERE", `never "invoice.pya"`},
		{"looked up in a set", "names := {\"invoice.pya\"}\n\nx if names[input.action.name] # HERE", `never "invoice.pya"`},
		{"looked up in an object", "names := {\"activ\": 1}\n\nx := names[input.grant.state] # HERE", `never "activ"`},
		{"by a local", "x if {\n\tstatus := input.account.status\n\tstatus == \"suspendd\" # HERE\n}", `never "suspendd"`},
		{"by a rule", "status := input.account.status\n\nx if status == \"suspendd\" # HERE", `never "suspendd"`},
		{"in arrays", `x if [input.subject.kind, input.grant.state] == ["owner", "activ"] # HERE`, `never "activ"`},
		{"as a value", `x := input.account.status == "suspendd" # HERE`, `never "suspendd"`},
		{"negated", `x if not input.account.status == "suspendd" # HERE`, `never "suspendd"`},
		{"in a comprehension", `x if count([1 | input.account.status == "suspendd"]) == 0 # HERE`, `never "suspendd"`},
		{"begins", `x if startswith(input.action.name, "invioce.") # HERE`, "begins with"},
		{"ends", `x if endswith(input.action.name, ".pya") # HERE`, "ends with"},
		{"contains", `x if contains(input.action.name, "ownreship") # HERE`, "contains"},
		{"looked up in a set on the spot", `x if {"onwer"}[input.subject.kind] # HERE`, `never "onwer"`},
		{"looked up in an object on the spot", `x if {"onwer": true}[input.subject.kind] # HERE`, `never "onwer"`},
		{"looked up in a local", "x if {\n\tm := {\"onwer\"}\n\tm[input.subject.kind] # HERE\n}", `never "onwer"`},
		{"constant in a list", `x if "onwer" in [input.subject.kind] # HERE`, `never "onwer"`},
		{"by several locals", "x if {\n\t[k, _] := [input.subject.kind, 1]\n\tk == \"onwer\" # HERE\n}", `never "onwer"`},
		{"by a function", "f(k) if k == \"onwer\" # HERE\n\nx if f(input.subject.kind)", `never "onwer"`},
		{"by a function, elsewhere", "f(k) := 1 if {\n\tk == \"owner\"\n} else := 2 if {\n\tk == \"onwer\" # HERE\n}\n\nx := f(input.subject.kind)", `never "onwer"`},
		{"as a parameter", "f(\"onwer\") := true # HERE\n\nx if f(input.subject.kind)", `never "onwer"`},
		{"added to a set, looked up", "s contains \"onwer\"\n\nx if s[input.subject.kind] # HERE", `never "onwer"`},
		{"added to a set, in", "s contains \"onwer\"\n\nx if input.subject.kind in s # HERE", `never "onwer"`},
		{"added to an object, looked up", "o[\"onwer\"] := 1 if input.session.mfa\n\nx if o[input.subject.kind] == 1 # HERE", `never "onwer"`},
		{"misspelt guardrail", "guardrail contains \"no_pay\" if input.session.mfa\n\nx if guardrail.nopay # HERE", `Did you mean "no_pay"?`},
		{"misspelt guardrail in", "guardrail contains \"no_pay\" if input.session.mfa\n\nx if \"nopay\" in guardrail # HERE", `Did you mean "no_pay"?`},
		{"name in a list", `x if data.doorward.provider.suspended.writes.invoices # HERE`, "a name in a list"},
		{"another type", `x if input.session.mfa == "true" # HERE`, "is a boolean"},
		{"not another type", `x if input.session.mfa != "true" # HERE`, "is a boolean"},
		{"null", `x if input.subject.kind != null # HERE`, "is a string"},
		{"a switch of another type", `x if data.doorward.provider.billing.pay != "yes" # HERE`, "is a boolean"},
		{"a text as a condition", `x if input.grant.state # HERE`, "always holds"},
		{"a text negated", `x if not input.grant.state # HERE`, "always holds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := sound + c.rule + "\n"
			wantFault(t, loadRules(t, rule, ""), "rules/a.rego", rule, c.says)
		})
	}
}

// S20: nothing impure can be compiled, nor anything replaced.
func TestLoadRefusesTheImpure(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"network", `x := http.send({"method": "get", "url": "http://localhost"}) # HERE`, "not available"},
		{"network, replaced", `x if http.send({}) == 1 with http.send as 1 # HERE`, ""},
		{"clock", `x := time.now_ns() # HERE`, "not available"},
		{"zone of the machine", `x := time.clock([0, "Local"]) # HERE`, "time zones of the machine"},
		{"zone database", `x := time.weekday([0, "Europe/Berlin"]) # HERE`, "time zones of the machine"},
		{"zone abbreviation", `x := time.parse_ns("MST", "CET") # HERE`, "time zones of the machine"},
		{"random", `x := rand.intn("a", 5) # HERE`, "not available"},
		{"uuid", `x := uuid.rfc4122("a") # HERE`, "not available"},
		{"names", `x := net.lookup_ip_addr("localhost") # HERE`, "not available"},
		{"environment", `x := opa.runtime() # HERE`, "not available"},
		{"tokens against the clock", `x := io.jwt.decode_verify("a", {}) # HERE`, "not available"},
		{"certificates against the clock", `x := crypto.x509.parse_and_verify_certificates("a") # HERE`, "not available"},
		{"certificates, with options", `x := crypto.x509.parse_and_verify_certificates_with_options("a", {}) # HERE`, "not available"},
		{"schemas", `x := json.match_schema({}, {}) # HERE`, "not available"},
		{"trace", `x if trace("a") # HERE`, "not available"},
		{"print", "x if {\n\tprint(\"a\") # HERE\n}", "not available"},
		{"print, inside", `x := internal.print([[1]]) # HERE`, "not available"},
		{"with", `x if decision.allow with input.subject.kind as "owner" # HERE`, "with is for tests only"},
		{"with a switch", `x if decision.allow with data.doorward.provider.billing.pay as true # HERE`, "with is for tests only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := sound + c.rule + "\n"
			wantFault(t, loadRules(t, rule, ""), "rules/a.rego", rule, c.says)
		})
	}
}

// A test of an input that cannot be proves nothing.
func TestLoadRefusesImpossibleTests(t *testing.T) {
	for _, c := range []struct{ name, with, says string }{
		{"unknown leaf", `input.subject.kindd as "owner"`, `Did you mean "kind"?`},
		{"unknown value", `input.subject.kind as "onwer"`, `Did you mean "owner"?`},
		{"another type", `input.session.mfa as "yes"`, "is a boolean"},
		{"object for a leaf", `input.subject.kind as {"a": 1}`, "is a string"},
		{"leaf for an object", `input.subject as "owner"`, "cannot be checked"},
		{"lacking members", `input.session as {"mfa": true, "acting": "same", "actor": "nobody"}`, "lacks mfa_fresh"},
		{"lacking everything", `input as {}`, "lacks account, action, grant, request, resource, session, subject"},
		{"unknown member", `input.resource as {"own": true, "id": "7"}`, "no member"},
		{"wrong member", `input.account as {"status": "suspendd", "mfa_required": false}`, `Did you mean "suspended"?`},
		{"computed", `input.resource as object.union({"own": true}, {})`, "cannot be checked"},
		{"computed name", `input[x] as true`, ""},
		{"unknown switch", `data.doorward.provider.biling.pay as true`, `Did you mean "billing"?`},
		{"switch of another type", `data.doorward.provider.billing.pay as "on"`, "is a boolean"},
		{"unknown switch in a group", `data.doorward.provider as {"billing": {"pays": true}}`, "no member"},
		{"unknown data", `data.users as {}`, "names no rule"},
		{"a built-in", `count as 3`, "replaces the built-in"},
		{"an impure built-in", `http.send as 3`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			test := "package doorward_test\n\nimport data.doorward\n\ntest_x if {\n\tdoorward.decision.allow with " + c.with + " # HERE\n}\n"
			wantFault(t, loadRules(t, sound, test), "rules/a_test.rego", test, c.says)
		})
	}
	t.Run("by way of a rule", func(t *testing.T) {
		test := "package doorward_test\n\nimport data.doorward\n\nbase := {\"own\": 1} # HERE\n\ntest_x if {\n\tdoorward.decision.allow with input.resource as base\n}\n"
		wantFault(t, loadRules(t, sound, test), "rules/a_test.rego", test, "is a boolean")
	})
}

func TestLoadRefusesUnsoundPolicies(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"not Rego", "package doorward\n\ndecision := {] # HERE\n", ""},
		{"old Rego", "package doorward\n\ndecision = x { x := 1 } # HERE\n", "if"},
		{"another package", "package portal # HERE\n\ndecision := 1\n", "outside package doorward"},
		{"a package of tests", "package doorward_test # HERE\n\ndecision := 1\n", "outside package doorward"},
		{"unused variable", sound + "x if {\n\ty := 1 # HERE\n}\n", "y"},
		{"unused import", "package doorward\n\nimport data.doorward.provider # HERE\n" + sound[len("package doorward\n"):], "unused"},
		{"unsafe variable", sound + "x if y == 1 # HERE\n", "unsafe"},
		{"recursion", sound + "x if x # HERE\n", "recursive"},
		{"unknown function", sound + "x := contans(\"a\", \"b\") # HERE\n", "undefined function"},
		{"computed guardrail", sound + "guardrail contains name if { # HERE\n\tsome name in [\"a\"]\n}\n", "constant name"},
		{"guardrail that is no word", sound + "guardrail contains \"No way\" # HERE\n", "not a word"},
		{"guardrail named like a reason", sound + "guardrail contains \"expired\" # HERE\n", "named like a reason"},
		{"guardrail that is no set", sound + "guardrail := {\"a\"} # HERE\n", "not a set of names"},
		{"guardrail as an object", sound + "guardrail.a := true # HERE\n", "not a set of names"},
		{"circle of values", sound + "a := [b] # HERE\n\nb := [a]\n\nx if a == b\n", "recursive"},
		{"circle of arguments", sound + "f(x, y) if { # HERE\n\tx == y\n\tf([x], [y])\n}\n", "recursive"},
		{"guardrail below the package", "package doorward.billing\n\nguardrail contains \"no_pay\" if input.session.mfa # HERE\n", "never apply"},
		{"decision from tests", sound + "x if data.doorward_test.y # HERE\n", "names no rule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			test := "package doorward_test\n\ny := 1\n"
			wantFault(t, loadRules(t, c.rule, test), "rules/a.rego", c.rule, c.says)
		})
	}
	t.Run("tests that would decide", func(t *testing.T) {
		test := "package doorward # HERE\n\nguardrail contains \"no_pay\" if input.session.mfa\n"
		wantFault(t, loadRules(t, sound, test), "rules/a_test.rego", test, "would never decide")
	})
	t.Run("nothing to ask", func(t *testing.T) {
		err := loadRules(t, "package doorward\n\nx := 1\n", "")
		if err == nil || !strings.Contains(err.Error(), "no rule is named decision") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("everything at once", func(t *testing.T) {
		err := loadRules(t, sound+"x if input.a\n\ny if input.b\n\nz if contans(\"a\", \"b\")\n", "")
		var list fault.List
		if !errors.As(err, &list) || len(list) != 3 {
			t.Errorf("want three faults, got\n%v", err)
		}
	})
}
