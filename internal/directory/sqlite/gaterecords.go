package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// Keep implements barrier.Store.
func (g *Gates) Keep(ctx context.Context, spool string, records []gate.Record) error {
	now := micros(g.store.now())
	return g.write(ctx, "keep records", func(c *session) error {
		for _, r := range records {
			err := c.exec(ctx, `INSERT INTO record (spool, seq, data, kept_at) VALUES (?, ?, coalesce(?, x''), ?)
				ON CONFLICT (spool, seq) DO NOTHING`, spool, r.Seq, r.Data, now)
			if err != nil {
				return fmt.Errorf("record %d: %w", r.Seq, err)
			}
		}
		return nil
	})
}

// Records implements barrier.Archive.
func (g *Gates) Records(ctx context.Context, after barrier.Kept, limit int) ([]barrier.Kept, error) {
	all, err := reading(ctx, &g.file, func(c *session) ([]barrier.Kept, error) {
		return list(ctx, c, kept, `SELECT kept_at, spool, seq, data FROM record WHERE (kept_at, spool, seq) > (?, ?, ?)
			ORDER BY kept_at, spool, seq LIMIT ?`, after.At.UnixMicro(), after.Spool, after.Seq, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return all, nil
}

func kept(rows *sql.Rows) (k barrier.Kept, err error) {
	var at int64
	err = rows.Scan(&at, &k.Spool, &k.Seq, &k.Data)
	k.At = time.UnixMicro(at).UTC()
	return k, err
}
