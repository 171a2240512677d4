package cli

import (
	"encoding/xml"
	"fmt"
	"os"
	"time"

	"doorward/internal/policytool"
)

// printTestsJSON prints the results as data.
func (p *Process) printTestsJSON(folder policyFolder, r *policytool.TestReport) error {
	type test struct {
		Name    string  `json:"name"`
		Line    int     `json:"line"`
		OK      bool    `json:"ok"`
		Want    string  `json:"want,omitempty"`
		Got     string  `json:"got,omitempty"`
		At      int     `json:"failed_at,omitempty"`
		Problem string  `json:"problem,omitempty"`
		Seconds float64 `json:"seconds,omitempty"`
	}
	type file struct {
		Name    string  `json:"file"`
		Passed  int     `json:"passed"`
		Failed  int     `json:"failed"`
		Seconds float64 `json:"seconds"`
		Tests   []test  `json:"tests"`
	}
	var files []file
	for _, f := range r.Files {
		out := file{Name: folder.named(f.Name), Passed: len(f.Tests) - f.Failed(), Failed: f.Failed(), Seconds: f.Took.Seconds()}
		for _, t := range f.Tests {
			out.Tests = append(out.Tests, test{t.Name, t.Line, t.Problem == "", t.Want, t.Got, t.At, t.Problem, t.Took.Seconds()})
		}
		files = append(files, out)
	}
	tests, failed := r.Count()
	report := map[string]any{"ok": failed == 0, "passed": tests - failed, "failed": failed, "seconds": r.Took.Seconds(), "files": files}
	if r.Coverage != nil {
		report["coverage"] = coverageJSON(folder, r.Coverage)
	}
	return p.printJSON(report)
}

func coverageJSON(folder policyFolder, c *policytool.Coverage) any {
	type file struct {
		Name    string              `json:"file"`
		Covered int                 `json:"covered"`
		Total   int                 `json:"total"`
		Percent float64             `json:"percent"`
		Missed  []policytool.Missed `json:"missed"`
	}
	var files []file
	for _, f := range c.Rules {
		files = append(files, file{folder.named(f.File), f.Covered, f.Total, f.Percent(), orEmpty(f.Missed)})
	}
	return map[string]any{"rules": orEmpty(files), "presets": orEmpty(c.Cells)}
}

// The elements of JUnit's XML that CI systems read.
type (
	junitSuites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Time     string   `xml:"time,attr"`
		Suites   []junitSuite
	}
	junitSuite struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Time     string   `xml:"time,attr"`
		Cases    []junitCase
	}
	junitCase struct {
		XMLName xml.Name `xml:"testcase"`
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		File    string   `xml:"file,attr"`
		Line    int      `xml:"line,attr"`
		Time    string   `xml:"time,attr"`
		Failure *junitFailure
	}
	junitFailure struct {
		XMLName xml.Name `xml:"failure"`
		Message string   `xml:"message,attr"`
		Text    string   `xml:",chardata"`
	}
)

// writeJUnit writes the results for CI systems. Files are named as inside the policy
// folder, so that a test keeps its name wherever the folder lies.
func writeJUnit(file string, r *policytool.TestReport) error {
	all := junitSuites{Name: "doorward policy test", Time: junitTime(r.Took)}
	all.Tests, all.Failures = r.Count()
	for _, f := range r.Files {
		suite := junitSuite{Name: f.Name, Tests: len(f.Tests), Failures: f.Failed(), Time: junitTime(f.Took)}
		for _, t := range f.Tests {
			c := junitCase{Class: f.Name, Name: t.Name, File: f.Name, Line: t.Line, Time: junitTime(t.Took)}
			if t.Problem != "" {
				c.Failure = &junitFailure{Message: t.Problem, Text: fmt.Sprintf("%s:%d: %s: %s", f.Name, at(t), t.Name, t.Problem)}
			}
			suite.Cases = append(suite.Cases, c)
		}
		all.Suites = append(all.Suites, suite)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append([]byte(xml.Header), append(text, '\n')...), 0o666)
	}
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
