// Package shelf keeps the records of one import file on disk while they are checked
// against each other and put in order: a file may hold millions.
//
// It knows that memberships, contacts and invitations belong to accounts, and
// memberships to users; it knows nothing of the directory, and does not read what is in
// a record. Its invariants: what is on the shelf is gone when the process is, for it
// holds people's addresses; and how much memory it takes does not depend on the file.
package shelf

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"
)

// A Kind is a kind of record. What belongs to an account comes in this order, after it.
type Kind int

// The kinds of record.
const (
	User Kind = iota + 1
	Account
	Membership
	Contact
	Invite
	History
)

// A Row is one record on the shelf.
type Row struct {
	N    int64 // where it stands; Add sets it
	Line int   // of the file
	Kind Kind
	// Account is the account that the record is, or belongs to; "" for a user.
	Account string
	// ID is the record's id among those of its kind; of a membership, its user.
	ID string
	// Own is the id that a membership has in the file, which is optional.
	Own   string
	Owner bool // of a membership
	// Email is the address, folded, to find others with the same.
	Email string
	// Made tells that the record is a user made of a contact.
	Made bool
	// Reason tells why the record is in quarantine; "" when it is not.
	Reason string
	Raw    []byte // the record itself
}

// A Shelf is one file's records. One goroutine uses it at a time.
type Shelf struct {
	db       *sql.DB
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

const schema = `
CREATE TABLE record (
    n       INTEGER PRIMARY KEY,
    line    INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    account TEXT NOT NULL,
    id      TEXT NOT NULL,
    own     TEXT NOT NULL,
    owner   INTEGER NOT NULL,
    email   TEXT NOT NULL,
    made    INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    late    INTEGER NOT NULL DEFAULT 0, -- the reason came from the directory
    raw     BLOB NOT NULL
) STRICT;
CREATE TABLE early (line INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT;
`

// indexes are made when everything is on the shelf: that is quicker than keeping them
// up to date.
const indexes = `
CREATE INDEX record_id ON record (kind, id, account);
CREATE INDEX record_account ON record (account, kind, n);
CREATE INDEX record_owner ON record (account) WHERE kind = 3 AND owner = 1;
CREATE INDEX record_own ON record (own) WHERE own <> '';
CREATE INDEX record_email ON record (email, kind) WHERE email <> '';
CREATE INDEX record_reason ON record (n) WHERE reason <> '';
`

// Open makes an empty shelf in a folder; "" is that for temporary files. Nothing can be
// found in the folder afterwards.
func Open(ctx context.Context, folder string) (*Shelf, error) {
	made, err := os.MkdirTemp(folder, "doorward-import-")
	if err != nil {
		return nil, fmt.Errorf("make room to check the import: %w", err)
	}
	defer os.RemoveAll(made) // what is open stays until it is closed
	s := &Shelf{prepared: map[string]*sql.Stmt{}}
	err = s.open(ctx, filepath.Join(made, "shelf.db"))
	if err == nil && folder != "" {
		err = s.sortIn(ctx, folder)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make room to check the import: %w", err), s.Close())
	}
	return s, nil
}

// sortIn has SQLite sort in a folder what is too much for memory, in files without names.
// It knows only one such folder for the whole process, and takes that for temporary files
// when the folder is gone.
func (s *Shelf) sortIn(ctx context.Context, folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	_, err = s.conn.ExecContext(ctx, `PRAGMA temp_store_directory = '`+strings.ReplaceAll(folder, "'", "''")+`'`)
	return err
}

func (s *Shelf) open(ctx context.Context, path string) error {
	params := url.Values{"_pragma": {
		"journal_mode(off)", "synchronous(off)", "locking_mode(exclusive)", "temp_store(file)", "cache_size(-65536)",
	}}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: params.Encode()}
	connector, err := driver.NewConnector(dsn.String())
	if err != nil {
		return err
	}
	s.db = sql.OpenDB(connector)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	// One transaction that never ends: nobody else looks, and nothing is to survive.
	_, err = s.conn.ExecContext(ctx, schema+`BEGIN`)
	return err
}

// Close frees what the shelf takes.
func (s *Shelf) Close() error {
	var errs []error
	for _, stmt := range s.prepared {
		errs = append(errs, stmt.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// Add puts a record on the shelf.
func (s *Shelf) Add(ctx context.Context, r Row) error {
	return s.exec(ctx, `INSERT INTO record (line, kind, account, id, own, owner, email, made, reason, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Line, r.Kind, r.Account, r.ID, r.Own, r.Owner, r.Email, r.Made, r.Reason, r.Raw)
}

// Wait keeps a line that cannot be read before another is.
func (s *Shelf) Wait(ctx context.Context, line int, raw []byte) error {
	return s.exec(ctx, `INSERT INTO early (line, raw) VALUES (?, ?)`, line, raw)
}

// Waiting calls fn with every line that waits, in order, and then forgets them.
func (s *Shelf) Waiting(ctx context.Context, fn func(line int, raw []byte) error) error {
	for after := 0; ; {
		lines, err := list(ctx, s, func(scan func(...any) error) (r Row, err error) {
			return r, scan(&r.Line, &r.Raw)
		}, `SELECT line, raw FROM early WHERE line > ? ORDER BY line LIMIT ?`, after, atOnce)
		if err != nil || len(lines) == 0 {
			return errors.Join(err, s.exec(ctx, `DELETE FROM early`))
		}
		for _, r := range lines {
			if err := fn(r.Line, r.Raw); err != nil {
				return err
			}
			after = r.Line
		}
	}
}

// Index makes ready for questions. Add comes before it.
func (s *Shelf) Index(ctx context.Context) error { return s.exec(ctx, indexes) }

// atOnce is how many records are read in one go.
const atOnce = 1000

func (s *Shelf) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err == nil {
		s.prepared[query] = stmt
	}
	return stmt, err
}

func (s *Shelf) exec(ctx context.Context, query string, args ...any) error {
	if query == indexes { // many statements are not prepared
		_, err := s.conn.ExecContext(ctx, query)
		return wrap(err)
	}
	stmt, err := s.stmt(ctx, query)
	if err == nil {
		_, err = stmt.ExecContext(ctx, args...)
	}
	return wrap(err)
}

// list reads all rows of query with one.
func list[T any](ctx context.Context, s *Shelf, one func(scan func(...any) error) (T, error), query string, args ...any) (all []T, err error) {
	err = s.each(ctx, func(scan func(...any) error) error {
		v, err := one(scan)
		all = append(all, v)
		return err
	}, query, args...)
	return all, err
}

// each calls fn for every row of query. fn may not use the shelf.
func (s *Shelf) each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	stmt, err := s.stmt(ctx, query)
	if err != nil {
		return wrap(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return wrap(err)
		}
	}
	return wrap(rows.Err())
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("keep the records of the import on disk: %w", err)
	}
	return nil
}
