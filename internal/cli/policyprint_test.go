package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policytool"
)

// A name that comes from a file is never a formula, a cell of its own or markup (S42).
func TestNamesStayNamesInEveryFormat(t *testing.T) {
	const hostile = "=cmd|'/c'!A0<b>&\x1b[31m\u202e,\"x\""
	m := []policytool.Matrix{{
		Profile: hostile, Presets: []string{"@a", "-b", "+c"},
		Groups: []policytool.Group{{Name: "=g", Label: "<i>g</i>", Rows: []policytool.MatrixRow{{Action: "a|b", Answers: []policytool.Verdict{{Allow: true}, {Reason: "no"}, {}}}}}},
	}}
	for format, want := range map[string]string{
		"csv":      "profile,category,action,'@a,'-b,'+c\r\n\"'=cmd|'/c'!A0<b>&[31m,\"\"x\"\"\",'=g,a|b,allow,no,\r\n",
		"markdown": `| =g | a\|b | ✓ | – | – |`,
		"html":     `<caption>Profile =cmd|&#39;/c&#39;!A0&lt;b&gt;&amp;`,
		"text":     "Profile =cmd|'/c'!A0<b>&[31m,\"x\"\n",
		"json":     `"profile": "=cmd|'/c'!A0<b>&\u001b[31m`,
	} {
		var out bytes.Buffer
		if err := matrixFormats[format](&Process{Stdout: &out}, m); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %q:\n%s", format, want, out.String())
		}
		if format == "html" && strings.Contains(out.String(), "<i>") || strings.ContainsAny(out.String(), "\x1b\u202e") && format != "json" {
			t.Errorf("%s has markup or control characters of others:\n%s", format, out.String())
		}
	}
}

// The caret stands under the column, whatever is before it.
func TestExcerpts(t *testing.T) {
	long := strings.Repeat("a", 150) + "HERE" + strings.Repeat("b", 150)
	s := &sources{fsys: fstest.MapFS{
		"x.csv":  {Data: []byte("one\np, größe, x\r\n\tp\x1b[31m, x")},
		"x.yaml": {Data: []byte("größe: x\n" + long)},
	}}
	for _, c := range []struct {
		fault fault.Fault
		want  string
	}{
		{fault.Fault{File: "x.csv", Line: 2, Column: 13, Fix: "Fix it."}, "  2 | p, größe, x\n    |           ^ Fix it.\n"}, // bytes
		{fault.Fault{File: "x.yaml", Line: 1, Column: 8}, "  1 | größe: x\n    |        ^\n"},                               // characters
		{fault.Fault{File: "x.csv", Line: 3, Column: 10}, "  3 |  p[31m, x\n    |         ^\n"},
		{fault.Fault{File: "x.csv", Line: 1}, "  1 | one\n"},
		{fault.Fault{File: "x.csv", Line: 1, Column: 99}, "  1 | one\n    |    ^\n"},
		{fault.Fault{File: "x.yaml", Line: 2, Column: 151}, "  2 | …" + strings.Repeat("a", 50) + "HERE" + strings.Repeat("b", 46) + "…\n    | " + strings.Repeat(" ", 51) + "^\n"},
		{fault.Fault{File: "x.csv", Line: 9, Column: 1}, ""},
		{fault.Fault{File: "absent", Line: 1}, ""},
		{fault.Fault{File: "../x", Line: 1}, ""},
	} {
		if got := s.excerpt(c.fault); got != c.want {
			t.Errorf("%v:\n%s\nwant\n%s", c.fault, got, c.want)
		}
	}
}

// Whoever edits a policy folder has no other file shown by linking to it, nor a large one
// read (S22, S41). A ConfigMap's links stay inside.
func TestExcerptsStayInTheFolder(t *testing.T) {
	root := t.TempDir()
	folder, secret := filepath.Join(root, "p"), filepath.Join(root, "secret")
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := errors.Join(
		os.MkdirAll(at("..v1"), 0o700), os.WriteFile(secret, []byte("hunter2"), 0o600),
		os.WriteFile(at("..v1/inputs.yaml"), []byte("has: []"), 0o600), os.Symlink("..v1", at("..data")),
		os.Symlink("..data/inputs.yaml", at("inputs.yaml")), os.Symlink(secret, at("provider.yaml")),
		os.Symlink("../secret", at("catalogue.yaml")), os.Symlink("..", at("rules")),
		os.WriteFile(at("large.yaml"), bytes.Repeat([]byte("x\n"), policy.MaxFileSize/2+1), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	in, done := policyFolder{path: folder, fsys: os.DirFS(folder)}.sources()
	defer done()
	for file, want := range map[string]string{
		"inputs.yaml": "  1 | has: []\n", "provider.yaml": "", "catalogue.yaml": "", "rules/secret": "", "large.yaml": "",
	} {
		if got := in.excerpt(fault.Fault{File: file, Line: 1}); got != want {
			t.Errorf("%s: shown %q, want %q", file, got, want)
		}
	}
}
