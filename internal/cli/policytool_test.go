package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"doorward/internal/cli"
	"doorward/internal/directory"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
)

// replace FILE OLD NEW: puts one text in place of another; in place of ” it is
// appended. The texts may have Go's escapes.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	text := ts.ReadFile(file)
	unquoted, err := strconv.Unquote(`"` + strings.ReplaceAll(args[2], `"`, `\"`) + `"`)
	ts.Check(err)
	switch {
	case args[1] == "":
		text += unquoted
	case strings.Contains(text, args[1]):
		text = strings.Replace(text, args[1], unquoted, 1)
	default:
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(file, []byte(text), 0o600))
}

// policy test --watch runs again when a table changes, and ends with the status of
// the last run.
func TestWatchRunsTestsAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "policies")
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(repository, "policies"))); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(folder, "tests", "own.yaml")
	write := func(text string) {
		if err := os.WriteFile(table, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("rows: [{req: 62, who: billing, do: invoice.list, want: allow}]\n")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var messages bytes.Buffer
	out := &stepped{steps: []step{
		{"ok: 1 test ", func() { write("rows: [{req: 62, who: billing, do: ticket.list, want: allow}]\n") }},
		{"FAIL: 1 test ", stop},
	}}
	status := cli.Main(ctx, cli.Process{
		Args: []string{"policy", "test", folder, "--watch", "--run", "own.yaml"}, Stdout: out, Stderr: &messages,
	})
	if status != 6 || len(out.steps) > 0 {
		t.Errorf("exit status %d, waiting for %v:\n%s%s", status, out.steps, out.String(), messages.String())
	}
	if got := strings.Count(messages.String(), ": the folder changed\n"); got != 1 {
		t.Errorf("%d separators in %s", got, messages.String())
	}
}

// A step waits for a text and then does something.
type step struct {
	text string
	then func()
}

// stepped is a writer that takes its steps one after the other.
type stepped struct {
	bytes.Buffer
	steps []step
}

// Write keeps p.
func (s *stepped) Write(p []byte) (int, error) {
	n, err := s.Buffer.Write(p)
	if len(s.steps) > 0 && strings.Contains(s.String(), s.steps[0].text) {
		next := s.steps[0]
		s.steps = s.steps[1:]
		next.then()
	}
	return n, err
}

// sign FOLDER KEY FILE: writes a bundle of a folder as it is.
func sign(ts *testscript.TestScript, _ bool, args []string) {
	key, err := bundle.ReadSigningKey(bundle.DefaultKeyID, ts.MkAbs(args[1]))
	ts.Check(err)
	data, err := bundle.Write(policy.Read(os.DirFS(ts.MkAbs(args[0]))), "", key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o600))
}

// Every bundle that somebody can make can be promoted (R13).
func TestABundleFitsIntoTheDirectory(t *testing.T) {
	if bundle.MaxSize > directory.MaxBundle {
		t.Errorf("a bundle may have %d bytes, and a promotion %d", bundle.MaxSize, directory.MaxBundle)
	}
}
