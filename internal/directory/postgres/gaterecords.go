package postgres

import (
	"context"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// Keep implements barrier.Store. It commits something in any case: a record that is there
// already may be there only because somebody's wait for a standby was cut short.
func (g *Gates) Keep(ctx context.Context, spool string, records []gate.Record) error {
	numbers, data := make([]int64, len(records)), make([][]byte, len(records))
	for i, r := range records {
		numbers[i], data[i] = int64(r.Seq), r.Data
	}
	return g.write(ctx, "keep records", func(c *session) error {
		return c.exec(ctx,
			statement{`INSERT INTO doorward.records (spool, seq, data)
				SELECT $1, seq, coalesce(data, '') FROM unnest($2::bigint[], $3::bytea[]) AS r (seq, data)
				ON CONFLICT DO NOTHING`, []any{spool, numbers, data}},
			statement{query: `SELECT ` + emit})
	})
}

// Records implements barrier.Archive.
func (g *Gates) Records(ctx context.Context, after barrier.Kept, limit int) (all []barrier.Kept, err error) {
	err = g.read(ctx, "read records", func(c *session, _ origin) (err error) {
		all, err = list(ctx, c, kept, `SELECT kept_at, spool, seq, data FROM doorward.records WHERE (kept_at, spool, seq) > ($1, $2, $3)
			ORDER BY kept_at, spool, seq LIMIT $4`, after.At.UnixMicro(), after.Spool, int64(after.Seq), limit)
		return err
	})
	return all, err
}

func kept(columns scan) (k barrier.Kept, err error) {
	var at, seq int64
	err = columns(&at, &k.Spool, &seq, &k.Data)
	k.At, k.Seq = time.UnixMicro(at).UTC(), uint64(seq)
	return k, err
}
