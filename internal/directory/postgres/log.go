package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// oneSnapshot begins a transaction whose statements all read the same.
var oneSnapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// Changes implements directory.Store.
func (s *Store) Changes(ctx context.Context, after portal.Position, limit int) ([]directory.Change, portal.Position, error) {
	if limit < 1 {
		return nil, portal.Position{}, fmt.Errorf("%w: a limit of %d changes", directory.ErrInvalid, limit)
	}
	changes, at, err := s.changes(ctx, after, limit)
	if err != nil {
		return nil, portal.Position{}, fmt.Errorf("read changes after %v: %w", after, err)
	}
	return changes, at, nil
}

func (s *Store) changes(ctx context.Context, after portal.Position, limit int) (all []directory.Change, at portal.Position, err error) {
	snapshot, err := s.begin(ctx, oneSnapshot)
	if err != nil {
		return nil, at, err
	}
	defer rollback(ctx, snapshot)
	c := &session{querier: snapshot}
	head, err := c.position(ctx)
	if err != nil || head == after {
		return nil, head, err
	}
	if err := c.holds(ctx, after); err != nil {
		return nil, at, err
	}
	all, err = c.changes(ctx, after.Revision, limit)
	if err != nil || len(all) == 0 {
		return nil, head, err
	}
	at, err = c.positionAt(ctx, all[len(all)-1].Revision)
	return all, at, err
}

const selectChanges = `SELECT revision, kind, account_id, user_id, contact_id FROM doorward.change_log`

// change reads a row of selectChanges.
func change(columns scan) (c directory.Change, err error) {
	return c, columns(&c.Revision, &c.Kind, &c.Account, &c.User, &c.Contact)
}

// changes reads whole revisions: one row more than limit shows whether the last
// of them is cut. If even the first is, it is read again, whole.
func (c *session) changes(ctx context.Context, after portal.Revision, limit int) ([]directory.Change, error) {
	all, err := list(ctx, c, change, selectChanges+` WHERE revision > $1 ORDER BY revision, n LIMIT $2`, after, limit+1)
	if err != nil || len(all) <= limit {
		return all, err
	}
	cut := all[limit].Revision
	if all[0].Revision == cut {
		return list(ctx, c, change, selectChanges+` WHERE revision = $1 ORDER BY n`, cut)
	}
	first := slices.IndexFunc(all, func(c directory.Change) bool { return c.Revision == cut })
	return all[:first], nil
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
	err := c.get(ctx, `SELECT hash FROM doorward.audit_lines WHERE revision = $1 ORDER BY seq DESC LIMIT 1`, []any{r}, &tag)
	return portal.Position{Revision: r, Tag: hash(tag)}, err
}

// linesAtOnce is how many lines of the trail are read in one go.
const linesAtOnce = 500

// AuditLines implements directory.Store. The trail only grows, so it is read in
// pieces: a slow reader holds no snapshot, which would keep VACUUM from its work.
func (s *Store) AuditLines(ctx context.Context) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		last := uint64(0)
		for {
			lines, err := list(ctx, s.session, auditLine, `SELECT seq, revision, time, actor, client, action, object, detail, hash
				FROM doorward.audit_lines WHERE seq > $1 ORDER BY seq LIMIT $2`, last, linesAtOnce)
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

// auditLine reads a row of the trail.
func auditLine(columns scan) (l audit.Line, err error) {
	var micros int64
	var details string
	var sum []byte
	if err := columns(&l.Seq, &l.Revision, &micros, &l.Actor, &l.Client, &l.Action, &l.Object, &details, &sum); err != nil {
		return l, err
	}
	l.Time, l.Hash = time.UnixMicro(micros).UTC(), hash(sum)
	if l.Detail, err = detail(details); err != nil {
		return l, &audit.BrokenError{Seq: l.Seq, Why: "its detail was changed and cannot be read"}
	}
	return l, nil
}
