package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

const selectGates = `SELECT instance, label, policy, acknowledged, term, mark FROM doorward.gates`

// gateRow reads a row of selectGates.
func gateRow(columns scan) (r barrier.Row, err error) {
	var instance string
	var acknowledged, term int64
	err = columns(&instance, &r.Label, &r.Policy, &acknowledged, &term, &r.Mark)
	r.Instance, r.Acknowledged, r.Term = gate.Instance(instance), portal.Revision(acknowledged), time.Duration(term)
	return r, err
}

// Touch implements barrier.Store.
func (g *Gates) Touch(ctx context.Context, row barrier.Row, after portal.Position) (touched barrier.Touched, err error) {
	err = g.write(ctx, "write gate", func(c *session) error {
		o, err := c.origin(ctx)
		if err != nil {
			return err
		}
		touched.Era = o.era
		touched.Wrote, err = c.touch(ctx, row, after)
		return err
	})
	if err != nil {
		return barrier.Touched{}, err
	}
	return touched, nil
}

// touch looks before it writes: an upsert locks the row even where it changes nothing, and
// that is a commit.
func (c *session) touch(ctx context.Context, row barrier.Row, after portal.Position) (wrote bool, err error) {
	row.Acknowledged, row.Mark = 0, ""
	held, err := c.held(ctx, after)
	if err != nil {
		return false, err
	}
	if held {
		row.Acknowledged = after.Revision
	}
	was, err := gateRow(c.row(ctx, selectGates+` WHERE instance = $1`, string(row.Instance)))
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return false, err
	}
	if err == nil {
		row.Acknowledged, row.Term = max(row.Acknowledged, was.Acknowledged), max(row.Term, was.Term)
		if row == was {
			return false, nil
		}
	}
	return true, c.exec(ctx, statement{`INSERT INTO doorward.gates AS g (instance, label, policy, acknowledged, term, mark)
		VALUES ($1, $2, $3, $4, $5, '')
		ON CONFLICT (instance) DO UPDATE SET label = excluded.label, policy = excluded.policy, mark = '',
		acknowledged = greatest(g.acknowledged, excluded.acknowledged), term = greatest(g.term, excluded.term)`,
		[]any{string(row.Instance), row.Label, row.Policy, int64(row.Acknowledged), int64(row.Term)}})
}

// Rows implements barrier.Store.
func (g *Gates) Rows(ctx context.Context, at portal.Position) (rows barrier.Rows, err error) {
	err = g.read(ctx, "read gates", func(c *session, o origin) (err error) {
		rows.Era = o.era
		if rows.Rows, err = list(ctx, c, gateRow, selectGates+` ORDER BY instance`); err != nil {
			return err
		}
		if rows.Held, err = c.held(ctx, at); err != nil {
			return err
		}
		return c.get(ctx, `SELECT EXISTS (SELECT FROM doorward.settled WHERE era = $1)`, []any{string(o.era)}, &rows.Settled)
	})
	if err != nil {
		return barrier.Rows{}, err
	}
	return rows, nil
}

// Feed implements barrier.Store.
func (g *Gates) Feed(ctx context.Context, after portal.Position, limit, window int) (feed barrier.Feed, err error) {
	if limit < 1 || window < 1 {
		return barrier.Feed{}, fmt.Errorf("%w: a limit of %d changes in a window of %d", directory.ErrInvalid, limit, window)
	}
	err = g.read(ctx, "read feed", func(c *session, o origin) (err error) {
		feed.Era, feed.Time = o.era, o.time
		if feed.Policy, err = c.policyInForce(ctx); err != nil {
			return err
		}
		return c.feed(ctx, &feed, after, limit, window)
	})
	if err != nil {
		return barrier.Feed{}, err
	}
	return feed, nil
}

func (c *session) feed(ctx context.Context, f *barrier.Feed, after portal.Position, limit, window int) (err error) {
	if f.Head, err = c.position(ctx); err != nil {
		return err
	}
	if f.From, f.To = after, after; after == f.Head {
		return nil
	}
	if f.From, err = c.feedFrom(ctx, after, window); err != nil {
		return err
	}
	if f.To = f.From; f.From == f.Head {
		return nil
	}
	if f.Changes, err = c.changes(ctx, f.From.Revision, limit); err != nil {
		return err
	}
	if n := len(f.Changes); n > 0 {
		f.To, err = c.positionAt(ctx, f.Changes[n-1].Revision)
	}
	return err
}

// feedFrom is after, if it is held and no more than window changes came after it; else
// the first position that no more came after.
func (c *session) feedFrom(ctx context.Context, after portal.Position, window int) (portal.Position, error) {
	held, err := c.held(ctx, after)
	if err != nil {
		return portal.Position{}, err
	}
	if held {
		err := c.get(ctx, `SELECT 1 FROM doorward.change_log WHERE revision > $1 ORDER BY revision, n OFFSET $2 LIMIT 1`,
			[]any{after.Revision, window}, new(int))
		if errors.Is(err, directory.ErrNotFound) {
			return after, nil
		}
		if err != nil {
			return portal.Position{}, err
		}
	}
	var last portal.Revision
	err = c.get(ctx, `SELECT revision FROM doorward.change_log ORDER BY revision DESC, n DESC OFFSET $1 LIMIT 1`, []any{window}, &last)
	if errors.Is(err, directory.ErrNotFound) {
		return portal.Position{}, nil // all of it is in the window
	}
	if err != nil {
		return portal.Position{}, err
	}
	return c.positionAt(ctx, last)
}
