package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	driver "modernc.org/sqlite"

	"doorward/internal/audit"
	"doorward/internal/directory"
)

// Open opens the directory in the file at path. Unless o.MustExist, it creates
// the file (0600) and its folder (0700); it brings the schema up to date. A file
// that is damaged or of another program is ErrDamaged.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{file: newFile(), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	o.BusyTimeout = cmp.Or(o.BusyTimeout, defaultPatience)
	path, err := filepath.Abs(path)
	if err == nil {
		err = s.open(ctx, path, o)
	}
	if err != nil {
		return nil, fmt.Errorf("open directory %s: %w", path, errors.Join(err, s.release()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, o Options) error {
	s.path = path
	if err := createFile(path, o); err != nil {
		return err
	}
	if err := s.openWriter(ctx, o); err != nil {
		return err
	}
	if err := s.connectReaders(ctx, o); err != nil {
		return err
	}
	c := <-s.idle
	err := c.get(ctx, `SELECT value FROM meta WHERE name = 'salt'`, nil, &s.salt)
	s.idle <- c
	if err != nil {
		return fmt.Errorf("read salt: %w", err)
	}
	return s.stamp.open(path + "-shm") // after the read above: see stamper
}

// createFile creates an empty file with its folder, unless it is there. It never
// opens a file that is: closing it would drop the locks that other connections
// of this process hold on it.
func createFile(path string, o Options) error {
	info, err := os.Stat(path)
	if err == nil {
		warnIfOpenToOthers(o.Log, path, info.Mode())
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || o.MustExist {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func warnIfOpenToOthers(log *slog.Logger, path string, mode fs.FileMode) {
	if log != nil && mode.Perm()&0o077 != 0 {
		log.Warn("the directory holds personal data and other users of this machine can open it; chmod it to 0600",
			"path", path, "mode", mode.Perm().String())
	}
}

// openWriter opens the writing session, and prepares the file with it while no
// other process does the same.
func (s *Store) openWriter(ctx context.Context, o Options) error {
	unlock, err := lockFolder(ctx, filepath.Dir(s.path), o.BusyTimeout)
	if err != nil {
		return err
	}
	defer unlock()
	c, err := s.connectWriter(ctx, o, func(db *sql.DB) error { return migrate(ctx, db, directorySchema) })
	if err != nil {
		return err
	}
	_, _, err = c.head(ctx)
	if errors.Is(err, directory.ErrNotFound) {
		return s.begin(ctx)
	}
	return err
}

// dial makes a handle on the file. params are added to those that every connection
// has.
func dial(path string, o Options, params url.Values) (*sql.DB, error) {
	params.Set("mode", "rw") // never create: createFile has, with the right mode
	params.Set("_busy_timeout", strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10))
	params.Set("_synchronous", "FULL")
	params.Set("_foreign_keys", "on")
	params.Set("_defensive", "1")
	params.Set("_dqs", "0")
	params.Set("_error_rc", "1")
	params.Add("_pragma", "trusted_schema(off)")
	params.Add("_pragma", "secure_delete(on)") // what is erased is overwritten (req 13)
	params.Add("_pragma", "journal_size_limit(67108864)")
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: params.Encode()}
	connector, err := driver.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// begin makes the first commit of a new directory: it gives the directory an id
// of its own, which goes into the trail, so that no two directories ever share a
// position (design R1).
func (s *Store) begin(ctx context.Context) error {
	_, err := s.Update(ctx, func(w directory.Tx) error {
		t := w.(*tx)
		id := rand.Text()
		t.Log(audit.Entry{
			Actor: "doorward", Action: "directory.create", Object: "directory:" + id,
			Detail: map[string]string{"installation": id},
		})
		secrets := []any{[]byte(id), []byte(rand.Text() + rand.Text())}
		return t.session.exec(ctx, `INSERT INTO meta (name, value) VALUES ('installation', ?), ('salt', ?)`, secrets...)
	})
	if err != nil {
		return fmt.Errorf("begin directory: %w", err)
	}
	return nil
}
