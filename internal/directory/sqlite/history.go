package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectHistory = `SELECT source, id, at, account, user, staff, actor, ip, text FROM history`

// historyLine reads a row of selectHistory with scan.
func historyLine(scan func(dest ...any) error) (l portal.HistoryLine, err error) {
	var micros int64
	if err := scan(&l.Source, &l.ID, &micros, &l.Account, &l.User, &l.Staff, &l.Actor, &l.IP, &l.Text); err != nil {
		return portal.HistoryLine{}, err
	}
	l.At = time.UnixMicro(micros).UTC()
	return l, nil
}

func (c *session) historyLine(ctx context.Context, source, id string) (portal.HistoryLine, error) {
	l, err := historyLine(func(dest ...any) error {
		return c.get(ctx, selectHistory+` WHERE source = ? AND id = ?`, []any{source, id}, dest...)
	})
	if err != nil {
		return l, fmt.Errorf("read history of %s, line %s: %w", source, id, err)
	}
	return l, nil
}

func (c *session) history(ctx context.Context, account portal.AccountID, after portal.HistoryLine, limit int) ([]portal.HistoryLine, error) {
	if limit < 1 {
		return nil, fmt.Errorf("%w: a limit of %d lines of history", directory.ErrInvalid, limit)
	}
	scan := func(rows *sql.Rows) (portal.HistoryLine, error) { return historyLine(rows.Scan) }
	all, err := list(ctx, c, scan, selectHistory+` WHERE account = ? AND (at, source, id) > (?, ?, ?) ORDER BY at, source, id LIMIT ?`,
		account, moment(after.At).UnixMicro(), after.Source, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("read history of account:%s: %w", account, err)
	}
	return all, nil
}

// PutHistory implements directory.Tx.
func (t *tx) PutHistory(ctx context.Context, l portal.HistoryLine) error {
	if err := directory.CheckHistory(l); err != nil {
		return err
	}
	l.At = moment(l.At)
	old, err := t.session.historyLine(ctx, l.Source, l.ID)
	if done, err := same(old, l, err); done || err != nil {
		return t.keep(err)
	}
	t.changed(directory.Change{Kind: directory.ChangedNothing})
	return t.wrote("history of "+l.Source+", line "+l.ID, t.session.exec(ctx, `INSERT INTO history
		(source, id, at, account, user, staff, actor, ip, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (source, id) DO UPDATE SET at = excluded.at, account = excluded.account, user = excluded.user,
		staff = excluded.staff, actor = excluded.actor, ip = excluded.ip, text = excluded.text`,
		l.Source, l.ID, l.At.UnixMicro(), l.Account, l.User, l.Staff, l.Actor, l.IP, l.Text))
}
