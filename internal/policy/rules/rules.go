// Package rules compiles the Rego rules of a policy folder and asks them.
//
// It provides Load, which turns inputs.yaml and the rule files into a Program,
// Program.Eval, which answers one Input, and Program.Trace, which tells besides
// which rules said so. It does not know where facts come
// from, what a preset is, or what a question looked like: everything that a rule
// can see is in the Input, the provider's switches and the rules themselves.
//
// Invariants. Eval is a pure function of the Input: no built-in that reads a
// clock, a network, a random source or the machine can be compiled. A rule never
// meets an undefined input, and a rule that could silently never fire because of
// a misspelt name or value does not load. Whatever the rules leave open is an
// error, never an allow.
package rules

import (
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
)

// entrypoint is the one question ever put to the rules. No part of it comes from
// a request (S19).
const entrypoint = "data.doorward.decision"

// guardrailRule is the rule whose members are the names of guardrails.
const guardrailRule = "guardrail"

// A File is one file of a policy folder.
type File struct {
	Path string // inside the folder, for messages
	Data []byte
}

// A Program is the compiled rules of one policy. It is immutable and safe for
// concurrent use.
type Program struct {
	schema     *Schema
	guardrails []string
	reasons    map[string]bool
	encoder    *encoder
	query      rego.PreparedEvalQuery
	compiler   *ast.Compiler       // the query's own, for tools that look at the rules
	preparing  *sync.Mutex         // one query at a time: OPA's compiler counts its variables
	provider   *node               // the shape of the provider's switches
	sources    map[string][]string // the deciding files by path, in lines
	coverage   *Coverage           // nil: evaluations are not noted
	invariants invariants
}

// Switches are the provider's switches as rules see them.
type Switches struct {
	Values map[string]any
	// Domains are the words that switches can be, by dotted name, for those that
	// are one of a few.
	Domains map[string][]string
}

// Load compiles the rules for a catalogue. Modules whose path ends in _test.rego
// are checked like the others, but never decide. The provider's switches are what
// rules see as data.doorward.provider: nested maps of strings, booleans, numbers
// and lists.
//
// Its error is a fault.List with every fault that could be found.
func Load(cat *catalogue.Catalogue, inputs File, modules []File, provider Switches) (*Program, error) {
	var faults fault.List
	schema := readInputs(cat, inputs, &faults)
	parsed := parse(modules, &faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	documents := documents{input: inputTree(cat, schema), provider: switchTree(provider), switches: provider.Values}
	deciding := without(parsed, isTest)
	compiler, readings := compile(deciding, documents, &faults)
	guardrails := guardrailNames(compiler, &faults)
	stated := invariantsIn(compiler, &faults)
	if len(deciding) < len(parsed) && len(faults) == 0 {
		compile(parsed, documents, &faults)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	p := &Program{
		schema:     schema,
		guardrails: guardrails,
		reasons:    known(Reasons(), guardrails),
		encoder:    newEncoder(cat, schema),
		compiler:   compiler,
		preparing:  new(sync.Mutex),
		provider:   documents.provider,
		sources:    linesOf(modules),
	}
	p.invariants = invariants{at: stated, actions: cat.Actions(), readings: readings}
	if err := p.prepare(provider.Values); err != nil {
		return nil, err
	}
	return p, nil
}

// prepare compiles the questions for some values of the provider's switches.
func (p *Program) prepare(provider map[string]any) (err error) {
	p.preparing.Lock()
	defer p.preparing.Unlock()
	if p.query, err = prepare(entrypoint, p.compiler, provider); err != nil {
		return err
	}
	p.invariants.decides = p.compiler.GetRulesExact(ast.MustParseRef(entrypoint))[0].Loc()
	judge := "[" + entrypoint + ", " + violated + "]"
	if len(p.invariants.at) == 0 {
		judge = "[" + entrypoint + ", set()]"
	}
	p.invariants.judge, err = prepare(judge, p.compiler, provider)
	return err
}

func linesOf(modules []File) map[string][]string {
	lines := make(map[string][]string)
	for _, file := range modules {
		if !isTest(file.Path) {
			lines[file.Path] = strings.Split(string(file.Data), "\n")
		}
	}
	return lines
}

// Schema lists what inputs.yaml declares. Do not modify it.
func (p *Program) Schema() *Schema { return p.schema }

// Guardrails are the names, sorted, that the rules may deny with besides Reasons.
// Do not modify them.
func (p *Program) Guardrails() []string { return p.guardrails }

// Reasons are the reasons of a denial that are not a guardrail's name: the closed
// list of docs/reasons.md.
func Reasons() []string {
	return []string{
		"not_member", "pending", "expired", "removed", "category_missing",
		"out_of_scope", "action_unknown", "subject_unknown", "subject_disabled",
		"contact_never_acts", "account_suspended", "account_closed",
		"account_required", "switch_required", "mfa_required", "step_up_required",
		"owner_only", "staff_only", "bad_input",
	}
}

func known(lists ...[]string) map[string]bool {
	set := map[string]bool{}
	for _, name := range slices.Concat(lists...) {
		set[name] = true
	}
	return set
}

// isInvariant tells whether a file of the policy folder holds invariants.
func isInvariant(path string) bool { return strings.HasPrefix(path, "invariants/") }

func isTest(path string) bool { return strings.HasSuffix(path, "_test.rego") }

func without(modules map[string]*ast.Module, drop func(path string) bool) map[string]*ast.Module {
	rest := map[string]*ast.Module{}
	for path, module := range modules {
		if !drop(path) {
			rest[path] = module
		}
	}
	return rest
}
