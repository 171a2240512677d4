package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"doorward/internal/demo"
)

const (
	repository  = "../.."
	shownURL    = "http://127.0.0.1:8080"
	shownBinary = "bin/doorward"
)

// shown are commands on a page, and what stands right below them as their output.
var shown = regexp.MustCompile("(?ms)^```sh\n((?:curl |bin/doorward ).*?)^```$(?:\n\n```(?:json)?\n(.*?)^```$)?")

// paste PAGE...: runs the commands that pages of the repository show, as somebody
// who pastes them into bash would, and compares the output. README.md changes policies/ as it says before its section on changes.
func paste(ts *testscript.TestScript, _ bool, pages []string) {
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(repository, page))
		ts.Check(err)
		before, after, changes := strings.Cut(string(text), "\n## Change something\n")
		pasteBlocks(ts, before)
		if changes {
			line := regexp.MustCompile("Add the line `([^`]+)`").FindStringSubmatch(after)
			presets := ts.MkAbs("policies/presets/presets.csv")
			ts.Check(os.WriteFile(presets, append([]byte(ts.ReadFile(presets)), line[1]+"\n"...), 0o600))
			pasteBlocks(ts, after)
		}
	}
}

func pasteBlocks(ts *testscript.TestScript, text string) {
	all := shown.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		ts.Fatalf("nothing to paste in:\n%s", text)
	}
	for _, m := range all {
		got, want := bash(ts, m[1]), strings.TrimSpace(m[2])
		if want != "" && got != want {
			ts.Fatalf("%s\nprints\n%s\nand not\n%s", m[1], got, want)
		}
		if want == "" && !strings.Contains(got, "allow") && !strings.Contains(got, `"decision":true`) {
			ts.Fatalf("%s\nallows nothing:\n%s", m[1], got)
		}
	}
}

// bash runs a command against this script's server and returns what it prints.
func bash(ts *testscript.TestScript, command string) string {
	command = strings.ReplaceAll(command, shownURL, ts.Getenv("URL"))
	command = strings.ReplaceAll(command, shownBinary, "doorward")
	c := exec.Command("bash", "-c", command)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	out, err := c.Output()
	if _, denied := err.(*exec.ExitError); err != nil && !(denied && strings.HasPrefix(string(out), "deny")) {
		ts.Fatalf("%s\n%v\n%s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// pastedemo: runs the questions that serve --demo prints.
func pasteDemo(ts *testscript.TestScript, _ bool, _ []string) {
	for _, example := range demo.Curls(ts.Getenv("URL")) {
		rest := bash(ts, example.Command)
		for _, want := range example.Expect {
			_, after, found := strings.Cut(rest, want)
			if !found {
				ts.Fatalf("%s\nprints\n%s\nwithout %s", example.Command, rest, want)
			}
			rest = after
		}
	}
}

// copypolicies [FOLDER]: puts the shipped policies into ./policies, or the folder.
func copyPolicies(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(append(args, "policies")[0]), os.DirFS(filepath.Join(repository, "policies"))))
}

// extract PAGE LANGUAGE FILE: puts the first block of that language on a page into
// a file.
func extract(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join(repository, args[0]))
	ts.Check(err)
	_, after, found := strings.Cut(string(text), "```"+args[1]+"\n")
	example, _, _ := strings.Cut(after, "```")
	if !found {
		ts.Fatalf("%s has no block of %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(example), 0o600))
}
