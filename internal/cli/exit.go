package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"doorward/internal/audit"
	"doorward/internal/directory/sqlite"
	"doorward/internal/fault"
	"doorward/internal/importer"
	"doorward/internal/policy/bundle"
	"doorward/internal/policytool"
	"doorward/internal/staff"
	"doorward/internal/token"
)

// The exit statuses. They are stable: scripts depend on them.
const (
	statusOK      = 0
	statusFailure = 1
	statusUsage   = 2
	statusRefused = 3
	statusDenied  = 4
	statusBroken  = 5
	statusFailed  = 6
	statusKeptOut = 7
	statusPending = 8
)

// exitCodes explains the statuses, for help and docs/cli.md.
const exitCodes = `Exit status:
  0  done; the decision is allow; the server is ready
  1  it could not be done: the directory cannot be opened, the server cannot be
     reached or is not ready, a question could not be judged, a stop cut off
     requests
  2  the command line is wrong: unknown command or flag, missing argument
  3  what was read is refused, with file and line: policy, settings, import file
     (also one that would prune too much), a backup, or a bundle; with doorward policy check --strict also for its warnings
  4  the decision is deny (doorward decide)
  5  the audit trail does not verify (doorward audit verify, backup, restore)
  6  tests of the policy failed (doorward policy test)
  7  the import is in but for records that were kept out (doorward import)
  8  the policy is promoted and not in force at every sidecar yet (doorward
     policy promote)
`

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit statuses mean", Long: strings.TrimSpace(exitCodes)}
}

// A statusError ends the program with a status when everything was said already.
type statusError int

// Error satisfies error; nobody is shown it.
func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// A usageError tells that the command line is wrong.
type usageError struct{ message string }

// Error returns the message.
func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// statusOf picks the exit status for a command's error.
func statusOf(err error) int {
	if err == nil {
		return statusOK
	}
	if s, ok := errors.AsType[statusError](err); ok {
		return int(s)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return statusUsage
	}
	if _, ok := errors.AsType[*token.ArgumentError](err); ok {
		return statusUsage
	}
	if _, ok := errors.AsType[*policytool.ArgumentError](err); ok {
		return statusUsage
	}
	if _, ok := errors.AsType[*staff.ArgumentError](err); ok {
		return statusUsage
	}
	if _, ok := errors.AsType[fault.List](err); ok {
		return statusRefused
	}
	if errors.Is(err, importer.ErrPrunes) || errors.Is(err, bundle.ErrRefused) {
		return statusRefused
	}
	if _, ok := errors.AsType[*audit.BrokenError](err); ok {
		return statusBroken
	}
	if _, ok := errors.AsType[*sqlite.RefusedError](err); ok {
		return statusRefused
	}
	return statusFailure
}

// unknownCommand suggests, and never runs, what may have been meant.
func unknownCommand(c *cobra.Command, name string) error {
	hint := fmt.Sprintf("See %s --help.", c.CommandPath())
	if near := c.SuggestionsFor(name); len(near) > 0 {
		hint = fmt.Sprintf("Did you mean %q?", near[0])
	}
	return usagef("%s has no command %q. %s", c.CommandPath(), name, hint)
}

// flagError does the same for flags.
func flagError(c *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usagef("%v. See %s --help.", err, c.CommandPath())
	}
	name := "--" + unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		name = "-" + unknown.GetSpecifiedName()
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	hint := fault.Closest(name, known)
	if hint == "" {
		hint = fmt.Sprintf("See %s --help.", c.CommandPath())
	}
	return usagef("%s has no flag %s. %s", c.CommandPath(), name, hint)
}
