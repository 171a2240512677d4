package rules_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"doorward/internal/fault"
	"doorward/internal/policy/rules"
)

// loadInvariant loads a rule file and a file of invariants.
func loadInvariant(t *testing.T, rule, invariant string) (*rules.Program, error) {
	t.Helper()
	return rules.Load(shippedCatalogue(t), rules.File{Path: "inputs.yaml", Data: read(t, "inputs.yaml")}, []rules.File{
		{Path: "rules/a.rego", Data: []byte(rule)}, {Path: "invariants/a.rego", Data: []byte(invariant)},
	}, switches())
}

// An invariant that would never be checked, or that rules lean on, is refused.
func TestLoadRefusesInvariants(t *testing.T) {
	const pkg = "package doorward.invariants\n\n"
	for name, c := range map[string]struct{ invariant, says string }{
		"in another package":      {"package doorward # HERE\n", "outside package doorward.invariants"},
		"in a package below":      {"package doorward.invariants.more # HERE\n", "outside package doorward.invariants"},
		"in a package of tests":   {"package doorward.invariants_test # HERE\n", "outside package doorward.invariants"},
		"that is no set":          {pkg + "violated := {\"a\"} # HERE\n", "not a set of names"},
		"without a constant name": {pkg + "violated contains name if { # HERE\n\tsome name in [\"a\"]\n}\n", "constant name"},
		"whose name is no word":   {pkg + "violated contains \"No way\" # HERE\n", "not a word"},
		"stated twice":            {pkg + "violated contains \"a\" if input.session.mfa == true\n\nviolated contains \"a\" if input.session.mfa == false # HERE\n", "stated in"},
		"about what there is not": {pkg + "violated contains \"a\" if input.subject.knd == \"owner\" # HERE\n", "nothing here is named"},
		"that never fires":        {pkg + "violated contains \"a\" if input.subject.kind == \"ownr\" # HERE\n", "is never"},
		"about another answer":    {pkg + "violated contains \"a\" if data.doorward.decision.allow with input.session.mfa as true # HERE\n", "for tests only"},
		"that reads a clock":      {pkg + "violated contains \"a\" if time.now_ns() > 5 # HERE\n", "not available"},
		"that is a guardrail":     {pkg + "guardrail contains \"a\" if input.session.mfa == true # HERE\n", "never apply"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadInvariant(t, sound, c.invariant)
			// Of two rules of one name either may be met first.
			if name == "stated twice" {
				if err == nil || !strings.Contains(err.Error(), `invariant "a" is stated in invariants/a.rego too`) {
					t.Error(err)
				}
				return
			}
			wantFault(t, err, "invariants/a.rego", c.invariant, c.says)
		})
	}
	for name, rule := range map[string]string{
		"a rule that asks": sound + "x if \"a\" in data.doorward.invariants.violated # HERE\n",
		"a rule of theirs": "package doorward.invariants # HERE\n\nviolated contains \"b\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadInvariant(t, rule, pkg+"violated contains \"a\" if input.session.mfa == true\n")
			wantFault(t, err, "rules/a.rego", rule, "")
		})
	}
}

// always allows whatever is asked.
const always = `package doorward

decision := {"allow": true, "reason": "", "obligations": []}

`

// Actions that rules cannot tell apart are tried once, so whatever rules do with their
// names must keep apart those that they can.
func TestOneActionStandsOnlyForItsLike(t *testing.T) {
	for _, condition := range []string{
		`input.action.name == "domain.renew"`,
		`"domain.renew" == input.action.name`,
		`input.action.name in {"domain.renew", "no.such"}`,
		`startswith(input.action.name, "domain.ren")`,
		`endswith(input.action.name, "n.renew")`,
		`contains(input.action.name, "in.ren")`,
		`name := input.action.name; name == "domain.renew"`,
		`upper(input.action.name) == "DOMAIN.RENEW"`,
		`regex.match("^domain.renew$", input.action.name)`,
		`input.action.name in one_of`,
		`same(input.action.name)`,
		`[input.action.name] == ["domain.renew"]`,
		`{"domain.renew"}[input.action.name]`,
		`startswith("domain.renewed", input.action.name)`,
		`not input.action.name != "domain.renew"`,
	} {
		invariant := "package doorward.invariants\n\nviolated contains \"a\" if { " + condition + " }\n\none_of contains x if some x in [\"domain.renew\"]\n\nsame(x) if x == \"domain.renew\"\n"
		invariant = strings.Replace(invariant, "\"no.such\"", "\"domain.list\"", 1)
		p, err := loadInvariant(t, always, invariant)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		checked, err := p.CheckInvariants(t.Context(), rules.Singly)
		if err != nil || len(checked.Violations) != 1 || !strings.HasPrefix(checked.Violations[0].Facts, "domain.") {
			t.Errorf("%s: %+v, %v", condition, checked.Violations, err)
		}
	}
}

// The smallest input is the one reported, as JSON too, at the invariant's line.
func TestTheSmallestInputIsReported(t *testing.T) {
	p, err := loadInvariant(t, always, "package doorward.invariants\n\nviolated contains \"a\" if {\n\tinput.account.status == \"closed\"\n\tinput.action.category == \"tickets\"\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	checked, err := p.CheckInvariants(t.Context(), rules.Singly)
	if err != nil || len(checked.Violations) != 1 {
		t.Fatalf("%+v, %v", checked, err)
	}
	v := checked.Violations[0]
	if v.Invariant != "a" || v.Answer != "allow" || v.At.File != "invariants/a.rego" || v.At.Line != 3 ||
		!strings.HasSuffix(v.Facts, " with account.status closed") || !strings.Contains(v.Input, `"account":{"mfa_required":false,"status":"closed"}`) {
		t.Errorf("%+v", v)
	}
	faults, _ := errors.AsType[fault.List](checked.Err())
	if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "invariants/a.rego:3:1: a does not hold: the answer is allow to ") {
		t.Error(faults)
	}
}

// Two facts at once are tried in pairs, and not singly.
func TestHowDeepAnInvariantIsChecked(t *testing.T) {
	p, err := loadInvariant(t, always, "package doorward.invariants\n\nviolated contains \"a\" if {\n\tinput.subject.kind == \"member\"\n\tinput.account.status == \"closed\"\n\tinput.session.acting == \"absent\"\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	for depth, want := range map[rules.Depth]int{rules.Singly: 0, rules.InPairs: 1} {
		checked, err := p.CheckInvariants(t.Context(), depth)
		if err != nil || len(checked.Violations) != want {
			t.Errorf("depth %d: %+v, %v", depth, checked, err)
		}
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	p, err := loadInvariant(t, always, "package doorward.invariants\n\nviolated contains \"a\" if input.session.mfa == true\n")
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if checked, err := p.CheckInvariants(ended, rules.InPairs); !errors.Is(err, context.Canceled) || checked.Violations != nil {
		t.Errorf("%+v, %v", checked, err)
	}
}
