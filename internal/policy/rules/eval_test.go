package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// program compiles one rule file over the shipped catalogue and inputs.
func program(t testing.TB, rule string) *rules.Program {
	t.Helper()
	inputs := rules.File{Path: "inputs.yaml", Data: read(t, "inputs.yaml")}
	p, err := rules.Load(shippedCatalogue(t), inputs, []rules.File{{Path: "rules/a.rego", Data: []byte(rule)}}, switches())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEvalAnswers(t *testing.T) {
	p := program(t, `package doorward

decision := {"allow": false, "reason": "no_pay", "obligations": [
	{"z": [true, null, 1.50], "id": "b", "a": "<&>\u00e9"},
	{"id": "a"},
]} if {
	input.action.name == "invoice.pay"
}

decision := {"allow": true, "reason": "", "obligations": []} if {
	input.action.name == "invoice.view"
}

guardrail contains "no_pay" if input.session.mfa
`)
	cat := shippedCatalogue(t)
	out, err := p.Eval(t.Context(), question(t, p, cat, "invoice.pay"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%v %s %s", out.Allow, out.Reason, out.Obligations[0].ID), "false no_pay b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(out.Obligations[0].JSON), `{"a":"<&>é","id":"b","z":[true,null,1.50]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	out, err = p.Eval(t.Context(), question(t, p, cat, "invoice.view"))
	if err != nil || !out.Allow || out.Reason != "" || out.Obligations != nil {
		t.Errorf("got %+v, %v", out, err)
	}
}

// Whatever is not a clean answer is an error, and an error denies.
func TestEvalRefusesWhatIsNoDecision(t *testing.T) {
	for _, c := range []struct{ name, rule, says string }{
		{"undefined", `decision := {"allow": true, "reason": "", "obligations": []} if input.session.mfa`, "decide nothing"},
		{"not an object", `decision := true`, "not an object"},
		{"too little", `decision := {"allow": true, "reason": ""}`, "not an object of"},
		{"too much", `decision := {"allow": true, "reason": "", "obligations": [], "x": 1}`, "not an object of"},
		{"another member", `decision := {"allow": true, "reason": "", "duties": []}`, "obligations"},
		{"allow is text", `decision := {"allow": "true", "reason": "", "obligations": []}`, "allow is not"},
		{"reason is null", `decision := {"allow": true, "reason": null, "obligations": []}`, "reason is not"},
		{"allow with a reason", `decision := {"allow": true, "reason": "expired", "obligations": []}`, "allow is true"},
		{"deny without a reason", `decision := {"allow": false, "reason": "", "obligations": []}`, "allow is false"},
		{"unknown reason", `decision := {"allow": false, "reason": "because", "obligations": []}`, "neither a known reason"},
		{"obligations no array", `decision := {"allow": true, "reason": "", "obligations": {"a"}}`, "not an array"},
		{"obligation no object", `decision := {"allow": true, "reason": "", "obligations": ["audit"]}`, "not an object"},
		{"obligation without id", `decision := {"allow": true, "reason": "", "obligations": [{"max_age": 1}]}`, "no id"},
		{"obligation with empty id", `decision := {"allow": true, "reason": "", "obligations": [{"id": ""}]}`, "no id"},
		{"obligation with numeric id", `decision := {"allow": true, "reason": "", "obligations": [{"id": 1}]}`, "no id"},
		{"two answers", "decision := {\"allow\": true, \"reason\": \"\", \"obligations\": []} if input.grant.holds\n\ndecision := {\"allow\": false, \"reason\": \"expired\", \"obligations\": []} if not input.session.mfa", "conflict"},
		{"a built-in's error", `decision := {"allow": to_number(input.subject.kind) == 1, "reason": "", "obligations": []}`, "to_number"},
		{"a swallowed guard", "decision := {\"allow\": true, \"reason\": \"\", \"obligations\": []} if not refused\n\nrefused if to_number(input.subject.kind) == 1", "to_number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := program(t, "package doorward\n\n"+c.rule+"\n")
			out, err := p.Eval(t.Context(), question(t, p, shippedCatalogue(t), "invoice.pay"))
			var failed *rules.EvalError
			if !errors.As(err, &failed) || failed.Action != "invoice.pay" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got error %v, want an EvalError that says %q", err, c.says)
			}
			if out.Allow || out.Reason != "" || out.Obligations != nil {
				t.Errorf("an outcome beside an error: %+v", out)
			}
		})
	}
}

func TestEvalUndefinedIsTyped(t *testing.T) {
	p := program(t, "package doorward\n\ndecision := 1 if input.session.mfa\n")
	_, err := p.Eval(t.Context(), question(t, p, shippedCatalogue(t), "invoice.pay"))
	if !errors.Is(err, rules.ErrUndefined) {
		t.Errorf("got %v", err)
	}
}

// Facts for which no rule was written reach none.
func TestEvalRefusesImpossibleFacts(t *testing.T) {
	p := program(t, "package doorward\n\ndecision := {\"allow\": true, \"reason\": \"\", \"obligations\": []}\n")
	cat := shippedCatalogue(t)
	for name, change := range map[string]func(*rules.Input){
		"zero":             func(in *rules.Input) { *in = rules.Input{} },
		"action":           func(in *rules.Input) { in.Action.Name = "invoice.pya" },
		"action's effect":  func(in *rules.Input) { in.Action.Effect = "read" },
		"subject":          func(in *rules.Input) { in.Subject.Kind = "onwer" },
		"grant":            func(in *rules.Input) { in.Grant.State = "" },
		"scope":            func(in *rules.Input) { in.Grant.InScope = "" },
		"account":          func(in *rules.Input) { in.Account.Status = "" },
		"session":          func(in *rules.Input) { in.Session.Acting = "" },
		"has too short":    func(in *rules.Input) { in.Has = nil },
		"request too long": func(in *rules.Input) { in.Request = append(in.Request, rules.Value{}) },
		"request's type":   func(in *rules.Input) { in.Request[0].Type = rules.Number },
		"no request value": func(in *rules.Input) { in.Request[0] = rules.Value{} },
	} {
		in := question(t, p, cat, "invoice.pay")
		change(in)
		if out, err := p.Eval(t.Context(), in); err == nil || out.Allow {
			t.Errorf("%s: got %+v, %v", name, out, err)
		}
	}
}

func TestEvalStopsAtTheDeadline(t *testing.T) {
	p := program(t, `package doorward

decision := {"allow": true, "reason": "", "obligations": []} if {
	count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a == -b]) == 0
}
`)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, nil)
	defer cancel()
	_, err := p.Eval(ctx, question(t, p, shippedCatalogue(t), "invoice.pay"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// S12: rules see numbers as they were written, and texts as texts (S19).
func TestEvalSeesRequestsAsTheyAre(t *testing.T) {
	inputs := `
has: []
request:
  - {path: context.amount, type: number, absent: 0, for: ["*"]}
  - {path: context.note, type: string, absent: "", for: ["*"]}
  - {path: context.late, type: boolean, absent: false, for: ["*"]}
  - {path: resource.properties.note, type: string, absent: "", for: ["*"]}
`
	rule := `package doorward

decision := {"allow": true, "reason": "", "obligations": [{
	"id": "echo",
	"amount": input.request.context.amount,
	"note": input.request.context.note,
	"late": input.request.context.late,
	"of": input.request.resource.properties.note,
}]}
`
	cat := shippedCatalogue(t)
	p, err := rules.Load(cat, rules.File{Path: "inputs.yaml", Data: []byte(inputs)}, []rules.File{{Path: "rules/a.rego", Data: []byte(rule)}}, switches())
	if err != nil {
		t.Fatal(err)
	}
	injected := `x"]; data.doorward.provider["billing`
	for _, amount := range []string{"1", "1.0", "1e0", "-0", "12345678901234567890123"} {
		in := question(t, p, cat, "invoice.pay")
		in.Request = []rules.Value{{rules.Number, amount}, {rules.String, injected}, {rules.Boolean, "true"}, {rules.String, "n"}}
		out, err := p.Eval(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"amount":` + amount + `,"id":"echo","late":true,"note":"x\"]; data.doorward.provider[\"billing","of":"n"}`
		if got := string(out.Obligations[0].JSON); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	in := question(t, p, cat, "invoice.pay")
	in.Request = []rules.Value{{rules.Number, "01"}, {rules.String, ""}, {rules.Boolean, "true"}, {rules.String, ""}}
	if _, err := p.Eval(t.Context(), in); err == nil {
		t.Error("01 was taken for a number")
	}
}

// S16: holding everything does not lift a condition.
func TestShippedConditionsApplyToThoseWhoHoldEverything(t *testing.T) {
	p, cat := shippedProgram(t, switches()), shippedCatalogue(t)
	for name, c := range map[string]struct {
		action, want string
		change       func(*rules.Input)
	}{
		"billing tickets": {"ticket.view", "category_missing", func(in *rules.Input) { in.Request[0].Text = "billing" }},
		"scope":           {"service.view", "out_of_scope", func(in *rules.Input) { in.Grant.InScope = "no" }},
		"second factor":   {"service.view", "mfa_required", func(in *rules.Input) { in.Account.MFARequired = true }},
		"suspended":       {"order.place", "account_suspended", func(in *rules.Input) { in.Account.Status = "suspended" }},
	} {
		in := question(t, p, cat, c.action)
		c.change(in)
		out, err := p.Eval(t.Context(), in)
		if err != nil || out.Allow || out.Reason != c.want {
			t.Errorf("%s: got %+v, %v; want %s", name, out, err, c.want)
		}
	}
}

// No fact alone, of a stranger, a contact or an unknown person, opens any action
// that is not theirs: invariants 1 and 3, over every action.
func TestShippedRulesDenyOutsiders(t *testing.T) {
	p, cat := shippedProgram(t, switches()), shippedCatalogue(t)
	for _, action := range cat.Actions() {
		for name, change := range map[string]func(*rules.Input){
			"stranger": func(in *rules.Input) { in.Subject.Kind, in.Grant.State = "stranger", "none" },
			"unknown":  func(in *rules.Input) { in.Subject.Type, in.Subject.Status = "unknown", "unknown" },
			"disabled": func(in *rules.Input) { in.Subject.Status = "disabled" },
			"contact": func(in *rules.Input) {
				in.Subject.Type, in.Subject.Kind = "contact", "contact"
				if action.Class != catalogue.Receive {
					in.Grant.Subscribed = "chosen"
				}
			},
		} {
			in := question(t, p, cat, action.Name)
			in.Session.MFA, in.Session.MFAFresh = true, true
			change(in)
			if out, err := p.Eval(t.Context(), in); err != nil || out.Allow {
				t.Errorf("%s by %s: got %+v, %v", action.Name, name, out, err)
			}
		}
	}
}

// req 60: the owner, who holds everything, may do all that is done on an account.
func TestShippedRulesAllowTheOwner(t *testing.T) {
	p, cat := shippedProgram(t, switches()), shippedCatalogue(t)
	for _, action := range cat.Actions() {
		in := question(t, p, cat, action.Name)
		in.Subject.Kind, in.Grant.Subscribed, in.Resource.Own = "owner", "by_default", true
		for i := range in.Has {
			in.Has[i] = p.Schema().Has[i].For(action.Name)
		}
		out, err := p.Eval(t.Context(), in)
		want := action.Class != catalogue.Staff && action.Name != "membership.leave"
		if err != nil || out.Allow != want {
			t.Errorf("%s: got %+v, %v", action.Name, out, err)
		}
	}
}

func TestEvalIsSafeForConcurrentUse(t *testing.T) {
	p, cat := shippedProgram(t, switches()), shippedCatalogue(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, action := range cat.Actions() {
				if _, err := p.Eval(t.Context(), question(t, p, cat, action.Name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// A miss of the memo.
func BenchmarkEval(b *testing.B) {
	p, cat := shippedProgram(b, switches()), shippedCatalogue(b)
	for _, action := range []string{"invoice.pay", "ticket.open", "password.reveal", "self.password.change", "mail.invoice.receive"} {
		in := question(b, p, cat, action)
		in.Resource.Own, in.Grant.Subscribed = true, "chosen"
		b.Run(action, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if out, err := p.Eval(b.Context(), in); err != nil || !out.Allow {
					b.Fatal(out, err)
				}
			}
		})
	}
	b.Run("floor", func(b *testing.B) {
		p := program(b, "package doorward\n\ndecision := {\"allow\": true, \"reason\": \"\", \"obligations\": []}\n")
		in := question(b, p, cat, "invoice.pay")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Eval(b.Context(), in); err != nil {
				b.Fatal(err)
			}
		}
	})
}
