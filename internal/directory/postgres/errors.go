package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"doorward/internal/directory"
)

// ErrDamaged: the database has no directory, or no longer a sound one. Trying again
// does not help.
var ErrDamaged = errors.New("not a sound Doorward directory: restore it from a backup, or name another database")

// ErrNewer: a newer program has changed the schema, and this one does not know how.
var ErrNewer = errors.New("made by a newer version of Doorward: use that version, or a backup of before")

// causes says what is the matter, by SQLSTATE or else by its class
// (https://www.postgresql.org/docs/current/errcodes-appendix.html). All of it may pass.
var causes = map[string]string{
	"08":    "the connection broke",
	"0A000": "it is a standby, or its schema has just changed",
	"25006": "it can only be read: it is a standby, or set so",
	"25P03": "the update did nothing for too long",
	"26":    lostStatement,
	"28":    "it does not let this user in",
	"3D":    "there is no such database",
	"40":    "others write the same rows past Doorward",
	"42501": "the user lacks a right",
	"42P05": lostStatement,
	"53":    "it has run out of something",
	"53100": "the disk is full",
	"53200": "memory has run out",
	"53300": "it has too many connections",
	"55P03": "another update does not end",
	"57014": "it cancelled the statement",
	"57":    "it is stopping or starting",
	"58":    "its machine reports an error",
}

// lostStatement is what a pooler causes that gives each transaction another connection.
const lostStatement = "a pooler in between keeps no prepared statements: add default_query_exec_mode=exec to the address"

// damage are the states of a schema that is not ours, or not whole.
var damage = map[string]bool{
	"3F000": true, "42P01": true, "42703": true, // no such schema, table, column
	"XX001": true, "XX002": true, // data or an index is corrupt
}

// cause is what is the matter with a SQLSTATE that may pass.
func cause(state string) (why string, ok bool) {
	if why, ok = causes[state]; ok || len(state) < 2 {
		return why, ok
	}
	why, ok = causes[state[:2]]
	return why, ok
}

// explain turns an error of the driver into one of the contract. The driver's own text
// stays in it, for logs.
func explain(ctx context.Context, err error) error {
	var said *pgconn.PgError
	var column pgx.ScanArgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return directory.ErrNotFound
	case errors.Is(err, errCutShort):
		return fmt.Errorf("%w: %w", directory.ErrUnavailable, err)
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	case errors.As(err, &column):
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	case !errors.As(err, &said):
		return fmt.Errorf("%w: %s (%w)", directory.ErrUnavailable, causes["08"], err)
	case damage[said.Code]:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	if why, ok := cause(said.Code); ok {
		return fmt.Errorf("%w: %s (%w)", directory.ErrUnavailable, why, err)
	}
	return err
}

// broken tells whether a statement failed only because its connection had ended.
func broken(err error) bool {
	var said *pgconn.PgError
	var connect *pgconn.ConnectError
	var column pgx.ScanArgError
	switch {
	case err == nil, errors.Is(err, pgx.ErrNoRows), errors.As(err, &connect), errors.As(err, &column):
		return false
	case errors.As(err, &said):
		return said.SeverityUnlocalized == "FATAL"
	}
	return true
}

// conflict tells whether a transaction failed only because of another one, by
// serialization or deadlock: the same again may succeed.
func conflict(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "40001" || said.Code == "40P01")
}
