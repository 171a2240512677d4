package rules

import (
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/fault"
)

// rulePackage is where rules live; packages below it are theirs to use.
const rulePackage = "doorward"

// parse reads the modules by path.
func parse(files []File, faults *fault.List) map[string]*ast.Module {
	modules := map[string]*ast.Module{}
	for _, file := range files {
		module, err := ast.ParseModuleWithOpts(file.Path, string(file.Data), ast.ParserOptions{
			Capabilities:      capabilities(),
			ProcessAnnotation: true,
			RegoVersion:       ast.RegoV1,
		})
		if err != nil {
			addErrors(faults, file.Path, err)
			continue
		}
		if !ours(module.Package.Path, file.Path) {
			at := module.Package.Loc()
			faults.Add(fault.Fault{File: file.Path, Line: at.Row, Column: at.Col, Message: misplaced(file.Path),
				Fix: "Write package " + rulePackage + ", or " + rulePackage + "_test in a file that ends in _test.rego"})
			continue
		}
		modules[file.Path] = module
	}
	return modules
}

// ours tells whether a file may be of that package. Files of tests never decide,
// so that a rule beside the others' would be believed to be in force.
func ours(pkg ast.Ref, file string) bool {
	want := rulePackage
	if isTest(file) {
		want += "_test"
	}
	name, ok := pkg[1].Value.(ast.String) // pkg[0] is data
	return ok && string(name) == want
}

func misplaced(file string) string {
	if isTest(file) {
		return "a file of tests outside package " + rulePackage + "_test, whose rules would never decide"
	}
	return "a rule file outside package " + rulePackage
}

// compile compiles and checks modules. The compiler is usable only when no fault
// was added.
func compile(modules map[string]*ast.Module, docs documents, faults *fault.List) *ast.Compiler {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, docs.input.jsonSchema())
	compiler := ast.NewCompiler().
		SetErrorLimit(0).
		WithCapabilities(capabilities()).
		WithStrict(true).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(false)
	var found fault.List
	// Here references are resolved and locals have unique names, but nothing has
	// been taken apart yet: what rules mean is still what their authors wrote.
	compiler.WithStageAfterID(ast.StageRewriteLocalVars, ast.CompilerStageDefinition{
		Name:       "DoorwardChecks",
		MetricName: "compile_stage_doorward_checks",
		Stage: func(c *ast.Compiler) *ast.Error {
			check(c, docs, &found)
			return nil
		},
	})
	compiler.Compile(modules)
	*faults = append(*faults, found...)
	if compiler.Failed() {
		var others fault.List
		addErrors(&others, "", compiler.Errors)
		*faults = append(*faults, unlessAt(others, found)...)
	}
	return compiler
}

// unlessAt leaves out what OPA says of a line about which we have said more.
func unlessAt(others, said fault.List) fault.List {
	return slices.DeleteFunc(others, func(o fault.Fault) bool {
		return slices.ContainsFunc(said, func(s fault.Fault) bool { return s.File == o.File && s.Line == o.Line })
	})
}

// addErrors turns OPA's errors into faults.
func addErrors(faults *fault.List, file string, err error) {
	var list ast.Errors
	if !errors.As(err, &list) {
		var one *ast.Error
		if !errors.As(err, &one) {
			faults.Add(fault.Fault{File: file, Message: err.Error(), Fix: "Check that the file is Rego"})
			return
		}
		list = ast.Errors{one}
	}
	for _, e := range list {
		f := fault.Fault{File: file, Message: e.Message, Fix: fixOf(e)}
		if e.Location != nil {
			f.File, f.Line, f.Column = e.Location.File, e.Location.Row, e.Location.Col
		}
		if name, found := strings.CutPrefix(e.Message, "undefined function "); found {
			if why := whyRefused(name); why != "" {
				f.Message, f.Fix = name+" is not available to rules: "+why, "Decide without it"
			}
		}
		faults.Add(f)
	}
}

// fixOf is what to do about an error of OPA.
func fixOf(e *ast.Error) string {
	switch e.Code {
	case ast.ParseErr:
		return "Correct the Rego; opa fmt shows how it is read"
	case ast.UnsafeVarErr:
		return "Give the variable a value in the same rule, or correct its name"
	case ast.RecursionErr:
		return "Break the circle: a rule cannot need its own answer"
	case ast.TypeErr:
		return "Compare values of one type, and refer to what exists"
	default:
		return "See opa check --strict"
	}
}

// guardrailNames are the names that rules called guardrail add, sorted.
func guardrailNames(compiler *ast.Compiler, faults *fault.List) []string {
	var names []string
	for _, module := range compiler.Modules {
		for _, rule := range module.Rules {
			if rule.Head.Ref()[0].Value.Compare(ast.Var(guardrailRule)) != 0 {
				continue
			}
			name, wrong := guardrailName(rule)
			if at := rule.Loc(); len(module.Package.Path) != 2 {
				wrong = &fault.Fault{File: at.File, Line: at.Row, Column: at.Col,
					Message: "a guardrail in a package below " + rulePackage + " would never apply", Fix: "Move it to package " + rulePackage}
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

func guardrailName(rule *ast.Rule) (string, *fault.Fault) {
	at := rule.Loc()
	wrong := &fault.Fault{File: at.File, Line: at.Row, Column: at.Col}
	if rule.Head.RuleKind() != ast.MultiValue || len(rule.Head.Ref()) != 1 {
		wrong.Message, wrong.Fix = "guardrail is not a set of names", `Write guardrail contains "name" if { … }`
		return "", wrong
	}
	name, constant := rule.Head.Key.Value.(ast.String)
	switch {
	case !constant:
		wrong.Message, wrong.Fix = "a guardrail without a constant name", `Write guardrail contains "name" if { … }, so that the list of reasons is known`
	case !pathName.MatchString(string(name)):
		wrong.Message, wrong.Fix = "guardrail name "+rule.Head.Key.String()+" is not a word", "Use small letters, digits and _"
	case slices.Contains(Reasons(), string(name)):
		wrong.Message, wrong.Fix = "guardrail "+rule.Head.Key.String()+" is named like a reason", "Choose a name of its own"
	default:
		return string(name), nil
	}
	return "", wrong
}
