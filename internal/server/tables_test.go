package server_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorward/internal/config"
	"doorward/internal/fault"
	"doorward/internal/policytool"
	"doorward/internal/server"
)

// writeTable writes a table of two rows, of which as many fail as there are wants that
// are not allow.
func writeTable(t *testing.T, folder string, wants ...string) {
	t.Helper()
	table := "rows:\n"
	for _, want := range wants {
		table += "  - {req: 62, who: billing, do: [invoice.list, invoice.view], want: " + want + "}\n"
	}
	file := filepath.Join(folder, "tests", "mine.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(table), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// run starts a server that is expected not to, and returns why.
func run(t *testing.T, c config.Config) error {
	t.Helper()
	return server.Run(t.Context(), c, server.Options{Log: slog.New(slog.DiscardHandler), Started: func([]string) { t.Error("it started") }})
}

func TestFailingTablesAreAWarning(t *testing.T) {
	c := editable(t)
	writeTable(t, c.Policies, "allow", "owner_only")
	e := startWith(t, c)
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	r := e.ready()
	w := r.Warnings[0]
	want := fault.Fault{File: "tests/mine.yaml", Line: 3, Message: "invoice.list is answered allow, not owner_only; invoice.view is answered allow, not owner_only"}
	if r.Status != server.Ready || len(r.Warnings) != 1 || w.Part != "policy" || w.Detail != "1 row of tests/mine.yaml fails" || !slices.Equal(w.Faults, []fault.Fault{want}) {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(e.get("/metrics"), "doorward_policy_tables_failing 1\n") || !e.carlPays() {
		t.Error("no metric, or the policy is not in force")
	}
	writeTable(t, c.Policies, "owner_only", "removed", "allow")
	e.within(live, "more rows", func() bool {
		w := e.ready().Warnings
		return len(w) == 1 && w[0].Detail == "2 rows of tests/mine.yaml fail"
	})
	writeTable(t, c.Policies, "allow")
	e.within(live, "no warning", func() bool { return e.ready().Warnings == nil })
}

// A table that is malformed is reported like one that fails.
func TestMalformedTablesAreAWarning(t *testing.T) {
	c := editable(t)
	writeTable(t, c.Policies, "allow, wnt: allow")
	e := startWith(t, c)
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	if w := e.ready().Warnings[0]; len(w.Faults) != 1 || w.Faults[0].File != "tests/mine.yaml" || w.Faults[0].Line != 2 {
		t.Errorf("%+v", w)
	}
}

func TestFailingTablesRefuseWhereConfigured(t *testing.T) {
	c := editable(t)
	c.Policy.FailingTables = config.RefuseFailing
	writeTable(t, c.Policies, "allow", "owner_only")
	want := filepath.Join(c.Policies, "tests/mine.yaml") + ":3: invoice.list is answered allow"
	err := run(t, c)
	if faults, ok := errors.AsType[fault.List](err); !ok || len(faults) != 1 || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	writeTable(t, c.Policies, "allow")
	e := startWith(t, c)
	before := e.ready().Policy
	writeTable(t, c.Policies, "owner_only")
	e.write(bytes.Replace(e.lines, []byte("p, billing, payment_methods, allow\n"), nil, 1))
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	if r := e.ready(); r.Policy != before || r.Warnings[0].Faults[0].Line != 2 {
		t.Errorf("%+v", r)
	}
	writeTable(t, c.Policies, "allow")
	e.within(live, "the new policy", func() bool { return e.ready().Policy != before })
}

// Start, check and reload refuse a policy that breaks an invariant alike.
func TestABrokenInvariantRefusesEverywhere(t *testing.T) {
	c := editable(t)
	e := startWith(t, c)
	before, file := e.ready().Policy, filepath.Join(c.Policies, "rules", "guardrails.rego")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const guard = "\tinput.resource.member == \"owner\"\n"
	if err := os.WriteFile(file, bytes.Replace(data, []byte(guard), []byte(guard+"\tinput.session.acting == \"other\"\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	w := e.ready().Warnings[0]
	if e.ready().Policy != before || len(w.Faults) != 1 || w.Faults[0].File != "invariants/people.rego" || !strings.HasPrefix(w.Faults[0].Message, "nobody_edits_the_owner does not hold") {
		t.Fatalf("%+v", w)
	}
	w.Faults[0].File = filepath.Join(c.Policies, w.Faults[0].File)
	other := local(t)
	other.Policies = c.Policies
	for name, err := range map[string]error{"start": run(t, other)} {
		if err == nil || err.Error() != w.Faults[0].Error() {
			t.Errorf("%s: %v, want %v", name, err, w.Faults[0])
		}
	}
	if _, err := policytool.Check(t.Context(), os.DirFS(c.Policies), 0); err == nil || !strings.Contains(err.Error(), "nobody_edits_the_owner does not hold") {
		t.Errorf("check: %v", err)
	}
}
