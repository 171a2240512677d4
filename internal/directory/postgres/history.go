package postgres

import (
	"context"
	"fmt"
	"time"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

const selectHistory = `SELECT source, id, at, account_id, user_id, staff, actor, ip, text FROM doorward.history`

// historyLine reads a row of selectHistory.
func historyLine(columns scan) (l portal.HistoryLine, err error) {
	var micros int64
	if err := columns(&l.Source, &l.ID, &micros, &l.Account, &l.User, &l.Staff, &l.Actor, &l.IP, &l.Text); err != nil {
		return portal.HistoryLine{}, err
	}
	l.At = time.UnixMicro(micros).UTC()
	return l, nil
}

func (c *session) history(ctx context.Context, account portal.AccountID, last portal.HistoryLine, limit int) ([]portal.HistoryLine, error) {
	if limit < 1 {
		return nil, fmt.Errorf("%w: a limit of %d lines of history", directory.ErrInvalid, limit)
	}
	if last.Source != "" && !portal.ValidName(last.Source) {
		return nil, fmt.Errorf("%w: history after a line of %q", directory.ErrInvalid, last.Source)
	}
	all, err := list(ctx, c, historyLine, selectHistory+` WHERE account_id = $1 AND (at, source, id) > ($2, $3, $4)
		ORDER BY at, source, id LIMIT $5`, id(account), moment(last.At).UnixMicro(), last.Source, after(last.ID), limit)
	if err != nil {
		return nil, fmt.Errorf("read history of account:%s: %w", account, err)
	}
	return all, nil
}

func (c *session) historyLine(ctx context.Context, source, line string) (portal.HistoryLine, error) {
	if !portal.ValidName(source) {
		source = "" // which no line has
	}
	l, err := historyLine(c.row(ctx, selectHistory+` WHERE source = $1 AND id = $2`, source, id(line)))
	if err != nil {
		return l, fmt.Errorf("read history of %s, line %s: %w", source, line, err)
	}
	return l, nil
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
	return t.write(ctx, "history of "+l.Source+", line "+l.ID, statement{`INSERT INTO doorward.history
		(source, id, at, account_id, user_id, staff, actor, ip, text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (source, id) DO UPDATE SET at = excluded.at, account_id = excluded.account_id, user_id = excluded.user_id,
		staff = excluded.staff, actor = excluded.actor, ip = excluded.ip, text = excluded.text`,
		[]any{l.Source, l.ID, l.At.UnixMicro(), l.Account, l.User, l.Staff, l.Actor, l.IP, l.Text},
	})
}
