package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// A session is one connection with the statements prepared on it. One goroutine
// uses it at a time.
type session struct {
	conn     *sql.Conn // nil: it may no longer be used
	prepared map[string]*sql.Stmt
}

// close closes the connection. SQLite keeps one with statements on it open, and
// so its locks and the log, however often it is told to close it.
func (c *session) close() error {
	var errs []error
	for _, stmt := range c.prepared {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

var errOver = errors.New("this update is over, or was lost to an error before")

// stmt prepares query once. Every query is a constant, so the map stays small.
func (c *session) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := c.prepared[query]; ok {
		return stmt, nil
	}
	if c.conn == nil {
		return nil, errOver
	}
	stmt, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.prepared[query] = stmt
	return stmt, nil
}

// get reads one row; none is ErrNotFound. It looks at ctx only before: a row is
// read in microseconds, and watching ctx meanwhile costs as much again.
func (c *session) get(ctx context.Context, query string, args []any, dest ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stmt, err := c.stmt(query)
	if err == nil {
		err = stmt.QueryRowContext(context.Background(), args...).Scan(dest...)
	}
	return explain(err)
}

// exec writes. It looks at ctx only before: SQLite rolls the whole transaction
// back when a write is interrupted, and what came after would commit by itself.
func (c *session) exec(ctx context.Context, query string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stmt, err := c.stmt(query)
	if err == nil {
		_, err = stmt.ExecContext(context.Background(), args...)
	}
	return explain(err)
}

// list reads all rows of query, each with scan.
func list[T any](ctx context.Context, c *session, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	stmt, err := c.stmt(query)
	if err != nil {
		return nil, explain(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, explain(err)
		}
		all = append(all, one)
	}
	return all, explain(rows.Err())
}

// The statements that begin a transaction. A deferred one sees the snapshot of
// its first read; an immediate one holds the write lock from the start.
const (
	beginRead  = `BEGIN DEFERRED`
	beginWrite = `BEGIN IMMEDIATE`
)

// transaction runs fn between begin and a commit. Unless that is reached, by an
// error, a panic or the end of ctx, everything is rolled back.
func (c *session) transaction(ctx context.Context, begin string, fn func() error) error {
	if err := c.exec(ctx, begin); err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			// Fails only when SQLite has rolled back by itself.
			_ = c.exec(context.Background(), `ROLLBACK`)
		}
	}()
	if err := fn(); err != nil {
		return err
	}
	if err := c.exec(ctx, `COMMIT`); err != nil {
		return err
	}
	open = false
	return nil
}

// lend returns a session over the same connection, and what ends its use.
func (c *session) lend() (lent *session, end func()) {
	lent = &session{conn: c.conn, prepared: c.prepared}
	return lent, func() { *lent = session{} }
}
