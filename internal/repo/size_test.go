package repo

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Past these sizes a file or a function has more than one thing to say. Tests
// may have long functions: tables are data.
const (
	maxFileLines     = 450
	maxFunctionLines = 45
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	files(t, func(path string) {
		if !strings.HasSuffix(path, ".go") {
			return
		}
		source := read(t, path)
		if n := bytes.Count(source, []byte("\n")); n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", path, n, maxFileLines)
		}
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("parse %v", err)
			return
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > maxFunctionLines {
					t.Errorf("%s: %s has %d lines, more than %d", path, f.Name.Name, n, maxFunctionLines)
				}
			}
		}
	})
}
