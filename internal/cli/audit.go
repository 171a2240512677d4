package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

func auditCommand(p *Process) *cobra.Command {
	c := group("audit", "Work with the audit trail", "")
	c.AddCommand(auditVerifyCommand(p), auditHistoryCommand(p), auditDecisionsCommand(p))
	return c
}

func auditVerifyCommand(p *Process) *cobra.Command {
	var written string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify", Short: "Check that no line of the audit trail was changed, removed or reordered", Args: exactly(0),
		Long: "Walks the trail from its first line and names the first bad one. A trail whose tail was cut off looks whole; " +
			"with --witness, a position written down elsewhere (decision headers carry it) shows that too.",
		Example: "  doorward audit verify --witness 17.0123456789abcdef0123456789abcdef",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	c.Flags().StringVar(&written, "witness", "", "a `position` that the trail must pass through")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		witness, err := readMark("--witness", written)
		if err != nil {
			return err
		}
		report, err := p.verify(c.Context(), s, witness)
		if asJSON {
			return p.printVerdict(report, err)
		}
		if err != nil {
			return err
		}
		return p.printf("The trail is sound: %s, up to position %s.\n", count(int(report.Lines), "line"), report.Position)
	}
	return c
}

// readMark reads a position that a flag gives; nil when it is not given.
func readMark(flag, written string) (*portal.Mark, error) {
	if written == "" {
		return nil, nil
	}
	mark, err := portal.ParseMark(written)
	if err != nil {
		return nil, usagef("%s %v", flag, err)
	}
	return &mark, nil
}

func (p *Process) verify(ctx context.Context, s *settings, witness *portal.Mark) (report directory.Report, err error) {
	c, err := s.load(ctx)
	if err != nil {
		return report, err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return report, err
	}
	defer done(&err)
	clear := p.working("verifying the trail")
	report, err = directory.Verify(ctx, store, witness)
	clear()
	if err != nil {
		return report, fmt.Errorf("verify the trail: %w", err)
	}
	return report, nil
}

// printVerdict prints the result as JSON, with the first bad line if there is one.
func (p *Process) printVerdict(report directory.Report, err error) error {
	broken, bad := errors.AsType[*audit.BrokenError](err)
	if err != nil && !bad {
		return err
	}
	if bad {
		if err := p.printJSON(map[string]any{"ok": false, "line": broken.Seq, "why": broken.Why, "lines": report.Lines}); err != nil {
			return err
		}
		return statusError(statusBroken)
	}
	return p.printJSON(map[string]any{"ok": true, "lines": report.Lines,
		"position": report.Position.String(), "witnessed": report.Witnessed})
}
