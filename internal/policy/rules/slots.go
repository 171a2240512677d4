package rules

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A slot is one leaf of the input that can be set, by its name below input, with
// values that it can have.
type slot struct {
	name   string
	values []string
	set    func(in *Input, value string)
}

var yesOrNo = []string{"false", "true"}

func slotsOf(schema *Schema) []slot {
	slots := []slot{
		{"subject.type", subjectTypes, func(in *Input, v string) { in.Subject.Type = v }},
		{"subject.kind", kinds, func(in *Input, v string) { in.Subject.Kind = v }},
		{"subject.status", userStatuses, func(in *Input, v string) { in.Subject.Status = v }},
		{"subject.staff_may", yesOrNo, func(in *Input, v string) { in.Subject.StaffMay = v == "true" }},
		{"grant.state", grantStates, func(in *Input, v string) { in.Grant.State = v }},
		{"grant.holds", yesOrNo, func(in *Input, v string) { in.Grant.Holds = v == "true" }},
		{"grant.in_scope", scopes, func(in *Input, v string) { in.Grant.InScope = v }},
		{"grant.subscribed", mailings, func(in *Input, v string) { in.Grant.Subscribed = v }},
		{"account.status", accStatuses, func(in *Input, v string) { in.Account.Status = v }},
		{"account.mfa_required", yesOrNo, func(in *Input, v string) { in.Account.MFARequired = v == "true" }},
		{"session.mfa", yesOrNo, func(in *Input, v string) { in.Session.MFA = v == "true" }},
		{"session.mfa_fresh", yesOrNo, func(in *Input, v string) { in.Session.MFAFresh = v == "true" }},
		{"session.acting", actings, func(in *Input, v string) { in.Session.Acting = v }},
		{"session.actor", actors, func(in *Input, v string) { in.Session.Actor = v }},
		{"resource.own", yesOrNo, func(in *Input, v string) { in.Resource.Own = v == "true" }},
		{"resource.member", members, func(in *Input, v string) { in.Resource.Member = v }},
	}
	for i, leaf := range schema.Has {
		slots = append(slots, slot{"grant.has." + leaf.Category, yesOrNo, func(in *Input, v string) { in.Has[i] = v == "true" }})
	}
	for i, leaf := range schema.Request {
		slots = append(slots, slot{"request." + strings.Join(leaf.Path, "."), leaf.typical(), func(in *Input, v string) {
			in.Request[i] = Value{Type: leaf.Type, Text: v}
		}})
	}
	return slots
}

// typical are values that a question may have there, as texts.
func (l RequestLeaf) typical() []string {
	if l.Type == Boolean {
		return yesOrNo
	}
	values := []string{l.Absent.Text}
	for _, sample := range l.Samples {
		values = append(values, sample.Text)
	}
	if l.Type == Number {
		return append(values, "0", "1", "1000000")
	}
	return append(values, "something")
}

// demands are what the rules and their branches ask for, by where their heads are.
func (p *Program) demands() map[place]demand {
	all := map[place]demand{}
	for _, module := range p.compiler.Modules {
		for _, rule := range module.Rules {
			for ; rule != nil; rule = rule.Else {
				if rule.Head.Location != nil {
					all[placeOf(rule.Head.Location)] = demanded(rule.Body)
				}
			}
		}
	}
	return all
}

// demanded is what a body asks for in so many words.
func demanded(body ast.Body) demand {
	want := demand{}
	for _, e := range body {
		if term, alone := e.Terms.(*ast.Term); alone {
			if name := inputLeaf(term); name != "" {
				want[name] = []string{map[bool]string{false: "true", true: "false"}[e.Negated]}
			}
			continue
		}
		if e.Negated || !e.IsCall() || len(e.Operands()) != 2 {
			continue
		}
		a, b := e.Operand(0), e.Operand(1)
		switch e.Operator().String() {
		case ast.Equality.Name, ast.Equal.Name, ast.Member.Name:
			for _, side := range [][2]*ast.Term{{a, b}, {b, a}} {
				if name := inputLeaf(side[0]); name != "" {
					want[name] = constants(side[1])
				}
			}
		}
	}
	return want
}

// inputLeaf is the name below input of the leaf that a term refers to, or "".
func inputLeaf(t *ast.Term) string {
	ref, ok := t.Value.(ast.Ref)
	if !ok || !ref.HasPrefix(ast.InputRootRef) || !ref.IsGround() {
		return ""
	}
	return strings.TrimPrefix(written(ref), "input.")
}

// constants are the values that a term stands for; none when it is no constant.
func constants(t *ast.Term) []string {
	switch v := t.Value.(type) {
	case ast.String:
		return []string{string(v)}
	case ast.Boolean, ast.Number:
		return []string{v.String()}
	case ast.Set:
		var all []string
		v.Foreach(func(item *ast.Term) { all = append(all, constants(item)...) })
		return all
	case *ast.Array:
		var all []string
		v.Foreach(func(item *ast.Term) { all = append(all, constants(item)...) })
		return all
	}
	return nil
}
