package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// RestoreOptions say how to restore. The zero value replaces nothing.
type RestoreOptions struct {
	// Actor is who restores, as the trail shows it.
	Actor string
	// Witness is a position that the backup's trail must pass through. nil: none.
	Witness *portal.Mark
	// Replace is the position of the directory that may be replaced. nil: none may.
	Replace *portal.Mark
}

// A Restored tells what Restore did.
type Restored struct {
	Report   directory.Report // of the backup
	Position portal.Position  // of the directory now: the trail says that it was restored
	Aside    string           // where what was there before is kept; "": nothing was
}

// A RefusedError tells why a file is no backup to restore.
type RefusedError struct {
	File string
	Err  error
}

// Error says the file and why.
func (e *RefusedError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap returns why.
func (e *RefusedError) Unwrap() error { return e.Err }

// An ExistsError tells that there is a directory, at this position.
type ExistsError struct{ Position portal.Position }

// Error says so.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("there is a directory, at position %s", e.Position)
}

// Restore puts the backup at from in the place of the directory at path, checked as
// Backup checks, its schema brought up to date, with a line in its trail that it was
// restored. Whatever is wrong with it is a *RefusedError, and then nothing has changed.
// A directory that is there is an *ExistsError, unless it is at the position
// o.Replace; it is kept beside. It is ErrInUse while any process has it open: such a
// process would go on with the file that was replaced. At every moment there is one
// whole directory at path, the old one or the new.
func Restore(ctx context.Context, from, path string, o RestoreOptions) (r Restored, err error) {
	if err := mayReplace(ctx, path, o.Replace); err != nil {
		return r, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".doorward-restore-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "doorward.db")
	if err := copyBackup(from, made); err != nil {
		return r, err
	}
	r.Report, err = sound(ctx, made, o.Witness, func(s *Store) (err error) {
		r.Position, err = s.restored(ctx, o)
		return err
	})
	if err != nil {
		return r, refused(from, err)
	}
	if err := syncPath(made); err != nil {
		return r, err
	}
	r.Aside, err = place(ctx, made, path, o.Replace)
	return r, err
}

// refused tells faults of the backup from those of this machine.
func refused(file string, err error) error {
	_, broken := errors.AsType[*audit.BrokenError](err)
	if broken || errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer) {
		return &RefusedError{file, err}
	}
	return fmt.Errorf("check %s: %w", file, err)
}

// restored writes into the trail of a backup that it is restored, and where from. The
// first commit after a restore is thus none of the history that was left (design R1),
// and begins an era of its own (design R11).
func (s *Store) restored(ctx context.Context, o RestoreOptions) (portal.Position, error) {
	return s.Update(ctx, func(w directory.Tx) error {
		at, err := w.Head(ctx)
		if err != nil {
			return err
		}
		detail := map[string]string{"position": at.String()}
		if o.Replace != nil {
			detail["replaced"] = o.Replace.String()
		}
		w.Log(audit.Entry{Actor: o.Actor, Action: "directory.restore", Object: "directory", Detail: detail})
		return w.(*tx).session.exec(ctx, `INSERT INTO meta (name, value) VALUES ('restored', ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, []byte(rand.Text()))
	})
}

// mayReplace looks, before all the work, whether it would be in vain.
func mayReplace(ctx context.Context, path string, replace *portal.Mark) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := free(path); err == nil {
		return noRemains(path)
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	s, err := Open(ctx, path, Options{MustExist: true})
	if err != nil {
		return fmt.Errorf("%w; what cannot be read is not replaced, move it and its -wal and -shm away", err)
	}
	at, err := s.Head(ctx)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if replace == nil || !replace.Marks(at) {
		return &ExistsError{at}
	}
	return nil
}

// noRemains refuses the log of a directory whose file is gone: SQLite would take it for
// that of the file that comes in its place.
func noRemains(path string) error {
	for _, remains := range []string{path + "-wal", path + "-journal"} {
		if err := free(remains); err != nil {
			return fmt.Errorf("%s belongs to a directory that is not there; move it away: %w", remains, err)
		}
	}
	return nil
}

// copyBackup copies a backup, if it looks like one.
func copyBackup(from, made string) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer f.Close()
	if err := looksLikeBackup(f); err != nil {
		return &RefusedError{from, err}
	}
	to, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copy backup: %w", err)
	}
	return nil
}

// looksLikeBackup reads the header (https://www.sqlite.org/fileformat2.html, 1.3), and
// leaves the file at its start. A file with a log is one that somebody copied or still
// uses: without the log it lacks commits.
func looksLikeBackup(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var header [100]byte
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: it is no file", ErrDamaged)
	}
	if _, err := f.ReadAt(header[:], 0); err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: it is no database", ErrDamaged)
	}
	if binary.BigEndian.Uint32(header[68:]) != applicationID {
		return fmt.Errorf("%w: it is a database of another program", ErrDamaged)
	}
	if log, err := os.Stat(f.Name() + "-wal"); err == nil && log.Size() > 0 {
		return errors.New("it has a write-ahead log beside it, and is not whole without: make a backup with doorward backup")
	}
	return nil
}

// place gives made the name path while no other process can open what has it, and
// returns where that is kept.
func place(ctx context.Context, made, path string, replace *portal.Mark) (aside string, err error) {
	unlock, err := lockFolder(ctx, filepath.Dir(path), defaultPatience)
	if err != nil {
		return "", err
	}
	defer unlock()
	if replace == nil {
		return "", publish(made, path)
	}
	if err := retire(ctx, path, *replace); err != nil {
		return "", err
	}
	aside = path + "." + replace.String()
	if err := linkOrRename(path, aside); err != nil {
		return "", fmt.Errorf("keep the directory that is there as %s: %w", aside, err)
	}
	return aside, errors.Join(os.Rename(made, path), syncPath(filepath.Dir(path)))
}

// retire brings the directory at path, which must be at a position, into one file. Only
// when no other process has it open does SQLite leave the write-ahead log.
func retire(ctx context.Context, path string, at portal.Mark) (err error) {
	db, err := dial(path, Options{}, url.Values{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var mode string
	err = explain(db.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode))
	if errors.Is(err, directory.ErrUnavailable) || err == nil && mode != "delete" {
		return ErrInUse
	}
	if err != nil {
		return err
	}
	var now portal.Position
	var tag []byte
	if err := db.QueryRowContext(ctx, `SELECT revision, tag FROM head`).Scan(&now.Revision, &tag); err != nil {
		return explain(err)
	}
	copy(now.Tag[:], tag)
	if !at.Marks(now) {
		return &ExistsError{now}
	}
	return nil
}
