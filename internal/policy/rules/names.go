package rules

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/fault"
)

// guardrailNames are the names that rules called guardrail add, sorted.
func guardrailNames(compiler *ast.Compiler, faults *fault.List) []string {
	var names []string
	for _, module := range compiler.Modules {
		for _, rule := range rulesNamed(module, guardrailRule) {
			name, wrong := constantName(rule, guardrailRule, "the list of reasons is known")
			switch {
			case len(module.Package.Path) != 2:
				wrong = placed(rule.Loc(), "a guardrail in a package below "+rulePackage+" would never apply", "Move it to package "+rulePackage)
			case wrong == nil && slices.Contains(Reasons(), name):
				wrong = placed(rule.Loc(), "guardrail "+rule.Head.Key.String()+" is named like a reason", "Choose a name of its own")
			}
			if wrong != nil {
				faults.Add(*wrong)
			} else if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// invariantsIn are the rules that say what is violated, by name. One name has one
// rule, so that a violation leads to the line that is broken.
func invariantsIn(compiler *ast.Compiler, faults *fault.List) map[string]*ast.Location {
	found := map[string]*ast.Location{}
	for _, module := range compiler.Modules {
		if !module.Package.Path.Equal(invariantPackage) {
			continue
		}
		for _, rule := range rulesNamed(module, "violated") {
			name, wrong := constantName(rule, "violated", "a violation has a name")
			if other := found[name]; wrong == nil && other != nil {
				wrong = placed(rule.Loc(), "invariant "+rule.Head.Key.String()+" is stated in "+other.File+" too", "Choose a name of its own")
			}
			if wrong != nil {
				faults.Add(*wrong)
				continue
			}
			found[name] = rule.Loc()
		}
	}
	return found
}

// rulesNamed are a module's rules whose name is, or begins with, that word.
func rulesNamed(module *ast.Module, word string) []*ast.Rule {
	var rules []*ast.Rule
	for _, rule := range module.Rules {
		if rule.Head.Ref()[0].Value.Compare(ast.Var(word)) == 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}

// constantName is the name that a rule adds to the set called word, or what keeps
// it from being known.
func constantName(rule *ast.Rule, word, why string) (string, *fault.Fault) {
	write := "Write " + word + ` contains "name" if { … }`
	if rule.Head.RuleKind() != ast.MultiValue || len(rule.Head.Ref()) != 1 {
		return "", placed(rule.Loc(), word+" is not a set of names", write)
	}
	name, constant := rule.Head.Key.Value.(ast.String)
	switch {
	case !constant:
		return "", placed(rule.Loc(), "a "+word+" without a constant name", write+", so that "+why)
	case !pathName.MatchString(string(name)):
		return "", placed(rule.Loc(), word+" name "+rule.Head.Key.String()+" is not a word", "Use small letters, digits and _")
	}
	return string(name), nil
}

func placed(at *ast.Location, message, fix string) *fault.Fault {
	return &fault.Fault{File: at.File, Line: at.Row, Column: at.Col, Message: message, Fix: fix}
}
