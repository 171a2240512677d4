package cli

import (
	"encoding/csv"
	"strings"

	"github.com/spf13/cobra"

	"doorward/internal/policytool"
)

// matrixFormats are how a matrix can be printed.
var matrixFormats = map[string]func(*Process, []policytool.Matrix) error{
	"text": (*Process).matrixText, "markdown": (*Process).matrixMarkdown, "csv": (*Process).matrixCSV,
	"html": (*Process).matrixHTML, "json": (*Process).matrixJSON,
}

func policyMatrixCommand(p *Process) *cobra.Command {
	var o policytool.MatrixOptions
	var format string
	var asJSON bool
	c := &cobra.Command{
		Use: "matrix [FOLDER]", Short: "Print which preset may do what",
		Long: "Prints presets by actions for the policy in FOLDER, else the one the settings name, else the one built in. A cell is\n" +
			"the answer to an active member with exactly that preset, on an active account, right after a login with a second factor.",
		Example: "  doorward policy matrix --profile four-roles\n" +
			"  doorward policy matrix ./policies --presets billing,support,billing+support --actions 'invoice.*'\n" +
			"  doorward policy matrix ./policies --all-profiles --format html > matrix.html",
	}
	c.Flags().StringArrayVar(&o.Profiles, "profile", nil, "the `profile` to show, again for more (default: what provider.yaml says)")
	c.Flags().BoolVar(&o.AllProfiles, "all-profiles", false, "show every profile")
	c.Flags().StringSliceVar(&o.Presets, "presets", nil, "the `presets` to show, billing+support for somebody with both (default: owner and those offered)")
	c.Flags().BoolVar(&o.AllPresets, "all-presets", false, "show every preset of the folder")
	c.Flags().StringVar(&o.Actions, "actions", "", "show only actions that match this `pattern`, as in 'invoice.*'")
	c.Flags().StringVar(&format, "format", "text", "text, markdown, csv, html or json")
	jsonFlag(c, &asJSON)
	return folderCommand(p, c, func(c *cobra.Command, folder policyFolder) error {
		if asJSON && c.Flags().Changed("format") && format != "json" {
			return usagef("--json and --format %s both choose the form; keep one of them", format)
		}
		if asJSON {
			format = "json"
		}
		show, known := matrixFormats[format]
		switch {
		case !known:
			return usagef("--format cannot be %q. Known are: text, markdown, csv, html, json.", format)
		case o.AllProfiles && len(o.Profiles) > 0:
			return usagef("--all-profiles and --profile both choose profiles; keep one of them")
		case o.AllPresets && len(o.Presets) > 0:
			return usagef("--all-presets and --presets both choose presets; keep one of them")
		}
		matrices, err := policytool.Matrices(c.Context(), folder.fsys, o)
		switch {
		case err != nil && format == "json":
			return p.printFaultsJSON(folder, err)
		case err != nil:
			return p.reportFaults(folder, err)
		}
		return show(p, matrices)
	})
}

// matrixTitle names the profile of a matrix.
func matrixTitle(m policytool.Matrix) string {
	if m.Profile == "" {
		return "As provider.yaml says"
	}
	return "Profile " + m.Profile
}

const matrixMeaning = "What an active member with exactly that preset may do, on an active account, right after a login with a second factor."

func mark(v policytool.Verdict) string {
	if v.Allow {
		return "✓"
	}
	return "–"
}

// answer is allow, or why not.
func answer(v policytool.Verdict) string {
	if v.Allow {
		return "allow"
	}
	return v.Reason
}

func (p *Process) matrixText(matrices []policytool.Matrix) error {
	for i, m := range matrices {
		between := ""
		if i > 0 {
			between = "\n"
		}
		if err := p.printf("%s%s\n%s\n✓ allowed, – refused\n\n", between, plain(matrixTitle(m)), matrixMeaning); err != nil {
			return err
		}
		rows := [][]string{append([]string{""}, m.Presets...)}
		for _, g := range m.Groups {
			rows = append(rows, []string{g.Name})
			for _, r := range g.Rows {
				row := []string{"  " + r.Action}
				for _, v := range r.Answers {
					row = append(row, mark(v))
				}
				rows = append(rows, row)
			}
		}
		if err := p.printTable(rows); err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) matrixMarkdown(matrices []policytool.Matrix) error {
	var b strings.Builder
	line := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = markdownCell(cell)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	for i, m := range matrices {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("## " + markdownCell(matrixTitle(m)) + "\n\n" + matrixMeaning + "\n\n")
		line(append([]string{"category", "action"}, m.Presets...)...)
		b.WriteString("|" + strings.Repeat("---|", 2) + strings.Repeat(":-:|", len(m.Presets)) + "\n")
		for _, g := range m.Groups {
			for _, r := range g.Rows {
				row := []string{g.Name, r.Action}
				for _, v := range r.Answers {
					row = append(row, mark(v))
				}
				line(row...)
			}
		}
	}
	return p.printf("%s", b.String())
}

// markdownCell takes from a text what would mean something in a table of Markdown.
func markdownCell(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "`", "\\`", "*", `\*`, "[", `\[`, "_", `\_`).Replace(plain(s))
}

// matrixCSV prints the matrices as one CSV (RFC 4180) whose columns are all presets
// of all of them; a cell is empty where a profile does not show the preset.
func (p *Process) matrixCSV(matrices []policytool.Matrix) error {
	var presets []string
	column := map[string]int{}
	for _, m := range matrices {
		for _, preset := range m.Presets {
			if _, known := column[preset]; !known {
				column[preset] = len(presets)
				presets = append(presets, preset)
			}
		}
	}
	w := csv.NewWriter(p.Stdout)
	w.UseCRLF = true
	write := func(cells []string) error {
		for i, cell := range cells {
			cells[i] = csvCell(cell)
		}
		return w.Write(cells)
	}
	if err := write(append([]string{"profile", "category", "action"}, presets...)); err != nil {
		return err
	}
	for _, m := range matrices {
		for _, g := range m.Groups {
			for _, r := range g.Rows {
				row := make([]string, 3+len(presets))
				row[0], row[1], row[2] = m.Profile, g.Name, r.Action
				for i, v := range r.Answers {
					row[3+column[m.Presets[i]]] = answer(v)
				}
				if err := write(row); err != nil {
					return err
				}
			}
		}
	}
	w.Flush()
	return w.Error()
}

// csvCell keeps a spreadsheet from taking a text for a formula: names come from
// files, and whoever opens the table is not who wrote them.
func csvCell(s string) string {
	s = plain(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
