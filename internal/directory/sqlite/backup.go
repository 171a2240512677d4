package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Backup writes the directory as it is at one moment to a new file at path, readable by
// its owner alone, while other processes read and write. The file is whole and checked,
// its trail too, before it has that name; the report says where the trail ends. A path
// that is taken is fs.ErrExist. Whoever has the file has what the directory has, the
// salt included.
func (s *Store) Backup(ctx context.Context, path string) (report directory.Report, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up to %s: %w", path, err)
		}
	}()
	if err := free(path); err != nil {
		return report, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".doorward-backup-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "doorward.db")
	if err := s.copyTo(ctx, made); err != nil {
		return report, err
	}
	if report, err = sound(ctx, made, nil, nil); err != nil {
		return report, err
	}
	return report, publish(made, path)
}

// free refuses a path that is taken.
func free(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return fs.ErrExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// copyTo writes one snapshot to a new file. VACUUM INTO reads in one transaction, which
// holds up no writer; its copy has no free pages, and so nothing that was erased. A
// connection of its own has no limits on reading only; a reading session is held
// meanwhile so that Close waits.
func (s *Store) copyTo(ctx context.Context, path string) error {
	c, err := s.take(ctx, s.idle)
	if err != nil {
		return err
	}
	defer func() { s.idle <- c }()
	if err := createFile(path, Options{}); err != nil {
		return err
	}
	db, err := dial(s.path, Options{BusyTimeout: defaultPatience}, url.Values{})
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return errors.Join(explain(err), db.Close())
}

// sound checks every page of the directory at path, what refers to what, and the trail.
// then, if not nil, does more with it.
func sound(ctx context.Context, path string, witness *portal.Mark, then func(*Store) error) (report directory.Report, err error) {
	s, err := Open(ctx, path, Options{MustExist: true})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := reading(ctx, &s.file, func(c *session) (none struct{}, err error) { return none, c.check(ctx) }); err != nil {
		return report, err
	}
	if report, err = directory.Verify(ctx, s, witness); err != nil || then == nil {
		return report, err
	}
	return report, then(s)
}

// check reads every page.
func (c *session) check(ctx context.Context) error {
	one := func(rows *sql.Rows) (s string, err error) { return s, rows.Scan(&s) }
	faults, err := list(ctx, c, one, `SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`)
	if err != nil {
		return fmt.Errorf("check pages: %w", err)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: %s", ErrDamaged, faults[0])
	}
	orphans, err := list(ctx, c, one, `SELECT DISTINCT "table" || ' without its ' || parent FROM pragma_foreign_key_check`)
	if err != nil {
		return fmt.Errorf("check references: %w", err)
	}
	if len(orphans) > 0 {
		return fmt.Errorf("%w: %s", ErrDamaged, orphans[0])
	}
	return nil
}

// publish gives a file that is closed its name, which must be free, once all of it is on
// disk.
func publish(made, path string) error {
	if err := syncPath(made); err != nil {
		return err
	}
	if err := linkOrRename(made, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// linkOrRename gives the file from another name, if that is free. Where there are no
// links, as on some disks that backups go to, it is renamed.
func linkOrRename(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := free(to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// syncPath makes a file or a folder durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
