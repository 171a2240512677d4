package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"fmt"

	"doorward/internal/directory"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// A gateRow is a row with the position that it acknowledges.
type gateRow struct {
	barrier.Row
	at portal.Position
}

const selectGate = `SELECT instance, label, policy, revision, tag, term, mark FROM gate`

// readGate reads a row of selectGate with scan.
func readGate(scan func(dest ...any) error) (r gateRow, err error) {
	var tag []byte
	err = scan(&r.Instance, &r.Label, &r.Policy, &r.at.Revision, &tag, &r.Term, &r.Mark)
	copy(r.at.Tag[:], tag)
	r.Acknowledged = r.at.Revision
	return r, err
}

// Touch implements barrier.Store.
func (g *Gates) Touch(ctx context.Context, row barrier.Row, after portal.Position) (barrier.Touched, error) {
	touched := barrier.Touched{Era: g.era}
	err := g.write(ctx, "write gate", func(c *session) (err error) {
		touched.Wrote, err = g.touch(ctx, c, row, after)
		return err
	})
	if err != nil {
		return barrier.Touched{}, err
	}
	return touched, nil
}

func (g *Gates) touch(ctx context.Context, c *session, row barrier.Row, after portal.Position) (wrote bool, err error) {
	was, err := readGate(func(dest ...any) error {
		return c.get(ctx, selectGate+` WHERE instance = ?`, []any{row.Instance}, dest...)
	})
	there := !errors.Is(err, directory.ErrNotFound)
	if there && err != nil {
		return false, err
	}
	held, err := g.held(ctx, after, was.at)
	if err != nil {
		return false, err
	}
	now := gateRow{Row: row}
	for _, p := range []portal.Position{was.at, after} {
		if held[p] && p.Revision > now.at.Revision {
			now.at = p
		}
	}
	now.Acknowledged, now.Term, now.Mark = now.at.Revision, max(row.Term, was.Term), ""
	if there && now == was {
		return false, nil
	}
	return true, c.putGate(ctx, now)
}

func (c *session) putGate(ctx context.Context, r gateRow) error {
	return c.exec(ctx, `INSERT INTO gate (instance, label, policy, revision, tag, term, mark) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (instance) DO UPDATE SET label = excluded.label, policy = excluded.policy,
		revision = excluded.revision, tag = excluded.tag, term = excluded.term, mark = excluded.mark`,
		r.Instance, r.Label, r.Policy, r.at.Revision, r.at.Tag[:], r.Term, r.Mark)
}

// Rows implements barrier.Store. The directory is looked at after the rows were: what a
// row acknowledges is in its history by then, if it ever is.
func (g *Gates) Rows(ctx context.Context, at portal.Position) (barrier.Rows, error) {
	rows, settled, held, err := g.rows(ctx, at)
	if err != nil {
		return barrier.Rows{}, fmt.Errorf("read gates: %w", err)
	}
	all := barrier.Rows{Rows: make([]barrier.Row, len(rows)), Held: held[at], Era: g.era, Settled: settled}
	for i, r := range rows {
		if !held[r.at] {
			r.Acknowledged = 0
		}
		all.Rows[i] = r.Row
	}
	return all, nil
}

func (g *Gates) rows(ctx context.Context, at portal.Position) (rows []gateRow, settled bool, held map[portal.Position]bool, err error) {
	rows, err = reading(ctx, &g.file, func(c *session) (all []gateRow, err error) {
		return all, c.transaction(ctx, beginRead, func() (err error) {
			one := func(rows *sql.Rows) (gateRow, error) { return readGate(rows.Scan) }
			if all, err = list(ctx, c, one, selectGate+` ORDER BY instance`); err != nil {
				return err
			}
			return c.get(ctx, `SELECT EXISTS (SELECT 1 FROM settled WHERE era = ?)`, []any{g.era}, &settled)
		})
	})
	if err != nil {
		return nil, false, nil, err
	}
	positions := []portal.Position{at}
	for _, r := range rows {
		positions = append(positions, r.at)
	}
	held, err = g.held(ctx, positions...)
	return rows, settled, held, err
}

// Feed implements barrier.Store.
func (g *Gates) Feed(ctx context.Context, after portal.Position, limit, window int) (barrier.Feed, error) {
	if limit < 1 || window < 1 {
		return barrier.Feed{}, fmt.Errorf("%w: a limit of %d changes in a window of %d", directory.ErrInvalid, limit, window)
	}
	feed, err := reading(ctx, &g.store.file, func(c *session) (f barrier.Feed, err error) {
		err = c.transaction(ctx, beginRead, func() error {
			f, err = c.feed(ctx, after, limit, window)
			f.Era, f.Time = g.era, g.store.now()
			return err
		})
		return f, err
	})
	if err != nil {
		return barrier.Feed{}, fmt.Errorf("read feed: %w", err)
	}
	return feed, nil
}

// feed reads little for a gate that has everything: idle gates ask for it all the time.
func (c *session) feed(ctx context.Context, after portal.Position, limit, window int) (f barrier.Feed, err error) {
	if f.Policy, err = c.policyInForce(ctx); err != nil {
		return f, err
	}
	if f.Head, err = c.position(ctx); err != nil {
		return f, err
	}
	if f.From, f.To = after, after; after == f.Head {
		return f, nil
	}
	if f.From, err = c.feedFrom(ctx, after, window); err != nil {
		return f, err
	}
	if f.Changes, err = c.changes(ctx, f.From.Revision, limit); err != nil {
		return f, err
	}
	f.To, err = c.leadTo(ctx, f.Changes)
	return f, err
}

// feedFrom is after, if it is held and no more than window changes came after it; else
// the first position that no more came after.
func (c *session) feedFrom(ctx context.Context, after portal.Position, window int) (portal.Position, error) {
	switch err := c.holds(ctx, after); {
	case errors.Is(err, directory.ErrForeignPosition):
	case err != nil:
		return portal.Position{}, err
	default:
		err = c.get(ctx, `SELECT 1 FROM change_log WHERE revision > ? ORDER BY revision, n LIMIT 1 OFFSET ?`,
			[]any{after.Revision, window}, new(int))
		if errors.Is(err, directory.ErrNotFound) {
			return after, nil
		}
		if err != nil {
			return portal.Position{}, err
		}
	}
	var last portal.Revision
	err := c.get(ctx, `SELECT revision FROM change_log ORDER BY revision DESC, n DESC LIMIT 1 OFFSET ?`, []any{window}, &last)
	if errors.Is(err, directory.ErrNotFound) {
		return portal.Position{}, nil // all of it is in the window
	}
	if err != nil {
		return portal.Position{}, err
	}
	return c.positionAt(ctx, last)
}
