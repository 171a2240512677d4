// Package cli is the command line: one file per command.
//
// Commands read arguments, call the package that does the work, print, and pick
// the exit status; nothing is decided here. Data goes to stdout, messages go to
// stderr, and text that came from files or people is printed without control
// characters (S42). No flag takes a secret, and nothing is coloured, so NO_COLOR
// and TERM=dumb have nothing to turn off.
package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// A Process is what the operating system hands to a program.
type Process struct {
	Args    []string // without the program's name
	Environ []string // NAME=value
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version string // of the program
}

// Main runs the command that the arguments name, until it is done or ctx ends,
// and returns the exit status (docs/cli.md).
func Main(ctx context.Context, p Process) int {
	root := newRoot(&p)
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	p.report(err)
	return statusOf(err)
}

func newRoot(p *Process) *cobra.Command {
	root := group("doorward", "Answers whether a person may do a thing on a customer's account",
		"Doorward answers one question over HTTP: may this person do this on this account, now?\n\n"+
			"Start with: doorward serve --demo")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = p.Version
	root.SetVersionTemplate("doorward {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
	root.AddCommand(
		serveCommand(p), directoryCommand(p), sidecarCommand(p), gatesCommand(p), cacheCommand(p), decideCommand(p), policyCommand(p), importCommand(p), exportCommand(p), generateCommand(p), tokenCommand(p), staffCommand(p),
		auditCommand(p), backupCommand(p), restoreCommand(p), healthCommand(p), versionCommand(p), exitCodesTopic(),
	)
	return root
}

// group makes a command that only holds others.
func group(use, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args[0])
		},
	}
}

// helpCommand explains the command that its arguments name; cobra's own answers
// for a name that it does not know as if nothing had been named.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Explain a command",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return usagef("%v", err)
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest[0])
			}
			return about.Help()
		},
	}
}

// exactly refuses another number of arguments than the usage line shows.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usagef("%s takes %s, not %d.\nUsage: %s", c.CommandPath(), count(n, "argument"), len(args), c.UseLine())
	}
}

// atLeastOne refuses no arguments.
func atLeastOne(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return usagef("%s takes at least one argument.\nUsage: %s", c.CommandPath(), c.UseLine())
}

func versionCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return p.printJSON(map[string]string{"version": p.Version})
			}
			return p.printf("doorward %s\n", p.Version)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func jsonFlag(c *cobra.Command, to *bool) {
	c.Flags().BoolVar(to, "json", false, "print JSON")
}

// isStatus tells whether err only carries an exit status and was told already.
func isStatus(err error) bool {
	_, ok := errors.AsType[statusError](err)
	return ok
}
