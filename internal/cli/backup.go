package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
	"doorward/internal/server"
)

func backupCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write the directory to a new file, while servers run and write", Args: exactly(1),
		Long: "Copies the directory as it is at one moment and checks the copy, its audit trail too, before it gets its name. " +
			"The position it prints is a witness: keep it elsewhere. The file holds personal data.",
		Example: "  doorward backup /backup/doorward-$(date +%F).db",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		report, err := p.backup(c.Context(), s, args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return p.printJSON(backupJSON{File: args[0], Position: report.Position.String(), Lines: report.Lines})
		}
		return p.printf("Backed up and checked: %s of the trail, up to position %s.\n", count(int(report.Lines), "line"), report.Position)
	}
	return c
}

// errElsewhere: the directory is in PostgreSQL.
var errElsewhere = errors.New("the directory is not in a file of Doorward's: use its database's own tools for backups (docs/operating.md)")

// backupJSON is what backup and restore print with --json.
type backupJSON struct {
	File     string `json:"file"`
	Position string `json:"position"` // that the backup's trail ends at
	Lines    uint64 `json:"lines"`
	Now      string `json:"now,omitempty"`  // the position of the directory after a restore
	Kept     string `json:"kept,omitempty"` // where the directory that was there is
}

func (p *Process) backup(ctx context.Context, s *settings, file string) (report directory.Report, err error) {
	c, err := s.load(ctx)
	if err != nil {
		return report, err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return report, err
	}
	defer done(&err)
	embedded, ok := server.Embedded(store)
	if !ok {
		return report, errElsewhere
	}
	clear := p.working("backing up to " + file)
	report, err = embedded.Backup(ctx, file)
	clear()
	if errors.Is(err, fs.ErrExist) {
		return report, fmt.Errorf("%s is there already; a backup overwrites nothing, name another file", file)
	}
	return report, err
}

func restoreCommand(p *Process) *cobra.Command {
	var replace, asJSON bool
	var confirm, witness string
	c := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup in the place of the directory", Args: exactly(1),
		Long: "Checks all of the backup first, its audit trail too. A directory that is there is replaced only with --replace, with its " +
			"position as --confirm, and while no process has it open; it is kept beside. The restore becomes a line of the trail.",
		Example: "  doorward restore /backup/doorward-2026-08-01.db --data ./new\n" +
			"  doorward restore backup.db --replace --confirm 17.0123456789abcdef0123456789abcdef",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	c.Flags().BoolVar(&replace, "replace", false, "replace the directory that is there, and keep it beside")
	c.Flags().StringVar(&confirm, "confirm", "", "the `position` of the directory to replace")
	c.Flags().StringVar(&witness, "witness", "", "a `position` that the backup's trail must pass through, as backup printed it")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		o := sqlite.RestoreOptions{Actor: actor()}
		var err error
		if o.Witness, err = readMark("--witness", witness); err != nil {
			return err
		}
		if o.Replace, err = readConfirmation(replace, confirm); err != nil {
			return err
		}
		settings, err := s.load(c.Context())
		if err != nil {
			return err
		}
		done, err := p.restore(c.Context(), settings, args[0], o)
		if err != nil {
			return err
		}
		return p.printRestored(args[0], done, asJSON)
	}
	return c
}

// readConfirmation reads the position of the directory to replace: nil for none. Neither
// flag means anything without the other.
func readConfirmation(replace bool, confirm string) (*portal.Mark, error) {
	if !replace && confirm != "" {
		return nil, usagef("--confirm is for --replace")
	}
	return readMark("--confirm", confirm)
}

func (p *Process) restore(ctx context.Context, c config.Config, file string, o sqlite.RestoreOptions) (sqlite.Restored, error) {
	if c.Database.URLFile != "" {
		return sqlite.Restored{}, errElsewhere
	}
	clear := p.working("restoring " + file)
	done, err := sqlite.Restore(ctx, file, server.DatabasePath(c.Data), o)
	clear()
	if exists, ok := errors.AsType[*sqlite.ExistsError](err); ok {
		return done, fmt.Errorf("there is a directory in %s, at position %s. To replace and keep it: stop what uses it and add --replace --confirm %s",
			c.Data, exists.Position, exists.Position)
	}
	if err != nil {
		return done, fmt.Errorf("restore: %w", err)
	}
	return done, nil
}

func (p *Process) printRestored(file string, r sqlite.Restored, asJSON bool) error {
	if asJSON {
		return p.printJSON(backupJSON{
			File: file, Position: r.Report.Position.String(), Lines: r.Report.Lines, Now: r.Position.String(), Kept: r.Aside,
		})
	}
	if r.Aside != "" {
		p.notef("The directory that was there is kept as %s.", plain(r.Aside))
	}
	return p.printf("Restored position %s, checked: %s of the trail. The directory is at position %s now.\n",
		r.Report.Position, count(int(r.Report.Lines), "line"), r.Position)
}
