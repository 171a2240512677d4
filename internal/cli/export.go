package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/server"
	"doorward/internal/whmcsexport"
)

// formatWHMCS is the one format of exports.
const formatWHMCS = "whmcs"

func exportCommand(p *Process) *cobra.Command {
	var format, output string
	c := &cobra.Command{
		Use: "export --format whmcs", Short: "Write what members hold as WHMCS's permission lists", Args: exactly(0),
		Long: "Writes a line of JSON for every active member but the owners: client, user, permissions as WHMCS's UpdateUserPermissions takes " +
			"them, and what is lost and gained by them (docs/import.md). On stderr it says how much of that there is. Nothing is changed.",
		Example: "  doorward export --format whmcs --output permissions.jsonl",
	}
	s := settingsFlags(p, c, "data", "database.url_file", "policies")
	c.Flags().StringVar(&format, "format", "", "the `form` to write: "+formatWHMCS)
	c.Flags().StringVar(&output, "output", "", "a new `file` to write instead of stdout")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if format != formatWHMCS {
			return usagef("--format %q: write --format %s", format, formatWHMCS)
		}
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		made, err := p.export(c.Context(), settings, output)
		if err != nil {
			return err
		}
		if err := made.Print(p.Stderr); err != nil {
			return err
		}
		p.notef("Limits that rules make are not in WHMCS either: see \"And back\" in docs/import.md.")
		return nil
	}
	return c
}

func (p *Process) export(ctx context.Context, c config.Config, output string) (made whmcsexport.Summary, err error) {
	policy, err := server.LoadPolicy(c.Policies)
	if err != nil {
		return made, err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return made, err
	}
	defer done(&err)
	from := whmcsexport.Exporter{Directory: store, Policy: policy, Now: time.Now()}
	err = p.toFile("permission lists", output, func(to io.Writer) error {
		made, err = from.Write(ctx, to)
		return err
	})
	return made, err
}
