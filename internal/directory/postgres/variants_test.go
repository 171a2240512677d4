package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// What follows is the store with one rule of the freshness protocol taken out, to see that
// the tests of that rule notice.

// BeginUpdates makes updates begin otherwise than beginUpdate has them begin.
func (s *Store) BeginUpdates(query string) { s.update = pgx.TxOptions{BeginQuery: query} }

// Numbered has no R1: whoever updates takes a number from a sequence, and commits when it
// is done.
type Numbered struct{ *Store }

// Update makes an update of one line in the trail.
func (s Numbered) Update(ctx context.Context, fn func(directory.Tx) error) (portal.Position, error) {
	transaction, err := s.begin(ctx, pgx.TxOptions{})
	if err != nil {
		return portal.Position{}, err
	}
	defer rollback(ctx, transaction)
	t := newTx(&session{querier: transaction})
	var r portal.Revision
	if err := t.session.get(ctx, `SELECT nextval('revisions')`, nil, &r); err != nil {
		return portal.Position{}, err
	}
	if err := fn(t); err != nil {
		return portal.Position{}, err
	}
	lines, err := sealed(portal.Position{Revision: r - 1}, uint64(r)-1, s.now(), t.entries)
	if err != nil {
		return portal.Position{}, err
	}
	trail, err := putLines(lines)
	if err != nil {
		return portal.Position{}, err
	}
	p := portal.Position{Revision: r, Tag: lines[0].Hash}
	err = t.session.exec(ctx, putChanges(r, t.changes), trail,
		statement{`UPDATE doorward.head SET revision = $1, seq = $1, tag = $2 WHERE revision < $1`, []any{r, p.Tag[:]}})
	if err != nil {
		return portal.Position{}, err
	}
	return p, transaction.Commit(ctx)
}

// AskAtOnce has no R2: it reads the feed after it wrote the row, as it should, but in the
// same transaction, and so before anybody can see the row.
type AskAtOnce struct {
	*Gates
	feed barrier.Feed
}

// Touch does all of it.
func (g *AskAtOnce) Touch(ctx context.Context, row barrier.Row, after portal.Position) (touched barrier.Touched, err error) {
	return touched, g.write(ctx, "ask", func(c *session) error {
		o, err := c.origin(ctx)
		if err != nil {
			return err
		}
		touched.Era, g.feed.Era, g.feed.Time = o.era, o.era, o.time
		if touched.Wrote, err = c.touch(ctx, row, after); err != nil {
			return err
		}
		return c.feed(ctx, &g.feed, after, 1000, 1000)
	})
}

// Feed returns what was read.
func (g *AskAtOnce) Feed(context.Context, portal.Position, int, int) (barrier.Feed, error) {
	return g.feed, nil
}

// ManySnapshots has no R8: it reads facts and position in one transaction, but each
// statement of it sees what was committed before that.
type ManySnapshots struct{ *Gates }

// Facts reads the facts, then the position, then which policy is in force.
func (g ManySnapshots) Facts(ctx context.Context, keys []portal.FactKey) (found gate.Found, err error) {
	t, err := g.store.begin(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadOnly})
	if err != nil {
		return found, err
	}
	defer rollback(ctx, t)
	c := &session{querier: t}
	if found.Facts, _, err = c.allFacts(ctx, keys); err != nil {
		return found, err
	}
	if found.Position, err = c.position(ctx); err != nil {
		return found, err
	}
	found.Policy, err = c.policyInForce(ctx)
	return found, err
}

// Interrupt has before called before each request that s sends to the database, also those
// that begin and end transactions.
func (s *Store) Interrupt(ctx context.Context, before func()) error {
	config := s.pool.Config()
	config.ConnConfig.Tracer = tracer(before)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	s.pool.Close()
	s.pool, s.session.querier = pool, pool
	return nil
}

type tracer func()

func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t()
	return ctx
}

func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t()
	return ctx
}

func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
