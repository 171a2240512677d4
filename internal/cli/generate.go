package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/generate"
	"doorward/internal/server"
)

func generateCommand(p *Process) *cobra.Command {
	var o generate.Options
	var at, output string
	var summary bool
	c := &cobra.Command{
		Use: "generate", Short: "Make up a portal as hosting companies have them, to try and to measure with", Args: exactly(0),
		Long: "Writes a file of the format " + generate.Format + ", with presets and categories of the policy. The same policy, number of " +
			"accounts and seed give the same bytes on every machine. Nobody in it exists; every address ends in .example.",
		Example: "  doorward generate --accounts 1000 --seed 7 --summary > portal.jsonl\n" +
			"  doorward generate --accounts 1000 | doorward import - --data ./try",
	}
	s := settingsFlags(p, c, "policies")
	c.Flags().IntVar(&o.Accounts, "accounts", 1000, "how many accounts")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "which of the many portals of that size")
	c.Flags().IntVar(&o.MembersMax, "members-max", generate.DefaultMembersMax, "the most people of its own that an account has besides its owner")
	c.Flags().StringVar(&at, "at", generate.DefaultAt.Format(time.RFC3339), "the `time` of the file, which all its times are relative to")
	c.Flags().StringVar(&output, "output", "", "a new `file` to write instead of stdout")
	c.Flags().BoolVar(&summary, "summary", false, "say on stderr what there is how often")
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		if err := readGenerateFlags(&o, at); err != nil {
			return err
		}
		policy, err := server.LoadPolicy(settings.Policies)
		if err != nil {
			return err
		}
		o.Catalogue, o.Presets = policy.Catalogue, policy.Presets.Names()
		made, err := p.generate(c.Context(), output, o)
		if err != nil || !summary {
			return err
		}
		return made.Print(p.Stderr)
	}
	return c
}

// readGenerateFlags refuses what cannot be made.
func readGenerateFlags(o *generate.Options, at string) (err error) {
	if o.At, err = time.Parse(time.RFC3339, at); err != nil || o.At.Year() < 1000 {
		return usagef("--at %q is not a time as in %s", at, generate.DefaultAt.Format(time.RFC3339))
	}
	if o.Accounts < 0 || o.Accounts > generate.AccountsMax {
		return usagef("--accounts %d: not between 0 and %d", o.Accounts, generate.AccountsMax)
	}
	if o.MembersMax < 1 || o.MembersMax > generate.MembersMaxMax {
		return usagef("--members-max %d: not between 1 and %d", o.MembersMax, generate.MembersMaxMax)
	}
	return nil
}

// generate writes the portal to stdout or to a new file.
func (p *Process) generate(ctx context.Context, output string, o generate.Options) (made generate.Summary, err error) {
	err = p.toFile("portal", output, func(to io.Writer) error {
		made, err = generate.Write(ctx, to, o)
		return err
	})
	return made, err
}
