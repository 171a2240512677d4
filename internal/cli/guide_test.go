package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// A block is one fenced block of a page: its language, the file it is about, and what
// is in it.
var block = regexp.MustCompile("(?ms)^```([a-z]*)(?: ([^\n]+))?\n(.*?)^```$")

// work PAGE: does what a page of the repository says, in order, in the script's
// folder. A block that names a file is written to it; a diff changes the file where
// its lines stand; commands are run, and what the next block without a language says
// they print is compared, with … for any part of a line, or alone for any lines.
func work(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join(repository, args[0]))
	ts.Check(err)
	blocks := block.FindAllStringSubmatch(string(text), -1)
	ran := 0
	for i, b := range blocks {
		switch language, file, body := b[1], b[2], b[3]; {
		case language == "diff":
			change(ts, file, body)
		case language == "sh":
			ran++
			got, ok := printed(ts, body)
			if i+1 < len(blocks) && blocks[i+1][1] == "" {
				matches(ts, body, got, blocks[i+1][3])
			} else if !ok {
				ts.Fatalf("%s\nfails:\n%s", body, got)
			}
		case file != "":
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(body), 0o600))
		}
	}
	if ran == 0 {
		ts.Fatalf("%s has nothing to run", args[0])
	}
}

// change makes the change that a diff shows. Its lines must stand at one place.
func change(ts *testscript.TestScript, file, diff string) {
	var before, after strings.Builder
	for line := range strings.Lines(diff) {
		switch rest := line[1:]; line[0] {
		case '+':
			after.WriteString(rest)
		case '-':
			before.WriteString(rest)
		default:
			before.WriteString(rest)
			after.WriteString(rest)
		}
	}
	was := ts.ReadFile(file)
	if n := strings.Count(was, before.String()); n != 1 {
		ts.Fatalf("%s has %d places for\n%s", file, n, diff)
	}
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(strings.Replace(was, before.String(), after.String(), 1)), 0o600))
}

// printed runs commands one after the other, whatever their status, and returns all
// they print; ok is false when the last one fails.
func printed(ts *testscript.TestScript, commands string) (out string, ok bool) {
	c := exec.Command("bash", "-c", strings.NewReplacer(shownBinary, "doorward", shownURL, ts.Getenv("URL")).Replace(commands))
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	both, err := c.CombinedOutput()
	return string(both), err == nil
}

// matches compares what was printed with what a page shows.
func matches(ts *testscript.TestScript, command, got, want string) {
	var pattern strings.Builder
	for line := range strings.Lines(want) {
		line = strings.TrimSuffix(line, "\n")
		if line == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `[ ]*\n`)
	}
	if !regexp.MustCompile(`\A` + pattern.String() + `\s*\z`).MatchString(got + "\n") { // the last line need not have ended
		ts.Fatalf("%s\nprints\n%s\nand not\n%s", command, got, want)
	}
}
