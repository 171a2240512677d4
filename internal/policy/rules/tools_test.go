package rules_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/policy/rules"
)

// partOf is the one part of the program with that beginning.
func partOf(t *testing.T, p *rules.Program, kind rules.PartKind, file string, line int) rules.Part {
	t.Helper()
	for _, part := range p.Parts() {
		if part.Kind == kind && part.File == file && part.Line == line {
			return part
		}
	}
	t.Fatalf("no %s at %s:%d in %v", kind, file, line, p.Parts())
	return rules.Part{}
}

const toolRules = `package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": []}

reason := "owner_only" if {
	input.action.name == "order.place"
	input.account.mfa_required == true
	input.session.acting in {"absent", "other"}
	not input.session.mfa
} else := "removed" if {
	input.grant.state == "removed"
	input.grant.holds == true
} else := forbidden if {
	forbidden
} else := ""

forbidden := min(guardrail)

guardrail contains "never" if input.subject.kind == data.doorward.provider.contacts.mode

guardrail contains "leaving" if input.action.name == "membership.leave"
`

func toolProgram(t *testing.T) *rules.Program {
	t.Helper()
	inputs := rules.File{Path: "inputs.yaml", Data: []byte("has: []\nrequest: []\n")}
	p, err := rules.Load(shippedCatalogue(t), inputs, []rules.File{{Path: "rules/x.rego", Data: []byte(toolRules)}}, switches())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A coverage tells a branch that gave its value from one that was only tried, and the
// traced program answers what the other does.
func TestTraceTellsWhatFired(t *testing.T) {
	p, coverage := toolProgram(t), &rules.Coverage{}
	cat := shippedCatalogue(t)
	in := question(t, p, cat, "membership.leave")
	plain, err := p.Eval(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	traced, err := p.Covering(coverage).Eval(t.Context(), in)
	if err != nil || traced.Reason != plain.Reason || traced.Reason != "leaving" {
		t.Errorf("got %q and %q, %v", plain.Reason, traced.Reason, err)
	}
	for _, c := range []struct {
		kind rules.PartKind
		line int
		want bool
	}{
		{rules.Rule, 3, true}, {rules.Branch, 5, false}, {rules.Branch, 10, false}, {rules.Branch, 13, true},
		{rules.Branch, 15, false}, {rules.Expression, 12, false}, {rules.Rule, 17, true}, {rules.Rule, 19, false}, {rules.Rule, 21, true},
	} {
		part := partOf(t, p, c.kind, "rules/x.rego", c.line)
		if got := coverage.Reached(part); got != c.want {
			t.Errorf("%s at line %d reached: %v, want %v", c.kind, c.line, got, c.want)
		}
	}
	if part := partOf(t, p, rules.Branch, "rules/x.rego", 5); part.End != 9 || part.Rule != "reason" {
		t.Errorf("got %+v", part)
	}
	if part := partOf(t, p, rules.Rule, "rules/x.rego", 21); part.Name != "leaving" {
		t.Errorf("got %+v", part)
	}
}

func TestReads(t *testing.T) {
	want := []string{
		"data.doorward.provider.contacts.mode", "input.account.mfa_required", "input.action.name", "input.grant.holds", "input.grant.state",
		"input.session.acting", "input.session.mfa", "input.subject.kind",
	}
	if got := toolProgram(t).Reads(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Exploring finds inputs that make rules with several conditions fire, in the same
// order every time, and leaves alone what cannot be: who was removed holds nothing.
func TestExploreMakesRulesFire(t *testing.T) {
	p, cat := toolProgram(t), shippedCatalogue(t)
	explore := func() (int, []string) {
		coverage := &rules.Coverage{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rounds, left := 0, []rules.Part(nil)
		judged := p.Covering(coverage).Explore(ctx, cat, func() []rules.Part {
			left = slices.DeleteFunc(p.Parts(), func(part rules.Part) bool { return part.Kind == rules.Expression || coverage.Reached(part) })
			if rounds++; rounds > 10 {
				return nil
			}
			return left
		})
		var names []string
		for _, part := range left {
			names = append(names, part.Rule+part.Name)
		}
		return judged, names
	}
	judged, left := explore()
	if again, _ := explore(); again != judged || judged == 0 {
		t.Errorf("%d inputs, then %d", judged, again)
	}
	if got := strings.Join(left, " "); got != "reason guardrailnever" {
		t.Errorf("left are %s", got)
	}
}
