package rules_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// pick is any of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// anything is an input of an action with facts of every sort, many of them not to be
// met together.
func anything(t testing.TB, r *rand.Rand, p *rules.Program, cat *catalogue.Catalogue, action string) *rules.Input {
	in := question(t, p, cat, action)
	flag := func() bool { return r.IntN(2) == 0 }
	mostly := func(usual string, others ...string) string {
		if r.IntN(3) > 0 {
			return usual
		}
		return pick(r, others...)
	}
	in.Subject = rules.SubjectFacts{
		Type: mostly("user", "contact", "unknown"), Kind: mostly("member", "owner", "stranger", "contact"),
		Status: mostly("active", "disabled", "unknown"), StaffMay: r.IntN(8) == 0,
	}
	in.Grant = rules.GrantFacts{
		State: mostly("active", "none", "pending", "expired", "removed"), Holds: flag(),
		InScope: mostly("whole_account", "yes", "no", "listed"), Subscribed: pick(r, "chosen", "declined", "by_default", "no"),
	}
	in.Account = rules.AccountFacts{Status: mostly("active", "suspended", "closed", "unknown", "none"), MFARequired: flag()}
	in.Session = rules.SessionFacts{MFA: flag(), MFAFresh: flag(), Acting: mostly("same", "other", "absent"), Actor: mostly("nobody", "staff", "expired", "other")}
	in.Resource = rules.ResourceFacts{Own: flag(), Member: mostly("nobody", "self", "owner", "manager", "covered", "exceeding", "stranger")}
	for i := range in.Has {
		in.Has[i] = flag()
	}
	for i, leaf := range p.Schema().Request {
		in.Request[i] = pick(r, append(leaf.Samples, leaf.Absent)...)
	}
	return in
}

// every asks about every action of the shipped catalogue on many inputs.
func every(t *testing.T, p *rules.Program, times int, look func(*rules.Input)) {
	cat := shippedCatalogue(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, action := range cat.Actions() {
		for range times {
			look(anything(t, r, p, cat, action.Name))
		}
	}
}

// told is an outcome, for comparing.
func told(o rules.Outcome, err error) string {
	return fmt.Sprintf("%v %q %s %v", o.Allow, o.Reason, o.Obligations, err)
}

// Being asked why changes no answer, and the way always leads from the entry point to
// a line that says the reason.
func TestTraceAnswersAsEval(t *testing.T) {
	p := shippedProgram(t, switches())
	reached := map[string]int{}
	every(t, p, 40, func(in *rules.Input) {
		want, wantErr := p.Eval(t.Context(), in)
		got, steps, gotErr := p.Trace(t.Context(), in)
		if told(got, gotErr) != told(want, wantErr) {
			t.Fatalf("%+v: traced %s, evaluated %s", in, told(got, gotErr), told(want, wantErr))
		}
		if wantErr != nil {
			return
		}
		if len(steps) < 2 || steps[0].Rule != "decision" || steps[1].Rule != "reason" {
			t.Fatalf("%+v: steps %+v", in, steps)
		}
		last := steps[len(steps)-1]
		if !strings.Contains(strings.SplitN(last.Text, "\n", 2)[0], `"`+got.Reason+`"`) {
			t.Fatalf("%+v: the last step is no line that says %q: %+v", in, got.Reason, last)
		}
		reached[fmt.Sprintf("%s:%d", last.File, last.Line)]++
	})
	if len(reached) < 35 {
		t.Errorf("only %d lines decided: %v", len(reached), reached)
	}
}

// branch is the line on which the branch begins that has the text, of which the file
// has no other before it.
func branch(t *testing.T, file, text string) int {
	t.Helper()
	before, _, found := strings.Cut(string(read(t, file)), text)
	if !found {
		t.Fatalf("%s: no %q", file, text)
	}
	lines := strings.Split(before, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], " := ") || strings.HasPrefix(lines[i], "guardrail contains") {
			return i + 1
		}
	}
	t.Fatalf("%s: %q is in no branch", file, text)
	return 0
}

// The last step is the very branch that decided: written out by hand.
func TestTraceNamesTheBranch(t *testing.T) {
	enforcing := switches()
	enforcing.Values["step_up"] = map[string]any{"mode": "enforce", "max_age": 900}
	cat := shippedCatalogue(t)
	for _, c := range []struct {
		name, action string
		change       func(*rules.Input)
		reason       string
		way          string // the rules on the way
		file, within string // where the branch is that decided, and a text of it
	}{
		{"allowed", "invoice.pay", func(*rules.Input) {}, "",
			"decision reason member_reason", "rules/decision.rego", "\tinput.grant.state == \"active\"\n\theld"},
		{"lacking", "invoice.pay", func(in *rules.Input) { in.Grant.Holds = false }, "category_missing",
			"decision reason member_reason", "rules/decision.rego", "not held"},
		{"billing ticket", "ticket.open", func(in *rules.Input) { in.Request[0].Text = "billing" }, "category_missing",
			"decision reason member_reason", "rules/decision.rego", "\tbilling_ticket"},
		{"stranger", "invoice.pay", func(in *rules.Input) { in.Grant.State, in.Grant.Holds = "none", false }, "not_member",
			"decision reason outsider_reason", "rules/decision.rego", `input.grant.state == "none"`},
		{"owner leaves", "membership.leave", func(in *rules.Input) { in.Subject.Kind, in.Resource.Own = "owner", true }, "owner_cannot_leave",
			"decision reason self_reason forbidden guardrail", "rules/guardrails.rego", `input.action.name == "membership.leave"`},
		{"contact", "invoice.pay", func(in *rules.Input) { in.Subject.Type = "contact" }, "contact_never_acts",
			"decision reason contact_reason", "rules/contacts.rego", "not contact_may"},
		{"staff", "staff.login_as", func(*rules.Input) {}, "staff_only",
			"decision reason", "rules/decision.rego", "input.subject.staff_may == false"},
		{"staff may", "staff.login_as", func(in *rules.Input) { in.Subject.StaffMay, in.Session.MFAFresh = true, true }, "",
			"decision reason staff_reason", "rules/staff.rego", `input.subject.type == "user"`},
		{"mail", "mail.invoice.receive", func(in *rules.Input) { in.Grant.Subscribed = "no" }, "category_missing",
			"decision reason mail_reason", "rules/mail.rego", "not sent\n"},
		{"step up", "card.update", func(*rules.Input) {}, "step_up_required",
			"decision reason member_reason", "rules/decision.rego", "step_up_missing"},
		{"disabled", "invoice.pay", func(in *rules.Input) { in.Subject.Status = "disabled" }, "subject_disabled",
			"decision reason", "rules/decision.rego", `input.subject.status == "disabled"`},
	} {
		p := shippedProgram(t, enforcing)
		in := question(t, p, cat, c.action)
		c.change(in)
		out, steps, err := p.Trace(t.Context(), in)
		if err != nil || out.Reason != c.reason {
			t.Errorf("%s: got %+v, %v", c.name, out, err)
			continue
		}
		var way []string
		for _, s := range steps {
			way = append(way, s.Rule)
		}
		if diff := cmp.Diff(c.way, strings.Join(way, " ")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		last := steps[len(steps)-1]
		if want := branch(t, c.file, c.within); last.File != c.file || last.Line != want {
			t.Errorf("%s: decided by %s:%d, want %s:%d\n%s", c.name, last.File, last.Line, c.file, want, last.Text)
		}
	}
}

// The text of a step is its branch alone.
func TestTraceQuotesTheBranch(t *testing.T) {
	p := program(t, `package doorward

default decision := {"allow": false, "reason": "expired", "obligations": []}

decision := {"allow": reason == "", "reason": reason, "obligations": []} if input.grant.holds

reason := "owner_only" if {
	input.session.mfa
} else := f(input.account.status) if {
	input.account.mfa_required
} else := ""

f(status) := "account_closed" if status == "closed"

f(status) := "pending" if status != "closed"
`)
	cat := shippedCatalogue(t)
	for _, c := range []struct {
		change func(*rules.Input)
		want   []rules.Step
	}{
		{func(in *rules.Input) { in.Grant.Holds = false }, []rules.Step{
			{Rule: "decision", File: "rules/a.rego", Line: 3, Text: `default decision := {"allow": false, "reason": "expired", "obligations": []}`},
		}},
		{func(in *rules.Input) { in.Account.MFARequired = true }, []rules.Step{
			{Rule: "decision", File: "rules/a.rego", Line: 5, Text: `decision := {"allow": reason == "", "reason": reason, "obligations": []} if input.grant.holds`},
			{Rule: "reason", File: "rules/a.rego", Line: 9, Text: "else := f(input.account.status) if {\n\tinput.account.mfa_required\n}"},
			{Rule: "f", File: "rules/a.rego", Line: 15, Text: `f(status) := "pending" if status != "closed"`},
		}},
	} {
		in := question(t, p, cat, "invoice.pay")
		c.change(in)
		_, steps, err := p.Trace(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, steps); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// Other switches without compiling give the answers that compiling gives, whoever
// asks meanwhile.
func TestOtherSwitchesWithoutCompiling(t *testing.T) {
	p := shippedProgram(t, switches())
	changed := switches()
	changed.Values["step_up"] = map[string]any{"mode": "enforce", "max_age": 900}
	changed.Values["billing"] = map[string]any{"pay": false}
	compiled := shippedProgram(t, changed)
	t.Run("meanwhile", func(t *testing.T) {
		t.Parallel()
		every(t, p, 1, func(in *rules.Input) { _, _ = p.Eval(t.Context(), in) })
	})
	t.Run("compared", func(t *testing.T) {
		t.Parallel()
		other, err := p.With(changed.Values)
		if err != nil {
			t.Fatal(err)
		}
		differ := 0
		every(t, p, 5, func(in *rules.Input) {
			want, got, before := told(compiled.Eval(t.Context(), in)), told(other.Eval(t.Context(), in)), told(p.Eval(t.Context(), in))
			if got != want {
				t.Fatalf("%+v: got %s, want %s", in, got, want)
			}
			if got != before {
				differ++
			}
		})
		if differ == 0 {
			t.Error("the switches changed nothing: nothing was compared")
		}
	})
}

// Switches the rules were not checked with are refused.
func TestSwitchesOfAnotherShapeAreRefused(t *testing.T) {
	p := shippedProgram(t, switches())
	for name, change := range map[string]func(map[string]any){
		"missing":      func(v map[string]any) { delete(v, "billing") },
		"more":         func(v map[string]any) { v["more"] = true },
		"another kind": func(v map[string]any) { v["direct_add"] = "yes" },
		"another word": func(v map[string]any) { v["closed"] = map[string]any{"access": "write"} },
		"renamed":      func(v map[string]any) { delete(v, "billing"); v["biling"] = map[string]any{"pay": true} },
	} {
		changed := switches()
		change(changed.Values)
		if _, err := p.With(changed.Values); !errors.Is(err, rules.ErrSwitches) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The document shown is the document that was judged.
func TestDocumentIsWhatRulesSee(t *testing.T) {
	p := shippedProgram(t, switches())
	cat := shippedCatalogue(t)
	got, err := p.Document(question(t, p, cat, "ticket.open"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"action":{"category":"tickets","effect":"write","name":"ticket.open","sensitive":false}`, `"department":""`, `"has":{"invoices":false,`} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if _, err := p.Document(&rules.Input{}); err == nil {
		t.Error("the zero input has a document")
	}
}
