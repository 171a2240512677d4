package rules_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
)

// shipped is the policy folder of the repository.
var shipped = os.DirFS("../../../policies")

func shippedCatalogue(t testing.TB) *catalogue.Catalogue {
	t.Helper()
	cat, err := catalogue.Load("catalogue.yaml", read(t, "catalogue.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := fs.ReadFile(shipped, file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// shippedModules are the rule files, with their tests if wanted.
func shippedModules(t testing.TB, tests bool) []rules.File {
	t.Helper()
	paths, err := fs.Glob(shipped, "rules/*.rego")
	if err != nil {
		t.Fatal(err)
	}
	var files []rules.File
	for _, p := range paths {
		if tests || !strings.HasSuffix(path.Base(p), "_test.rego") {
			files = append(files, rules.File{Path: p, Data: read(t, p)})
		}
	}
	return files
}

// switches are a provider's, as the rules see them. A copy each time.
func switches() rules.Switches {
	return rules.Switches{Domains: map[string][]string{"closed.access": {"none", "read"}}, Values: map[string]any{
		"invite":        map[string]any{"ttl": 604800},
		"contacts":      map[string]any{"mode": "notify_only"},
		"delegation":    map[string]any{"inviters": "administrators"},
		"presets":       map[string]any{"offered": []any{"owner", "billing"}},
		"cancellations": "owner_only",
		"ownership":     map[string]any{"mode": "staff_review"},
		"direct_add":    false,
		"notify":        map[string]any{"users": "by_permission", "credentials_require_permission": false},
		"all_semantics": "dynamic",
		"billing":       map[string]any{"pay": true},
		"closed":        map[string]any{"access": "none"},
		"suspended":     map[string]any{"writes": []any{"invoices", "payment_methods", "tickets"}},
		"session":       map[string]any{"require_acting": false, "mfa_methods": []any{"otp"}},
		"step_up":       map[string]any{"mode": "advise", "max_age": 900},
	}}
}

func shippedProgram(t testing.TB, provider rules.Switches) *rules.Program {
	t.Helper()
	inputs := rules.File{Path: "inputs.yaml", Data: read(t, "inputs.yaml")}
	program, err := rules.Load(shippedCatalogue(t), inputs, shippedModules(t, false), provider)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// question is the input of an active member who holds what the action needs,
// with everything else as quiet as can be.
func question(t testing.TB, p *rules.Program, cat *catalogue.Catalogue, action string) *rules.Input {
	t.Helper()
	a, ok := cat.Action(action)
	if !ok {
		t.Fatalf("no action %s", action)
	}
	in := &rules.Input{
		Action:   rules.ActionFacts{Name: a.Name, Category: a.Category, Effect: a.Effect, Sensitive: a.Sensitive},
		Subject:  rules.SubjectFacts{Type: "user", Kind: "member", Status: "active"},
		Grant:    rules.GrantFacts{State: "active", Holds: true, InScope: "whole_account", Subscribed: "no"},
		Account:  rules.AccountFacts{Status: "active"},
		Session:  rules.SessionFacts{Acting: "same", Actor: "nobody"},
		Resource: rules.ResourceFacts{Member: "nobody"},
		Has:      make([]bool, len(p.Schema().Has)),
	}
	for _, leaf := range p.Schema().Request {
		in.Request = append(in.Request, leaf.Absent)
	}
	return in
}
