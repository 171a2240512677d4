package cli

import (
	"errors"
	"fmt"
	"strings"

	"doorward/internal/policytool"
)

// printCoverage prints what the tests exercise.
func (p *Process) printCoverage(folder policyFolder, c *policytool.Coverage) error {
	err := p.printf("\nRules exercised, by Rego tests and tables together:\n")
	for _, file := range c.Rules {
		name := plain(folder.named(file.File))
		err = errors.Join(err, p.printf("  %5.1f %%  %s: %d of %d\n", file.Percent(), name, file.Covered, file.Total))
		for _, m := range file.Missed {
			lines := fmt.Sprint(m.Line)
			if m.End > m.Line {
				lines += fmt.Sprintf("-%d", m.End)
			}
			err = errors.Join(err, p.printf("    %s:%s: %s\n", name, lines, plain(m.What)))
		}
	}
	return errors.Join(err, p.printCells(c.Cells), p.printf("\n"))
}

// printCells prints presets by category: which answers the tables have seen.
func (p *Process) printCells(cells []policytool.CellCoverage) error {
	presets, categories, shown := []string{"category"}, [][]string{}, 0
	rows := map[string]int{}
	for _, c := range cells {
		if presets[len(presets)-1] != c.Preset {
			presets = append(presets, c.Preset)
		}
		if _, known := rows[c.Category]; !known {
			rows[c.Category] = len(categories)
			categories = append(categories, []string{"  " + c.Category})
		}
		categories[rows[c.Category]] = append(categories[rows[c.Category]], cellWord(c))
		if c.Shown() {
			shown++
		}
	}
	presets[0] = "  " + presets[0]
	return errors.Join(
		p.printf("\nPresets by category, exercised by tables: %d of %d.\n"+
			"  What rows saw: allow, deny, both or nothing. ! marks a cell without an allow where\n"+
			"  the preset gives the category, or without a refusal where it does not.\n", shown, len(cells)),
		p.printTable(append([][]string{presets}, categories...)))
}

func cellWord(c policytool.CellCoverage) string {
	word := map[[2]bool]string{{true, true}: "both", {true, false}: "allow", {false, true}: "deny"}[[2]bool{c.Allowed, c.Refused}]
	if word == "" {
		word = "-"
	}
	if !c.Shown() {
		word += " !"
	}
	return strings.TrimSpace(word)
}
