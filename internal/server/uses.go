package server

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/gate/wire"
	"doorward/internal/lastuse"
	"doorward/internal/portal"
)

// usesPause is for how long uses of memberships are gathered before they are kept.
const usesPause = 5 * time.Second

// The file of a sidecar's uses, beside that of its decisions, and the share of
// gate.spool_bytes that it may take besides.
const (
	usesFile  = "uses"
	usesShare = 8
)

// marking has uses marked from now on, and kept in the directory (req 95, req 116). A
// question that is asked here once is none.
func (b *builder) marking() {
	if !b.o.Once {
		b.mark(b.Store.Used, nil, nil)
	}
}

// spoolingUses has uses marked from now on, and sent from this sidecar's disk (R16).
func (b *builder) spoolingUses(client *wire.Client) error {
	disk, err := b.openSpool(usesFile, int64(b.c.Gate.SpoolBytes)/usesShare)
	if err != nil {
		return err
	}
	waiting := lastuse.Spool{Disk: disk}
	b.mark(waiting.Add, func() int { n, _ := disk.Waiting(); return n },
		func(ctx context.Context) error { return waiting.Send(ctx, client.Uses) })
	return nil
}

// mark has uses marked from now on and kept, and then sent on if there is anywhere to.
// spooled tells how many are on their way.
func (b *builder) mark(keep func(context.Context, []portal.Use) error, spooled func() int, send func(context.Context) error) {
	if spooled == nil {
		spooled = func() int { return 0 }
	}
	if send == nil {
		send = func(context.Context) error { return nil }
	}
	m := lastuse.New(keep, b.reg)
	b.note = m.Note
	b.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "doorward_uses_waiting", Help: "Uses of memberships that the directory does not have yet.",
	}, func() float64 { return float64(m.Gathered() + spooled()) }))
	round := func(ctx context.Context) error { return errors.Join(m.Keep(ctx), send(ctx)) }
	b.loops = append(b.loops, func(ctx context.Context) {
		every(ctx, usesPause, b.o.Log, "keeping when memberships were last used", round)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		if err := round(ctx); err != nil {
			b.o.Log.WarnContext(ctx, "when some memberships were last used is not known yet", "error", err)
		}
	})
}
