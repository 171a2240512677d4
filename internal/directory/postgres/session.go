package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A querier runs statements: the pool, each in a transaction of its own, or one
// transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// A session reads and writes. No statement leaves anything behind in the connection
// that the next one needs: a pooler may send each transaction through another.
type session struct {
	querier querier
	over    error // why it may no longer be used, when querier is nil
}

var errOver = errors.New("this update is over")

// ask runs statements. When the connection had ended, as all do that the pool keeps when
// the server restarts, it asks again on a new one; inside of a transaction there is none.
func (c *session) ask(ctx context.Context, do func(querier) error) error {
	if c.querier == nil {
		return c.over
	}
	err := do(c.querier)
	if pool, ok := c.querier.(*pgxpool.Pool); ok && broken(err) && ctx.Err() == nil {
		pool.Reset()
		err = do(pool)
	}
	return explain(ctx, err)
}

// begin begins a transaction. Like ask, it tries again when the connection had ended.
func (s *Store) begin(ctx context.Context, o pgx.TxOptions) (t pgx.Tx, err error) {
	err = s.session.ask(ctx, func(querier) error {
		t, err = s.pool.BeginTx(ctx, o)
		return err
	})
	return t, err
}

// get reads the one row of query; none is ErrNotFound.
func (c *session) get(ctx context.Context, query string, args []any, dest ...any) error {
	return c.ask(ctx, func(q querier) error { return q.QueryRow(ctx, query, args...).Scan(dest...) })
}

// row is the one row of query, to be read with get.
func (c *session) row(ctx context.Context, query string, args ...any) scan {
	return func(dest ...any) error { return c.get(ctx, query, args, dest...) }
}

// A statement is one that writes.
type statement struct {
	query string
	args  []any
}

// exec writes, in one round trip.
func (c *session) exec(ctx context.Context, statements ...statement) error {
	return c.ask(ctx, func(q querier) error {
		if len(statements) == 1 {
			_, err := q.Exec(ctx, statements[0].query, statements[0].args...)
			return err
		}
		var b pgx.Batch
		for _, s := range statements {
			b.Queue(s.query, s.args...)
		}
		return q.SendBatch(ctx, &b).Close()
	})
}

// A scan reads the columns of one row.
type scan func(dest ...any) error

// list reads all rows of query, each with one.
func list[T any](ctx context.Context, c *session, one func(scan) (T, error), query string, args ...any) (all []T, err error) {
	var wrong error // with a row that was read
	err = c.ask(ctx, func(q querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns := func(dest ...any) error { return explain(ctx, rows.Scan(dest...)) }
		for all = nil; rows.Next(); {
			row, err := one(columns)
			if err != nil {
				wrong = err
				return nil
			}
			all = append(all, row)
		}
		return rows.Err()
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}
