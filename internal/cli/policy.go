package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/server"
)

func policyCommand(p *Process) *cobra.Command {
	c := group("policy", "Work on policies", "")
	c.AddCommand(policyCheckCommand(p))
	return c
}

func policyCheckCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "check [FOLDER]", Short: "Report every fault of a policy folder, with file and line",
		Long:    "Loads the policy as a server would: the one in FOLDER, else the one the settings name, else the one built in.",
		Example: "  doorward policy check ./policies",
		Args: cobra.MatchAll(func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one folder.\nUsage: %s", c.CommandPath(), c.UseLine())
			}
			return nil
		}),
	}
	s := settingsFlags(p, c, "policies")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		folder := settings.Policies
		if len(args) == 1 {
			folder = args[0]
		}
		checked, err := server.LoadPolicy(folder)
		if asJSON {
			return p.printCheck(checked, err)
		}
		if err != nil {
			return err
		}
		return p.printf("The policy is sound: %s, %s. Digest %s\n",
			count(len(checked.Catalogue.Actions()), "action"), count(len(checked.Presets.Names()), "preset"), checked.Digest)
	}
	return c
}

// printCheck prints the result as JSON; the faults are then data, not messages.
func (p *Process) printCheck(checked *policy.Policy, err error) error {
	faults, refused := errors.AsType[fault.List](err)
	if err != nil && !refused {
		return err
	}
	if refused {
		if err := p.printJSON(map[string]any{"ok": false, "faults": faults}); err != nil {
			return err
		}
		return statusError(statusRefused)
	}
	return p.printJSON(map[string]any{"ok": true, "digest": checked.Digest,
		"actions": len(checked.Catalogue.Actions()), "presets": checked.Presets.Names()})
}
