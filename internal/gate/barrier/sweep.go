package barrier

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/internal/rule"
	"doorward/internal/portal"
)

// A watch is a row that was seen as it is.
type watch struct {
	who          gate.Instance
	mark         string
	acknowledged portal.Revision
}

// Sweep deletes the rows of processes that are gone, in two steps (R6). It is called
// now and then, by one goroutine.
//
// A row that has had one and the same mark for its term and the margin, by our own
// monotonic clock, since we saw it, belongs to a process that has not asked for so
// long: asking clears the mark, and no mark is used twice. So it does not matter who
// marked it, and a mark that was cleared and made anew is watched anew.
//
// Rows that stay as they are for long are marked: the next ask of a gate that lives
// clears the mark.
func (k *Keeper) Sweep(ctx context.Context) error {
	rows, err := k.store.Rows(ctx, portal.Position{})
	if err != nil {
		return fmt.Errorf("read the rows of gates: %w", err)
	}
	k.saw(rows.Era)
	now := k.clock.Now().Mono
	seen := make(map[watch]time.Duration, len(rows.Rows))
	for _, row := range rows.Rows {
		w := watch{row.Instance, row.Mark, row.Acknowledged}
		since, ok := k.watched[w]
		if !ok {
			since = now
		}
		seen[w] = since
		if err := k.sweep(ctx, row, now-since); err != nil {
			return err
		}
	}
	k.watched = seen
	k.lostSight(rows.Rows)
	return k.settle(ctx, rows, now)
}

// sweep does what is to be done about a row that has been as it is for some time.
func (k *Keeper) sweep(ctx context.Context, row Row, unchanged time.Duration) error {
	switch {
	case row.Mark == "" && unchanged >= k.idle:
		return k.mark(ctx, row.Instance)
	case row.Mark != "" && unchanged >= k.watch(row):
		if err := k.store.Delete(ctx, row.Instance, row.Mark); err != nil {
			return fmt.Errorf("delete the row of a gate that is gone: %w", err)
		}
	}
	return nil
}

// watch is how long a mark is watched: as long as the gate may answer from what it
// knows, and not only as long as its lease.
func (k *Keeper) watch(row Row) time.Duration {
	switch {
	case !k.rules.Keeps(rule.WatchMark):
		return 0
	case !k.rules.Keeps(rule.WatchTerm):
		return gate.DefaultLease + k.margin
	}
	return row.Term + k.margin
}

// mark marks a row. One that is not made costs the next barrier a wait.
func (k *Keeper) mark(ctx context.Context, who gate.Instance) error {
	var mark [16]byte
	if _, err := io.ReadFull(k.random, mark[:]); err != nil {
		return fmt.Errorf("make a mark: %w", err)
	}
	if err := k.store.Mark(ctx, who, hex.EncodeToString(mark[:])); err != nil {
		return fmt.Errorf("mark the row of a silent gate: %w", err)
	}
	return nil
}
