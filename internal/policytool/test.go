package policytool

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"doorward/internal/policy/rules"
)

// A TestReport is what came of the tests of a policy folder.
type TestReport struct {
	Files    []TestedFile
	Coverage *Coverage // nil unless it was asked for
	Took     time.Duration
}

// A TestedFile is one file of Rego tests, or one table.
type TestedFile struct {
	Name  string // inside the folder
	Tests []Test // in order of place
	Took  time.Duration
}

// A Test is one Rego test, or the answer to one action of one row.
type Test struct {
	Name string // unique in its file, and the same until what it asks changes
	Line int    // where it is written
	At   int    // the line in which a Rego test failed; 0 when not known
	Want string // of a table's row; else ""
	Got  string // of a table's row; else ""
	// Problem says why it failed; "" when it passed.
	Problem string
	Took    time.Duration
}

// Failed is how many tests of the file failed.
func (f TestedFile) Failed() int {
	failed := 0
	for _, t := range f.Tests {
		if t.Problem != "" {
			failed++
		}
	}
	return failed
}

// Count is how many tests there were, and how many of them failed.
func (r *TestReport) Count() (tests, failed int) {
	for _, f := range r.Files {
		tests, failed = tests+len(f.Tests), failed+f.Failed()
	}
	return tests, failed
}

// TestOptions choose what RunTests does.
type TestOptions struct {
	// Match tells whether to run the test of that name in that file. nil: all.
	Match    func(file, name string) bool
	Coverage bool
}

// RunTests runs the Rego tests of a policy folder under the switches of its
// provider.yaml, and answers its tables, each under its own. Its error is a
// fault.List when the folder is not sound.
func RunTests(ctx context.Context, fsys fs.FS, o TestOptions) (*TestReport, error) {
	start := time.Now()
	s, err := loadSuite(ctx, fsys)
	if err != nil {
		return nil, err
	}
	if o.Match == nil {
		o.Match = func(string, string) bool { return true }
	}
	var noted *rules.Coverage
	if o.Coverage {
		noted = &rules.Coverage{}
	}
	files, answers, err := s.run(ctx, noted, o.Match)
	if err != nil {
		return nil, err
	}
	report := &TestReport{Files: files}
	if o.Coverage {
		report.Coverage = s.coverage(noted, answers)
	}
	report.Took = time.Since(start)
	return report, nil
}

// run runs the tests that match. The answers are those of all tables.
func (s *suite) run(ctx context.Context, noted *rules.Coverage, match func(file, name string) bool) ([]TestedFile, []Result, error) {
	tested := make([]TestedFile, len(s.tables))
	answers := make([][]Result, len(s.tables))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var rego []TestedFile
	group.Go(func() (err error) {
		rego, err = s.runRego(ctx, noted, match)
		return err
	})
	for i := range s.tables {
		group.Go(func() (err error) {
			tested[i], answers[i], err = s.testTable(ctx, &s.tables[i], noted, match)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	files := append(rego, tested...)
	return slices.DeleteFunc(files, func(f TestedFile) bool { return len(f.Tests) == 0 }), slices.Concat(answers...), nil
}

// runRego runs the Rego tests, file by file.
func (s *suite) runRego(ctx context.Context, noted *rules.Coverage, match func(file, name string) bool) ([]TestedFile, error) {
	tests, err := s.source.LoadTests(s.base)
	if err != nil {
		return nil, err
	}
	var files []TestedFile
	for _, t := range tests.List() {
		if !match(t.File, t.Name) {
			continue
		}
		if len(files) == 0 || files[len(files)-1].Name != t.File {
			files = append(files, TestedFile{Name: t.File})
		}
		r := tests.Run(ctx, t, noted)
		if err := ctx.Err(); err != nil {
			return nil, err // the interrupt was the problem, not the test
		}
		file := &files[len(files)-1]
		file.Tests = append(file.Tests, Test{Name: t.Name, Line: t.Line, At: r.At, Problem: r.Problem, Took: r.Took})
		file.Took += r.Took
	}
	return files, nil
}

// testTable answers the rows of a table.
func (s *suite) testTable(ctx context.Context, t *Table, noted *rules.Coverage, match func(file, name string) bool) (TestedFile, []Result, error) {
	start := time.Now()
	names := map[string]int{}
	var chosen []string
	results, err := s.runTable(ctx, t, noted, func(r Result) bool {
		name := r.name()
		if names[name]++; names[name] > 1 {
			name += fmt.Sprintf(" (%d)", names[name])
		}
		if !match(t.File, name) {
			return false
		}
		chosen = append(chosen, name)
		return true
	})
	file := TestedFile{Name: t.File}
	for i, r := range results {
		test := Test{Name: chosen[i], Line: r.Line, Want: r.Want, Got: r.Got}
		if !r.OK() {
			test.Problem = "got " + r.Got + ", want " + r.Want
		}
		file.Tests = append(file.Tests, test)
	}
	file.Took = time.Since(start)
	return file, results, err
}

// name says what was asked, without where it is written.
func (r Result) name() string {
	return strings.TrimSpace(r.Action) + " (" + r.row.Asked + ")"
}
