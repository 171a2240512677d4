package rules

import (
	"context"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A Step is one rule on the way from the entry point to what decided: the branch of
// it that gave its value.
type Step struct {
	Rule string `json:"rule"` // its name below package doorward
	File string `json:"file"` // inside the policy folder
	Line int    `json:"line"` // of the branch itself: of its else, when it is one
	Text string `json:"text"` // the branch as written, without the branches after it
}

// Trace asks the rules as Eval does and tells besides which rules the reason came
// through: from the entry point down to the rule, the else branch or the guardrail
// that decided. It is slower by an order of magnitude and is for people who ask why.
func (p *Program) Trace(ctx context.Context, in *Input) (Outcome, []Step, error) {
	var t tracer
	outcome, err := p.decide(ctx, in, rego.EvalQueryTracer(&t))
	if err != nil {
		return Outcome{}, nil, err
	}
	return outcome, p.chain(t.exits, outcome.Reason), nil
}

// A tracer keeps which branches of rules gave a value. A value is remembered by OPA
// and asked for once only, so who asked is not looked at: what may have asked is in
// the rules themselves.
type tracer struct{ exits []exit }

type exit struct {
	rule  *ast.Rule
	value ast.Value
}

// Enabled satisfies topdown.QueryTracer.
func (t *tracer) Enabled() bool { return true }

// Config satisfies topdown.QueryTracer.
func (t *tracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

// TraceEvent keeps a branch whose conditions held.
func (t *tracer) TraceEvent(e topdown.Event) {
	rule, ok := e.Node.(*ast.Rule)
	if !ok || e.Op != topdown.ExitOp {
		return
	}
	head := rule.Head.Value
	if rule.Head.RuleKind() == ast.MultiValue {
		head = rule.Head.Key
	}
	if head != nil {
		t.exits = append(t.exits, exit{rule, e.Plug(head).Value})
	}
}

// chain follows the reason from the entry point through the rules that had it for
// their value. A rule is followed at most once: rules cannot go round in circles.
func (p *Program) chain(exits []exit, reason string) []Step {
	next := slices.IndexFunc(exits, func(e exit) bool { return e.rule.Ref().String() == entrypoint })
	var steps []Step
	for next >= 0 {
		rule := exits[next].rule
		steps = append(steps, p.step(rule))
		asked := asks(rule)
		exits = slices.DeleteFunc(slices.Clone(exits), func(e exit) bool { return e.rule == rule })
		next = slices.IndexFunc(exits, func(e exit) bool {
			return carries(e.value, reason) && slices.ContainsFunc(asked, func(r ast.Ref) bool { return r.HasPrefix(e.rule.Ref().GroundPrefix()) })
		})
	}
	return steps
}

// asks lists what one branch of a rule refers to.
func asks(rule *ast.Rule) []ast.Ref {
	var refs []ast.Ref
	collect := func(r ast.Ref) bool {
		refs = append(refs, r)
		return false
	}
	ast.WalkRefs(rule.Body, collect)
	ast.WalkRefs(rule.Head, collect)
	return refs
}

// carries tells whether a value is the reason, or an answer with that reason.
func carries(v ast.Value, reason string) bool {
	switch v := v.(type) {
	case ast.String:
		return string(v) == reason
	case ast.Object:
		text, ok := member[ast.String](v, "reason")
		return ok && string(text) == reason
	}
	return false
}

func (p *Program) step(rule *ast.Rule) Step {
	at := rule.Loc()
	text := string(at.Text)
	if rule.Else != nil {
		text = strings.TrimSuffix(text, string(rule.Else.Loc().Text))
	}
	lines := p.sources[at.File]
	if rule.Default && at.Row <= len(lines) { // OPA keeps the word default alone
		text = lines[at.Row-1]
	}
	name := strings.TrimPrefix(rule.Ref().GroundPrefix().String(), "data."+rulePackage+".")
	return Step{Rule: name, File: at.File, Line: at.Row, Text: strings.TrimSpace(text)}
}
