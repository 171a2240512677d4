package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/policy/watch"
	"doorward/internal/policytool"
)

// testFlags are the flags of policy test that are no settings.
type testFlags struct {
	run      string
	junit    string
	coverage bool
	watch    bool
	json     bool
}

func policyTestCommand(p *Process) *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use: "test [FOLDER]", Short: "Run the tests of a policy folder: Rego tests and tables of expected answers",
		Long: "Runs the tests in rules/*_test.rego and answers the tables in tests/*.yaml, for the policy in FOLDER, else the one\n" +
			"the settings name, else the one built in. A table is answered under the profile and switches that it names.",
		Example: "  doorward policy test ./policies\n  doorward policy test ./policies --run 'mail' --coverage\n  doorward policy test ./policies --watch",
	}
	c.Flags().StringVar(&f.run, "run", "", "run only tests whose file and name match this `regexp`")
	c.Flags().StringVar(&f.junit, "junit", "", "write the results to this `file` in JUnit's XML as well")
	c.Flags().BoolVar(&f.coverage, "coverage", false, "tell which rules, and which presets by category, the tests exercise")
	c.Flags().BoolVar(&f.watch, "watch", false, "run again whenever the folder changes, until interrupted")
	jsonFlag(c, &f.json)
	return folderCommand(p, c, func(c *cobra.Command, folder policyFolder) error {
		options, err := f.options()
		if err != nil {
			return err
		}
		if f.watch {
			return p.watchTests(c.Context(), folder, f, options)
		}
		return p.runTests(c.Context(), folder, f, options)
	})
}

// options are what the flags ask for.
func (f testFlags) options() (policytool.TestOptions, error) {
	o := policytool.TestOptions{Coverage: f.coverage}
	if f.run == "" {
		return o, nil
	}
	wanted, err := regexp.Compile(f.run)
	if err != nil {
		return o, usagef("--run: %v", err)
	}
	o.Match = func(file, name string) bool { return wanted.MatchString(file + " " + name) }
	return o, nil
}

// runTests runs the tests once and prints what came of them.
func (p *Process) runTests(ctx context.Context, folder policyFolder, f testFlags, o policytool.TestOptions) error {
	report, err := policytool.RunTests(ctx, folder.fsys, o)
	switch {
	case err != nil && f.json:
		return p.printFaultsJSON(folder, err)
	case err != nil:
		return p.reportFaults(folder, err)
	}
	tests, failed := report.Count()
	if tests == 0 {
		return usagef("there are no tests to run%s", map[bool]string{true: " that match --run"}[f.run != ""])
	}
	err = p.printReport(folder, report, f)
	if err == nil && failed > 0 {
		return statusError(statusFailed)
	}
	return err
}

// printReport prints a report as the flags ask. What cannot be written to one place is
// printed at the other all the same.
func (p *Process) printReport(folder policyFolder, r *policytool.TestReport, f testFlags) error {
	show := p.printTests
	if f.json {
		show = p.printTestsJSON
	}
	err := show(folder, r)
	if f.junit != "" {
		err = errors.Join(err, writeJUnit(f.junit, r))
	}
	return err
}

// watchTests runs the tests now and whenever the folder has changed, until ctx ends.
// Its error is the last run's.
func (p *Process) watchTests(ctx context.Context, folder policyFolder, f testFlags, o policytool.TestOptions) error {
	if folder.path == "" {
		return usagef("--watch needs a folder: the built-in policy never changes")
	}
	var last error
	first := true
	watch.Each(ctx, folder.path, watch.Options{Log: slog.New(slog.DiscardHandler)}, func() string { return policytool.Print(folder.fsys) }, func() {
		if !first {
			p.notef("---- %s: the folder changed", time.Now().Format(time.TimeOnly))
		}
		first = false
		err := p.runTests(ctx, folder, f, o)
		if errors.Is(err, context.Canceled) {
			return // the run did not come to its end
		}
		last = err
		p.report(err)
		p.notef("waiting for changes in %s", plain(folder.path))
	})
	if last == nil || isStatus(last) {
		return last
	}
	return statusError(statusOf(last)) // it was told already
}

// printTests prints one line a file, and below it what failed.
func (p *Process) printTests(folder policyFolder, r *policytool.TestReport) error {
	width := 0
	for _, file := range r.Files {
		width = max(width, len(folder.named(file.Name)))
	}
	var err error
	for _, file := range r.Files {
		err = errors.Join(err, p.printTestedFile(folder, file, width))
	}
	if r.Coverage != nil {
		err = errors.Join(err, p.printCoverage(folder, r.Coverage))
	}
	tests, failed := r.Count()
	word := "ok"
	if failed > 0 {
		word = "FAIL"
	}
	return errors.Join(err, p.printf("%s: %s in %s, %d passed, %d failed, in %s\n",
		word, count(tests, "test"), count(len(r.Files), "file"), tests-failed, failed, seconds(r.Took)))
}

func (p *Process) printTestedFile(folder policyFolder, file policytool.TestedFile, width int) error {
	failed, word := file.Failed(), "ok  "
	if failed > 0 {
		word = "FAIL"
	}
	name := plain(folder.named(file.Name))
	err := p.printf("%s  %-*s  %4d passed  %4d failed  %s\n", word, width, name, len(file.Tests)-failed, failed, seconds(file.Took))
	for _, t := range file.Tests {
		if t.Problem != "" {
			err = errors.Join(err, p.printf("  %s:%d: %s: %s\n", name, at(t), plain(t.Name), plain(t.Problem)))
		}
	}
	return err
}

// at is the line to look at.
func at(t policytool.Test) int {
	if t.At > 0 {
		return t.At
	}
	return t.Line
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
