package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// citations are the tests that cite each requirement: number → names of tests,
// as docs/requirements.md shows them.
type citations map[string][]string

func (c citations) add(number, test string) {
	if !slices.Contains(c[number], test) {
		c[number] = append(c[number], test)
	}
}

// cite are the forms in which tests cite: the number as the page has it is the
// first group.
var cite = []*regexp.Regexp{
	regexp.MustCompile(`\breq (\d+)\b`),
	regexp.MustCompile(`\b(A13\.\d+)\b`),
	regexp.MustCompile(`\b(C\d{1,2})\b`),
	regexp.MustCompile(`\b(invariant \d+)\b`),
}

// addText adds the citations in a text.
func (c citations) addText(text, test string) {
	for _, form := range cite {
		for _, match := range form.FindAllStringSubmatch(text, -1) {
			c.add(match[1], test)
		}
	}
}

// collect finds every citation in the tree.
func collect(t *testing.T) citations {
	t.Helper()
	found := citations{}
	files(t, func(name string) {
		switch {
		case strings.HasPrefix(name, "internal/repo/"):
			// Its tests cite requirements as examples only.
		case strings.HasSuffix(name, "_test.go"):
			if err := found.addGo(name, read(t, name)); err != nil {
				t.Error(err)
			}
		case path.Dir(name) == "policies/tests" && path.Ext(name) == ".yaml":
			if err := found.addTable(name, read(t, name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case strings.HasSuffix(name, "_test.rego"), strings.HasSuffix(name, ".txtar"):
			found.addText(comments(string(read(t, name))), name)
		}
	})
	for number := range found {
		slices.Sort(found[number])
	}
	return found
}

// addGo adds what a Go file of tests cites. A citation belongs to the test around
// it or below it; outside of tests, to the file.
func (c citations) addGo(name string, source []byte) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	owner := func(pos token.Pos) string { return name }
	for _, d := range slices.Backward(file.Decls) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !isTest(f.Name.Name) {
			continue
		}
		from, to, next := f.Pos(), f.End(), owner
		if f.Doc != nil {
			from = f.Doc.Pos()
		}
		test := testName(name, f.Name.Name)
		owner = func(pos token.Pos) string {
			if from <= pos && pos < to {
				return test
			}
			return next(pos)
		}
	}
	for _, group := range file.Comments {
		c.addText(group.Text(), owner(group.Pos()))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
			c.addText(s.Value, owner(s.Pos()))
		}
		return true
	})
	return nil
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") && name != "TestMain" || strings.HasPrefix(name, "Fuzz")
}

// testName is how the page names a Go test.
func testName(file, function string) string {
	return strings.TrimPrefix(path.Dir(file), "internal/") + "." + function
}

// addTable adds what the rows of a table of expected answers cite.
func (c citations) addTable(name string, source []byte) error {
	var table struct {
		Rows []struct {
			Req []string `yaml:"req"`
		} `yaml:"rows"`
	}
	if err := yaml.Unmarshal(source, &table); err != nil {
		return err
	}
	for _, row := range table.Rows {
		for _, number := range row.Req {
			if !elsewhere.MatchString(number) {
				c.add(number, name)
			}
		}
	}
	return nil
}

// elsewhere are numbers that rows may cite and that are not on the page: attacks
// and parts of the survey.
var elsewhere = regexp.MustCompile(`^(S\d+|D2)$`)

// comments are the lines of a text that are comments.
func comments(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			kept = append(kept, comment)
		}
	}
	return strings.Join(kept, "\n")
}
