package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/fault"
	"doorward/internal/importer"
	"doorward/internal/server"
	"doorward/internal/whmcs"
)

// importFlags are what an import is told besides its file.
type importFlags struct {
	dryRun, asJSON, prune bool
	pruneLimit            int
	scratch, quarantine   string
	source, timezone      string
	inviteTTL             time.Duration
}

func importCommand(p *Process) *cobra.Command {
	var flags importFlags
	c := &cobra.Command{
		Use: "import FILE", Short: "Bring accounts and people of another portal into the directory", Args: exactly(1),
		Long: "Reads a file of the format " + importer.Format + " (- is stdin), checks all of it, and only then writes. " +
			"What the file says wins; what it does not mention stays, unless --prune is given. Records that cannot come in, as an account " +
			"without an owner, are kept out with what depends on them and reported; the exit status is then 7. After an interruption, run it again.",
		Example: "  doorward import portal.jsonl --dry-run\n" +
			"  doorward import portal.jsonl --quarantine kept-out.jsonl\n" +
			"  export-portal | doorward import - --prune",
	}
	s := settingsFlags(p, c, "data", "database.url_file", "policies")
	c.Flags().BoolVarP(&flags.dryRun, "dry-run", "n", false, "say what would change, and change nothing")
	c.Flags().BoolVar(&flags.prune, "prune", false, "take out of use what came from the same source and is not in the file any more")
	c.Flags().IntVar(&flags.pruneLimit, "prune-limit", 10, "the most `percent` of users, accounts, memberships or contacts that --prune may take out of use")
	c.Flags().StringVar(&flags.quarantine, "quarantine", "", "a new `file` for the records that were kept out, each with its reason")
	c.Flags().StringVar(&flags.scratch, "scratch", "", "the `folder` where records wait to be checked, as large as the file (that of temporary files)")
	c.Flags().StringVar(&flags.source, "source", sourceDoorward, "what the file is: "+sourceDoorward+", or an export of "+sourceWHMCS+" as XML")
	c.Flags().StringVar(&flags.timezone, "timezone", "", "the `zone` of times in an export of "+sourceWHMCS+", as in Europe/London (UTC)")
	c.Flags().DurationVar(&flags.inviteTTL, "invite-ttl", 0, "how long invitations of "+sourceWHMCS+" are valid (the policy's invite.ttl)")
	jsonFlag(c, &flags.asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		if err := flags.check(); err != nil {
			return err
		}
		return p.importFile(c.Context(), args[0], settings, flags)
	}
	return c
}

// What an import file can be.
const (
	sourceDoorward = "doorward"
	sourceWHMCS    = "whmcs"
)

// check refuses what cannot be meant.
func (f importFlags) check() error {
	whmcs := f.source == sourceWHMCS
	switch {
	case f.pruneLimit < 0 || f.pruneLimit > 100:
		return usagef("--prune-limit %d: not between 0 and 100", f.pruneLimit)
	case f.source != sourceDoorward && !whmcs:
		return usagef("--source %q: write %s or %s", f.source, sourceDoorward, sourceWHMCS)
	case !whmcs && (f.timezone != "" || f.inviteTTL != 0):
		return usagef("--timezone and --invite-ttl are for --source %s; a file of %s says it in its meta line", sourceWHMCS, importer.Format)
	case f.inviteTTL < 0:
		return usagef("--invite-ttl %s: not a positive time", f.inviteTTL)
	}
	return nil
}

// form is how the file holds its records.
func (f importFlags) form() importer.Form {
	if f.source != sourceWHMCS {
		return importer.Lines
	}
	return func(name string, r io.Reader, warn func(int, string)) iter.Seq2[importer.Record, error] {
		return func(yield func(importer.Record, error) bool) {
			o := whmcs.Options{Timezone: f.timezone, InviteTTL: f.inviteTTL, Warn: warn}
			for record, err := range whmcs.Records(name, r, o) {
				if !yield(importer.Record(record), err) {
					return
				}
			}
		}
	}
}

func (p *Process) importFile(ctx context.Context, name string, c config.Config, flags importFlags) (err error) {
	kept, err := newQuarantine(flags.quarantine)
	if err != nil {
		return err
	}
	defer func() { err = kept.close(err) }()
	clear := p.working("reading " + name)
	plan, err := p.readPlan(ctx, name, c, flags)
	clear()
	if err != nil {
		return err
	}
	report, err := p.carryOut(ctx, c, plan, flags)
	if err == nil {
		err = errors.Join(kept.write(ctx, plan), p.printImported(report, flags))
	}
	if err = errors.Join(err, plan.Close()); err == nil && report.Quarantine.Total() > 0 {
		return statusError(statusKeptOut)
	}
	return err
}

// readPlan checks the whole file before anything is opened for writing.
func (p *Process) readPlan(ctx context.Context, name string, c config.Config, flags importFlags) (*importer.Plan, error) {
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
	plan, err := importer.Read(ctx, name, from, server.Words(policy), importer.Options{Form: flags.form(), Folder: flags.scratch})
	if err != nil {
		return nil, err
	}
	plan.Actor = actor()
	return plan, nil
}

func (p *Process) carryOut(ctx context.Context, c config.Config, plan *importer.Plan, flags importFlags) (report importer.Report, err error) {
	progress, clear := p.progress()
	defer clear()
	carry := importer.Carry{Prune: flags.prune, PruneLimit: flags.pruneLimit, Progress: progress}
	if flags.dryRun {
		return p.compare(ctx, c, plan, carry, flags.scratch)
	}
	store, done, err := p.openDirectory(ctx, c, false)
	if err != nil {
		return report, err
	}
	defer done(&err)
	report, err = plan.Apply(ctx, store, carry)
	if _, refused := errors.AsType[fault.List](err); refused || errors.Is(err, importer.ErrPrunes) {
		return report, pruneHint(err)
	}
	if err != nil {
		return report, fmt.Errorf("%w; whole accounts up to there are in, run it again for the rest", err)
	}
	return report, nil
}

// pruneHint says how to go on when too much would be pruned.
func pruneHint(err error) error {
	if errors.Is(err, importer.ErrPrunes) {
		return fmt.Errorf("%w If it is, raise --prune-limit; nothing was changed", err)
	}
	return err
}

// compare does the dry run. Where there is no directory yet it compares with an
// empty one elsewhere, so that nothing appears in the data folder.
func (p *Process) compare(ctx context.Context, c config.Config, plan *importer.Plan, carry importer.Carry, scratch string) (report importer.Report, err error) {
	if _, err := os.Stat(server.DatabasePath(c.Data)); c.Database.URLFile == "" && errors.Is(err, os.ErrNotExist) {
		empty, err := os.MkdirTemp(scratch, "doorward-dry-run-")
		if err != nil {
			return report, fmt.Errorf("make room for a dry run: %w", err)
		}
		defer os.RemoveAll(empty)
		c.Data = empty
	}
	store, done, err := p.openDirectory(ctx, c, false)
	if err != nil {
		return report, err
	}
	defer done(&err)
	report, err = plan.Compare(ctx, store, carry)
	return report, pruneHint(err)
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
