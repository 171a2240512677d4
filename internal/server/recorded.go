package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/decision"
	"doorward/internal/decisionlog"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/spool"
)

// recorder keeps decisions about sensitive actions, as this process gives them
// (invariant 13).
func recorder(by string, keep func(context.Context, ...[]byte) error) decision.Recorder {
	return func(ctx context.Context, all []decision.Record) (err error) {
		texts := make([][]byte, len(all))
		for i, r := range all {
			if texts[i], err = decisionlog.Of(r, by); err != nil {
				return err
			}
		}
		return keep(ctx, texts...)
	}
}

// The folder of a sidecar's spool, when the settings name none, and the file of decisions in it.
const (
	spoolFolder = "spool"
	spoolFile   = "decisions"
)

// openSpool opens a file where this sidecar's records wait for the directory (R16).
func (b *builder) openSpool(file string, room int64) (*spool.Disk, error) {
	folder := cmp.Or(b.c.Gate.Spool, filepath.Join(b.c.Data, spoolFolder))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of gate.spool: %w", err)
	}
	disk, err := spool.Open(filepath.Join(folder, file), room)
	if errors.Is(err, spool.ErrInUse) {
		err = fmt.Errorf("%w; give each sidecar a gate.spool of its own", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	b.opened = append(b.opened, disk.Close)
	return disk, nil
}

// spoolingDecisions opens the spool of decisions about sensitive actions.
func (b *builder) spoolingDecisions() (*spool.Disk, error) {
	disk, err := b.openSpool(spoolFile, int64(b.c.Gate.SpoolBytes))
	if err != nil {
		return nil, err
	}
	gauge := func(name, help string, value func(records int, bytes int64) float64) {
		b.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(disk.Waiting()) }))
	}
	gauge("doorward_gate_spool_records", "Decisions about sensitive actions that wait for the directory.", func(n int, _ int64) float64 { return float64(n) })
	gauge("doorward_gate_spool_bytes", "Size of the file in which they wait.", func(_ int, n int64) float64 { return float64(n) })
	return disk, nil
}

// An archive keeps a directory's own decisions where those of gates come to lie.
type archive struct {
	rows rows
	name string // among spools
	last atomic.Uint64
}

func newArchive(rows rows) *archive { return &archive{rows: rows, name: rand.Text()} }

// Keep keeps records, all or none.
func (a *archive) Keep(ctx context.Context, data ...[]byte) error {
	first := a.last.Add(uint64(len(data))) - uint64(len(data)) + 1
	records := make([]gate.Record, len(data))
	for i, one := range data {
		records[i] = gate.Record{Seq: first + uint64(i), Data: one}
	}
	return a.rows.Keep(ctx, a.name, records)
}

// recordsAtOnce is how many records are read in one go.
const recordsAtOnce = 500

// Records shows what d has kept of decisions since a time, in the order in which it came.
func Records(ctx context.Context, d Directory, since time.Time, show func(barrier.Kept) error) (err error) {
	if !d.hasRows() {
		return nil
	}
	rows, err := d.rows(ctx)
	if err != nil {
		return fmt.Errorf("open the rows of gates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for after := (barrier.Kept{At: since}); ; {
		page, err := rows.Records(ctx, after, recordsAtOnce)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, k := range page {
			if err := show(k); err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}
