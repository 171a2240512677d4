package rules

import (
	"errors"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"doorward/internal/fault"
)

// rulePackage is where rules live; packages below it are theirs to use, but for
// the one of the invariants.
const rulePackage = "doorward"

// invariantPackage is where invariants live, and nothing else.
var invariantPackage = ast.MustParseRef("data." + rulePackage + ".invariants")

// parse reads the modules by path.
func parse(files []File, faults *fault.List) map[string]*ast.Module {
	modules := map[string]*ast.Module{}
	for _, file := range files {
		if !bounded(file, faults) {
			continue
		}
		module, err := ast.ParseModuleWithOpts(file.Path, string(file.Data), ast.ParserOptions{
			Capabilities:      capabilities(),
			ProcessAnnotation: true,
			RegoVersion:       ast.RegoV1,
		})
		if err != nil {
			addErrors(faults, file.Path, err)
			continue
		}
		if !ours(module.Package, file.Path) {
			at := module.Package.Loc()
			faults.Add(*placed(at, misplaced(file.Path), "Write "+packageOf(file.Path, false)+", or "+packageOf(file.Path, true)+" in a file that ends in _test.rego"))
			continue
		}
		branching(module, faults)
		modules[file.Path] = module
	}
	return modules
}

// ours tells whether a file may be of that package. Files of tests never decide,
// so that a rule beside the others' would be believed to be in force; nor do those
// of invariants.
func ours(pkg *ast.Package, file string) bool {
	if isInvariant(file) {
		return pkg.String() == packageOf(file, isTest(file))
	}
	below := pkg.String() + "."
	return strings.HasPrefix(below, packageOf(file, isTest(file))+".") && !pkg.Path.HasPrefix(invariantPackage)
}

// packageOf is the package that a file, or the file of its tests, should be of.
func packageOf(file string, tests bool) string {
	name := "package " + rulePackage
	if isInvariant(file) {
		name += ".invariants"
	}
	if tests {
		name += "_test"
	}
	return name
}

func misplaced(file string) string {
	switch {
	case isTest(file):
		return "a file of tests outside " + packageOf(file, true) + ", whose rules would never decide"
	case isInvariant(file):
		return "a file of invariants outside " + packageOf(file, false)
	}
	return "a rule file outside " + packageOf(file, false)
}

// compile compiles and checks modules, and finds what they learn about texts of the
// input. The compiler is usable only when no fault was added.
func compile(modules map[string]*ast.Module, docs documents, faults *fault.List) (*ast.Compiler, readings) {
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, docs.input.jsonSchema())
	compiler := ast.NewCompiler().
		SetErrorLimit(0).
		WithCapabilities(capabilities()).
		WithStrict(true).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(false)
	var found fault.List
	var read readings
	// Here references are resolved and locals have unique names, but nothing has
	// been taken apart yet: what rules mean is still what their authors wrote.
	compiler.WithStageAfterID(ast.StageRewriteLocalVars, ast.CompilerStageDefinition{
		Name:       "DoorwardChecks",
		MetricName: "compile_stage_doorward_checks",
		Stage: func(c *ast.Compiler) *ast.Error {
			read = check(c, docs, &found)
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
	return compiler, read
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
