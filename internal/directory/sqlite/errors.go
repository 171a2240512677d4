package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"doorward/internal/directory"
)

// ErrDamaged: the file is no directory, or no longer a sound one. Trying again
// does not help.
var ErrDamaged = errors.New("not a sound Doorward directory: restore it from a backup, or name another file")

// ErrNewer: a newer program has changed the schema, and this one does not know how.
var ErrNewer = errors.New("made by a newer version of Doorward: use that version, or a backup of before")

// ErrInUse: another process has the directory open.
var ErrInUse = errors.New("another process has the directory open: stop it first")

// unavailable says, for the primary result codes of SQLite that may pass
// (https://www.sqlite.org/rescode.html), what is the matter.
var unavailable = map[int]string{
	sqlite3.SQLITE_BUSY:     "another process holds its lock",
	sqlite3.SQLITE_LOCKED:   "another connection holds its lock",
	sqlite3.SQLITE_PROTOCOL: "other processes keep it locked",
	sqlite3.SQLITE_FULL:     "the disk or the file is full",
	sqlite3.SQLITE_IOERR:    "the disk reports an error",
	sqlite3.SQLITE_READONLY: "the file cannot be written",
	sqlite3.SQLITE_PERM:     "the file may not be opened",
	sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
	sqlite3.SQLITE_NOMEM:    "memory has run out",
}

// explain turns an error of the driver into one of the contract. The driver's
// own text stays in it, for logs.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var broken *driver.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return directory.ErrNotFound
	case !errors.As(err, &broken):
		return err
	}
	code := broken.Code() & 0xff
	if why, ok := unavailable[code]; ok {
		return fmt.Errorf("%w: %s (%w)", directory.ErrUnavailable, why, err)
	}
	switch code {
	case sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("%w (%w)", context.Canceled, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return err
}
