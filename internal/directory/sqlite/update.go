package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Update implements directory.Store. fn runs once.
func (s *Store) Update(ctx context.Context, fn func(directory.Tx) error) (p portal.Position, err error) {
	c, err := s.take(ctx, s.writer)
	if err != nil {
		return p, fmt.Errorf("update directory: %w", err)
	}
	defer func() { s.writer <- c }()
	lent, end := c.lend()
	defer end()
	err = c.transaction(ctx, beginWrite, func() error {
		t := &tx{session: lent}
		if err := fn(t); err != nil {
			return err
		}
		p, err = s.seal(ctx, t)
		return err
	})
	if err != nil {
		return portal.Position{}, fmt.Errorf("update directory: %w", err)
	}
	return p, nil
}

// seal checks what fn left, and writes the change log, the trail and, last, the
// head. It returns the position that the transaction, once committed, leads to.
func (s *Store) seal(ctx context.Context, t *tx) (portal.Position, error) {
	if t.lost != nil {
		return portal.Position{}, t.lost
	}
	last, seq, err := t.session.head(ctx)
	if err != nil && !errors.Is(err, directory.ErrNotFound) { // not found: this is the first commit
		return portal.Position{}, err
	}
	if len(t.changes)+len(t.entries) == 0 {
		return last, nil
	}
	if len(t.entries) == 0 {
		return portal.Position{}, directory.ErrUnaudited
	}
	for account := range t.owners {
		if err := t.session.settleOwner(ctx, account); err != nil {
			return portal.Position{}, err
		}
	}
	w := sealing{session: t.session, at: portal.Position{Revision: last.Revision + 1, Tag: last.Tag}, seq: seq}
	if err := w.changeLog(ctx, t.changes); err != nil {
		return portal.Position{}, fmt.Errorf("write change log: %w", err)
	}
	now := s.now()
	for _, e := range t.entries {
		line := audit.Seal(w.at.Tag, w.seq+1, w.at.Revision, now, e)
		if err := w.line(ctx, line); err != nil {
			return portal.Position{}, fmt.Errorf("write audit line %d: %w", line.Seq, err)
		}
	}
	return w.at, w.head(ctx)
}

// settleOwner checks that the account has exactly one owner (req 4, S39), and
// marks it so that the index on owners holds from now on.
func (c *session) settleOwner(ctx context.Context, account portal.AccountID) error {
	var owners int
	if err := c.get(ctx, `SELECT count(*) FROM membership WHERE account = ? AND owner > 0`, []any{account}, &owners); err != nil {
		return fmt.Errorf("count owners: %w", err)
	}
	if owners != 1 {
		return fmt.Errorf("%w: account:%s would have %d owners, and needs exactly one", directory.ErrInvalid, account, owners)
	}
	return c.exec(ctx, `UPDATE membership SET owner = 1 WHERE account = ? AND owner = 2`, account)
}

// A sealing writes what every commit ends with. at is where the trail has got to.
type sealing struct {
	*session
	at  portal.Position
	seq uint64
}

func (w *sealing) changeLog(ctx context.Context, changes []directory.Change) error {
	if len(changes) == 0 {
		changes = []directory.Change{{Kind: directory.ChangedNothing}}
	}
	for n, c := range changes {
		err := w.exec(ctx, `INSERT INTO change_log (revision, n, kind, account, user, contact) VALUES (?, ?, ?, ?, ?, ?)`,
			w.at.Revision, n, c.Kind, c.Account, c.User, c.Contact)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *sealing) line(ctx context.Context, l audit.Line) error {
	if err := directory.CheckEntry(l.Entry); err != nil {
		return err
	}
	detail, err := json.Marshal(l.Detail, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.at.Tag, w.seq = l.Hash, l.Seq
	return w.exec(ctx, `INSERT INTO audit_line (seq, revision, time, actor, client, action, object, detail, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.Seq, l.Revision, l.Time.UnixMicro(), l.Actor, l.Client, l.Action, l.Object, string(detail), l.Hash[:])
}

func (w *sealing) head(ctx context.Context) error {
	err := w.exec(ctx, `INSERT INTO head (only, revision, seq, tag) VALUES (1, ?, ?, ?)
		ON CONFLICT (only) DO UPDATE SET revision = excluded.revision, seq = excluded.seq, tag = excluded.tag`,
		w.at.Revision, w.seq, w.at.Tag[:])
	if err != nil {
		return fmt.Errorf("write head: %w", err)
	}
	return nil
}
