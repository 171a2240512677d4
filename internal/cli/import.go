package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/directory/sqlite"
	"doorward/internal/fault"
	"doorward/internal/importer"
	"doorward/internal/server"
)

func importCommand(p *Process) *cobra.Command {
	var dryRun, asJSON bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Bring users, accounts, memberships and contacts into the directory", Args: exactly(1),
		Long: "Reads a file of the format " + importer.Format + " (- is stdin), checks all of it, and only then writes. " +
			"What the file says wins; what it does not mention stays. After an interruption, run it again.",
		Example: "  doorward import portal.jsonl --dry-run\n" +
			"  doorward import portal.jsonl\n" +
			"  export-portal | doorward import -",
	}
	s := settingsFlags(p, c, "data", "policies")
	c.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "say what would change, and change nothing")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		clear := p.working("reading " + args[0])
		plan, err := p.readPlan(args[0], settings)
		clear()
		if err != nil {
			return err
		}
		report, err := p.carryOut(c.Context(), settings, plan, dryRun)
		if err != nil {
			return err
		}
		if asJSON {
			return p.printImportJSON(report)
		}
		return p.printImport(report)
	}
	return c
}

// readPlan checks the whole file before anything is opened for writing.
func (p *Process) readPlan(name string, c config.Config) (*importer.Plan, error) {
	policy, err := server.LoadPolicy(c.Policies)
	if err != nil {
		return nil, err
	}
	var from io.Reader = p.Stdin
	if name == "-" {
		name = "stdin"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open import file: %w", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("open import file: %s is a folder", name)
		}
		from = f
	}
	plan, err := importer.Read(name, from, policy.Catalogue, policy.Presets)
	if err != nil {
		return nil, err
	}
	plan.Actor = actor()
	return plan, nil
}

func (p *Process) carryOut(ctx context.Context, c config.Config, plan *importer.Plan, dryRun bool) (report importer.Report, err error) {
	if dryRun {
		return p.compare(ctx, c, plan)
	}
	store, done, err := p.openDirectory(ctx, c, false)
	if err != nil {
		return report, err
	}
	defer done(&err)
	progress, clear := p.progress()
	report, err = plan.Apply(ctx, store, progress)
	clear()
	if _, refused := errors.AsType[fault.List](err); refused {
		return report, err
	}
	if err != nil {
		return report, fmt.Errorf("%w; whole accounts up to there are in, run it again for the rest", err)
	}
	return report, nil
}

// compare does the dry run. Where there is no directory yet it compares with an
// empty one elsewhere, so that nothing appears in the data folder.
func (p *Process) compare(ctx context.Context, c config.Config, plan *importer.Plan) (report importer.Report, err error) {
	if _, err := os.Stat(server.DatabasePath(c.Data)); errors.Is(err, os.ErrNotExist) {
		empty, err := os.MkdirTemp("", "doorward-dry-run-")
		if err != nil {
			return report, fmt.Errorf("make room for a dry run: %w", err)
		}
		defer os.RemoveAll(empty)
		c.Data = empty
	}
	var store *sqlite.Store
	store, done, err := p.openDirectory(ctx, c, false)
	if err != nil {
		return report, err
	}
	defer done(&err)
	return plan.Compare(ctx, store)
}

// progressEvery is how often the progress line moves.
const progressEvery = 100 * time.Millisecond

// progress returns what shows the progress on a terminal and what takes it away.
func (p *Process) progress() (show func(done, total int), clear func()) {
	if !p.terminal(p.Stderr) {
		return nil, func() {}
	}
	var last time.Time
	show = func(done, total int) {
		if time.Since(last) >= progressEvery {
			last = time.Now()
			fmt.Fprintf(p.Stderr, "\rimported %d of %d", done, total)
		}
	}
	return show, func() {
		if !last.IsZero() {
			fmt.Fprintf(p.Stderr, "\r%s\r", strings.Repeat(" ", 60))
		}
	}
}

func (p *Process) printImport(r importer.Report) error {
	for _, w := range r.Warnings {
		p.notef("warning: %s (%s, first in line %d)", plain(w.Message), count(w.Count, "time"), w.Lines[0])
	}
	p.noteCounts("not imported by this version", r.Skipped)
	p.noteCounts("without meaning to this version", r.Ignored)
	heading := "Imported."
	if r.DryRun {
		heading = "Dry run: nothing was changed."
	}
	rows := []struct {
		name string
		importer.Count
	}{{"users", r.Users}, {"accounts", r.Accounts}, {"memberships", r.Memberships}, {"contacts", r.Contacts}}
	if err := p.printf("%s\n", heading); err != nil {
		return err
	}
	for _, row := range rows {
		if err := p.printf("%-12s %d new, %d changed, %d unchanged\n", row.name, row.New, row.Changed, row.Unchanged); err != nil {
			return err
		}
	}
	if r.DryRun {
		return nil
	}
	return p.printf("position     %s\n", r.Position)
}

// printImportJSON prints the report with the position it led to; a dry run leads
// to none.
func (p *Process) printImportJSON(r importer.Report) error {
	var position string
	if !r.DryRun {
		position = r.Position.String()
	}
	return p.printJSON(struct {
		importer.Report
		Position string `json:"position,omitempty"`
	}{r, position})
}

func (p *Process) noteCounts(heading string, counts map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		p.notef("%s: %s (%s)", heading, plain(name), count(counts[name], "time"))
	}
}
