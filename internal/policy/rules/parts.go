package rules

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A Part is a rule, a branch of one or an expression, and where it is written.
type Part struct {
	Kind   PartKind
	Rule   string // the name of the rule that it is or belongs to
	Name   string // of a guardrail the name it adds; else ""
	File   string
	Line   int // from 1
	Column int // from 1
	End    int // the last line
}

// A PartKind tells what a Part is.
type PartKind string

// The kinds of parts.
const (
	Rule       PartKind = "rule"
	Branch     PartKind = "branch" // of a rule with else: each of its bodies is one
	Expression PartKind = "expression"
)

func (p Part) place() place { return place{p.File, p.Line, p.Column} }

// Parts are the parts of the rules that decide, tests left out, in order of place.
func (p *Program) Parts() []Part {
	var parts []Part
	seen := map[Part]bool{}
	add := func(part Part) {
		if part.File != "" && !seen[part] {
			seen[part] = true
			parts = append(parts, part)
		}
	}
	for _, module := range p.deciding() {
		for _, rule := range module.Rules {
			partsOf(rule, add)
		}
	}
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			-cmp.Compare(a.Kind, b.Kind))
	})
	return parts
}

// deciding are the modules that decide, which those of invariants do not.
func (p *Program) deciding() []*ast.Module {
	var modules []*ast.Module
	for _, module := range p.compiler.Modules {
		if !module.Package.Path.HasPrefix(invariantPackage) {
			modules = append(modules, module)
		}
	}
	return modules
}

// partsOf adds a rule, its branches, and what is in them.
func partsOf(rule *ast.Rule, add func(Part)) {
	kind := Rule
	if rule.Else != nil {
		kind = Branch
	}
	for ; rule != nil; rule = rule.Else {
		name := rule.Head.Ref().String()
		of := partAt(kind, name, rule.Head.Location)
		for _, e := range rule.Body {
			of.End = max(of.End, lastLine(e.Location))
		}
		if name == guardrailRule && rule.Head.Key != nil {
			if written, ok := rule.Head.Key.Value.(ast.String); ok {
				of.Name = string(written)
			}
		}
		add(of)
		for _, in := range []any{rule.Body, rule.Head} {
			ast.WalkExprs(in, func(e *ast.Expr) bool {
				if _, declares := e.Terms.(*ast.SomeDecl); !declares && e.Location != nil {
					add(partAt(Expression, name, e.Location))
				}
				return false
			})
		}
	}
}

func partAt(kind PartKind, rule string, at *ast.Location) Part {
	return Part{Kind: kind, Rule: rule, File: at.File, Line: at.Row, Column: at.Col, End: lastLine(at)}
}

// lastLine is the line in which what begins at a location ends.
func lastLine(at *ast.Location) int {
	if at == nil {
		return 0
	}
	return at.Row + bytes.Count(bytes.TrimRight(at.Text, "\n"), []byte("\n"))
}

// Reads are the leaves that the rules refer to, sorted, as in
// input.grant.has.invoices and data.doorward.provider.billing.pay.
func (p *Program) Reads() []string {
	read := map[string]bool{}
	for _, module := range p.deciding() {
		ast.WalkRefs(module, func(ref ast.Ref) bool {
			if ref[0].Equal(ast.InputRootDocument) || ref.HasPrefix(providerPath) {
				read[written(ref)] = true
			}
			return false
		})
	}
	var all []string
	for name := range read {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// written joins the constant names that a reference begins with.
func written(ref ast.Ref) string {
	names := []string{ref[0].Value.String()}
	for _, t := range ref[1:] {
		name, constant := t.Value.(ast.String)
		if !constant {
			break
		}
		names = append(names, string(name))
	}
	return strings.Join(names, ".")
}
