package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"doorward/internal/fault"
	"doorward/internal/policytool"
	"doorward/internal/server"
)

func policyCheckCommand(p *Process) *cobra.Command {
	var asJSON, strict bool
	c := &cobra.Command{
		Use: "check [FOLDER]", Short: "Report every fault of a policy folder, with file and line",
		Long: "Checks the policy in FOLDER, else the one the settings name, else the one built in: all that a server would\n" +
			"read, the other profiles, and the tables of expected answers; invariants are tried on more than a server does when it\n" +
			"loads a policy. Of a sound policy it says what in it does nothing, and which rows of tables fail.",
		Example: "  doorward policy check ./policies\n  doorward policy check ./policies --strict",
	}
	c.Flags().BoolVar(&strict, "strict", false, "exit with status 3 when there are warnings")
	jsonFlag(c, &asJSON)
	return folderCommand(p, c, func(c *cobra.Command, folder policyFolder) error {
		report, err := policytool.Check(c.Context(), folder.fsys, policytool.Exploring)
		if asJSON {
			err = p.printCheckJSON(folder, report, err)
		} else if err != nil {
			return p.reportFaults(folder, err)
		} else {
			err = p.printCheck(folder, report)
		}
		if err == nil && strict && len(report.Warnings) > 0 {
			return statusError(statusRefused)
		}
		return err
	})
}

// printCheck prints what there is to say about a sound policy. Warnings are messages.
func (p *Process) printCheck(folder policyFolder, r *policytool.CheckReport) error {
	in, done := folder.sources()
	defer done()
	for _, w := range r.Warnings {
		p.noteFault(folder, in, "warning: ", w.Fault)
	}
	err := p.printf("The policy is sound: %s, %s, %s that held for %s. Digest %s\n",
		count(len(r.Policy.Catalogue.Actions()), "action"), count(len(r.Policy.Presets.Names()), "preset"),
		count(len(r.Policy.Rules.Invariants()), "invariant"), count(r.Held.Inputs, "input"), r.Policy.Digest)
	for _, n := range r.Notes {
		n.File, n.Message = folder.named(n.File), "note: "+n.Message
		err = errors.Join(err, p.printf("%s\n", plain(n.Error())))
	}
	return errors.Join(err, p.printWidths(r.Inputs))
}

// printWidths prints how wide each declared input makes what is remembered.
func (p *Process) printWidths(inputs []policytool.Width) error {
	if len(inputs) == 0 {
		return nil
	}
	rows := [][]string{{"declared input", "actions", "answers remembered for one of them"}}
	for _, w := range inputs {
		times := fmt.Sprintf("× %d", w.Factor)
		if w.AtMost > w.Factor {
			times += fmt.Sprintf(" with the samples, × %d at most", w.AtMost)
		}
		rows = append(rows, []string{w.Leaf, fmt.Sprint(w.Actions), times})
	}
	return p.printTable(rows)
}

// printCheckJSON prints the result as JSON; faults are then data, not messages.
func (p *Process) printCheckJSON(folder policyFolder, r *policytool.CheckReport, err error) error {
	if err != nil {
		return p.printFaultsJSON(folder, err)
	}
	for _, list := range [][]policytool.Finding{r.Warnings, r.Notes} {
		for i := range list {
			list[i].File = folder.named(list[i].File)
		}
	}
	return p.printJSON(map[string]any{
		"ok": true, "digest": r.Policy.Digest,
		"actions": len(r.Policy.Catalogue.Actions()), "presets": r.Policy.Presets.Names(),
		"invariants": r.Policy.Rules.Invariants(), "invariants_tried_on": r.Held.Inputs,
		"warnings": orEmpty(r.Warnings), "notes": orEmpty(r.Notes), "inputs": r.Inputs, "evidence": r.Evidence,
	})
}

// printFaultsJSON prints the faults in err as data; any other err is returned.
func (p *Process) printFaultsJSON(folder policyFolder, err error) error {
	faults, refused := errors.AsType[fault.List](server.Below(folder.path, err))
	if !refused {
		return err
	}
	if err := p.printJSON(map[string]any{"ok": false, "faults": faults}); err != nil {
		return err
	}
	return statusError(statusRefused)
}

// orEmpty makes nil a list, which JSON tells apart.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
