package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Changes implements directory.Store.
func (s *Store) Changes(ctx context.Context, after portal.Position, limit int) ([]directory.Change, portal.Position, error) {
	if limit < 1 {
		return nil, portal.Position{}, fmt.Errorf("%w: a limit of %d changes", directory.ErrInvalid, limit)
	}
	type batch struct {
		changes []directory.Change
		at      portal.Position
	}
	b, err := reading(ctx, &s.file, func(c *session) (b batch, err error) {
		err = c.transaction(ctx, beginRead, func() error {
			if err := c.holds(ctx, after); err != nil {
				return err
			}
			if b.changes, err = c.changes(ctx, after.Revision, limit); err != nil {
				return err
			}
			b.at, err = c.leadTo(ctx, b.changes)
			return err
		})
		return b, err
	})
	if err != nil {
		return nil, portal.Position{}, fmt.Errorf("read changes after %v: %w", after, err)
	}
	return b.changes, b.at, nil
}

const selectChanges = `SELECT revision, kind, account, user, contact FROM change_log`

func scanChange(rows *sql.Rows) (c directory.Change, err error) {
	err = rows.Scan(&c.Revision, &c.Kind, &c.Account, &c.User, &c.Contact)
	return c, err
}

// changes reads whole revisions: one row more than limit shows whether the last
// of them is cut. If even the first is, it is read again, whole.
func (c *session) changes(ctx context.Context, after portal.Revision, limit int) ([]directory.Change, error) {
	all, err := list(ctx, c, scanChange, selectChanges+` WHERE revision > ? ORDER BY revision, n LIMIT ?`, after, limit+1)
	if err != nil || len(all) <= limit {
		return all, err
	}
	cut := all[limit].Revision
	if all[0].Revision == cut {
		return list(ctx, c, scanChange, selectChanges+` WHERE revision = ? ORDER BY n`, cut)
	}
	first := slices.IndexFunc(all, func(c directory.Change) bool { return c.Revision == cut })
	return all[:first], nil
}

// leadTo is the position after changes.
func (c *session) leadTo(ctx context.Context, changes []directory.Change) (portal.Position, error) {
	if len(changes) == 0 {
		return c.position(ctx)
	}
	return c.positionAt(ctx, changes[len(changes)-1].Revision)
}

// holds tells whether a position is in this directory's history (design R1). The
// zero position, before the first commit, is in every history.
func (c *session) holds(ctx context.Context, p portal.Position) error {
	if p == (portal.Position{}) {
		return nil
	}
	ours, err := c.positionAt(ctx, p.Revision)
	if err == nil && ours != p || errors.Is(err, directory.ErrNotFound) {
		return directory.ErrForeignPosition
	}
	return err
}

// positionAt is the position of a revision: its tag is the hash of the revision's
// last line.
func (c *session) positionAt(ctx context.Context, r portal.Revision) (portal.Position, error) {
	if r > math.MaxInt64 {
		return portal.Position{}, directory.ErrNotFound
	}
	var tag []byte
	p := portal.Position{Revision: r}
	err := c.get(ctx, `SELECT hash FROM audit_line WHERE revision = ? ORDER BY seq DESC LIMIT 1`, []any{r}, &tag)
	copy(p.Tag[:], tag)
	return p, err
}

// linesAtOnce is how many lines of the trail are read in one go.
const linesAtOnce = 500

// AuditLines implements directory.Store. The trail only grows, so it is read in
// pieces: a slow reader holds up nobody.
func (s *Store) AuditLines(ctx context.Context) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		last := uint64(0)
		for {
			lines, err := reading(ctx, &s.file, func(c *session) ([]audit.Line, error) { return c.lines(ctx, last) })
			for _, l := range lines {
				if !yield(l, nil) {
					return
				}
				last = l.Seq
			}
			if err != nil {
				yield(audit.Line{}, fmt.Errorf("read audit line after %d: %w", last, err))
				return
			}
			if len(lines) < linesAtOnce {
				return
			}
		}
	}
}

// lines reads the lines after seq.
func (c *session) lines(ctx context.Context, seq uint64) ([]audit.Line, error) {
	return list(ctx, c, scanLine, `SELECT seq, revision, time, actor, client, action, object, detail, hash
		FROM audit_line WHERE seq > ? ORDER BY seq LIMIT ?`, seq, linesAtOnce)
}

func scanLine(rows *sql.Rows) (l audit.Line, err error) {
	var micros int64
	var details string
	var hash []byte
	if err := rows.Scan(&l.Seq, &l.Revision, &micros, &l.Actor, &l.Client, &l.Action, &l.Object, &details, &hash); err != nil {
		return l, err
	}
	l.Time = time.UnixMicro(micros).UTC()
	copy(l.Hash[:], hash)
	if l.Detail, err = detail(details); err != nil {
		return l, &audit.BrokenError{Seq: l.Seq, Why: "its detail was changed and cannot be read"}
	}
	return l, nil
}
