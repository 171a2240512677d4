package rules_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// records is a domain of its own: nothing of a portal is in it.
const records = `categories: {}
mails: {}
actions:
  read: {entity: record, effect: read, scope: none}
  write: {entity: record, effect: write, scope: none}
`

// recordInputs declares what a question may say, and what only the policy says.
const recordInputs = `has: []
request:
  - {path: subject.properties.role, type: string, absent: "", for: ["*"], samples: [admin], stored: true}
  - {path: resource.properties.status, type: string, absent: "", for: [write], samples: [active, archived]}
`

const recordRules = `package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": []}

reason := "" if {
	input.action.name == "read"
} else := "" if {
	input.request.subject.properties.role == "admin"
	input.request.resource.properties.status == "active"
} else := "category_missing"
`

func loadRecords(t *testing.T, inputs string, modules ...string) (*rules.Program, error) {
	t.Helper()
	cat, err := catalogue.Load("catalogue.yaml", []byte(records))
	if err != nil {
		t.Fatal(err)
	}
	files := []rules.File{{Path: "rules/a.rego", Data: []byte(recordRules)}}
	for i, text := range modules {
		files = append(files, rules.File{Path: "invariants/" + string(rune('a'+i)) + ".rego", Data: []byte("package doorward.invariants\n" + text)})
	}
	return rules.Load(cat, rules.File{Path: "inputs.yaml", Data: []byte(inputs)}, files, rules.Switches{})
}

// Of questions about entities there is nothing to try but what is declared, the login
// and the subject's type: an account, a place in it and a right of staff are nobody's.
func TestEntityInputsAreTried(t *testing.T) {
	p, err := loadRecords(t, recordInputs, `
violated contains "who_reads_has_no_account" if input.account.status != "none"
violated contains "nobody_is_a_member" if input.grant.state != "none"
violated contains "nobody_is_staff" if input.subject.staff_may == true
violated contains "only_admins_write" if {
	input.action.name == "write"
	data.doorward.decision.allow == true
	input.request.subject.properties.role != "admin"
}
`)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := p.CheckInvariants(t.Context(), rules.InPairs)
	if err != nil || checked.Err() != nil || checked.Inputs < 6 {
		t.Errorf("%d inputs, %v, %v", checked.Inputs, err, checked.Err())
	}
	in := p.Possible
	entity := rules.EntityInput(rules.ActionFacts{Name: "write", Category: "entity", Effect: "write"}, "contact", false, true, nil,
		[]rules.Value{{Type: rules.String, Text: "root"}, {Type: rules.String, Text: "archived"}})
	if !in(&entity) {
		t.Error("what a question amounts to is not possible")
	}
	for name, change := range map[string]func(*rules.Input){
		"a member":     func(in *rules.Input) { in.Subject.Kind, in.Grant.State = "member", "active" },
		"staff":        func(in *rules.Input) { in.Subject.StaffMay = true },
		"an account":   func(in *rules.Input) { in.Account.Status = "active" },
		"an actor":     func(in *rules.Input) { in.Session.Actor = "staff" },
		"one's own":    func(in *rules.Input) { in.Resource.Own = true },
		"not declared": func(in *rules.Input) { in.Action.Name, in.Action.Effect = "read", "read" },
	} {
		changed := entity
		change(&changed)
		if in(&changed) {
			t.Errorf("%s is possible", name)
		}
	}
}

// An invariant that entity actions break is found with what is declared.
func TestEntityInvariantsAreHeld(t *testing.T) {
	p, err := loadRecords(t, recordInputs, `
violated contains "nobody_writes_at_all" if {
	input.action.name == "write"
	data.doorward.decision.allow == true
}
`)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := p.CheckInvariants(t.Context(), rules.Singly)
	if err != nil || len(checked.Violations) != 1 || !strings.Contains(checked.Violations[0].Facts, "request.subject.properties.role admin") {
		t.Errorf("%v, %+v", err, checked.Violations)
	}
}

// Rules that only declared parts let fire are reached by made-up inputs.
func TestExploreReachesEntityRules(t *testing.T) {
	p, err := loadRecords(t, recordInputs)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalogue.Load("catalogue.yaml", []byte(records))
	if err != nil {
		t.Fatal(err)
	}
	noted := &rules.Coverage{}
	unreached := func() []rules.Part {
		return slices.DeleteFunc(p.Parts(), func(part rules.Part) bool { return part.Kind == rules.Expression || noted.Reached(part) })
	}
	p.Covering(noted).Explore(context.Background(), cat, unreached)
	if left := unreached(); len(left) > 0 {
		t.Errorf("%+v", left)
	}
}

// The portal has no such actions, so its rules see exactly what they saw: a rule that
// asks for them is refused.
func TestThePortalHasNoEntities(t *testing.T) {
	for _, leaf := range rules.Leaves(shippedCatalogue(t), &rules.Schema{}) {
		if leaf.Path == "input.action.category" && slices.Contains(leaf.Domain, "entity") {
			t.Error("the portal's rules can meet entity actions")
		}
	}
	err := loadRules(t, sound+"x if input.action.category == \"entity\"\n", "")
	if want := `input.action.category is never "entity"`; !strings.Contains(errorText(err), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What counts as stored only must be something that is stored.
func TestStoredInputsAreReadStrictly(t *testing.T) {
	stored := func(path, is string) string {
		return "has: []\nrequest:\n  - path: " + path + "\n    type: string\n    absent: ''\n    for: [write]\n    stored: " + is + "\n"
	}
	cat, err := catalogue.Load("catalogue.yaml", []byte(records))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ inputs, want string }{
		"a subject's":   {stored("subject.properties.role", "true"), ""},
		"a resource's":  {stored("resource.properties.role", "true"), ""},
		"an action's":   {stored("action.properties.soft", "true"), "inputs.yaml:7:13: nothing is stored of action.properties.soft. Remove it."},
		"the context's": {stored("context.role", "true"), "inputs.yaml:7:13: nothing is stored of context.role. Remove it."},
		"not stored":    {stored("context.role", "false"), ""},
		"no boolean":    {stored("subject.properties.role", "yes"), `inputs.yaml:7:13: stored must be true or false, not "yes"`},
	} {
		p, err := rules.Load(cat, rules.File{Path: "inputs.yaml", Data: []byte(c.inputs)}, []rules.File{{Path: "rules/a.rego", Data: []byte(sound)}}, switches())
		if got := errorText(err); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if err == nil && p.Schema().Request[0].Stored != (name != "not stored") {
			t.Errorf("%s: %+v", name, p.Schema().Request[0])
		}
	}
	_, err = loadInputs(t, strings.Replace(stored("subject.properties.vip", "true"), "write", "invoice.pay", 1))
	if want := "inputs.yaml:6:10: invoice.pay is no entity action, and nothing is stored for it. Name entity actions only."; errorText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
