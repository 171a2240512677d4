package server

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"doorward/internal/authzen"
	"doorward/internal/facts"
	"doorward/internal/gate"
	"doorward/internal/gate/wire"
	"doorward/internal/problem"
	"doorward/internal/promotion"
	"doorward/internal/token"
)

// sidecar puts together decisions alone: facts come from memory and from the directory, as
// the gate's protocol allows, and so do client tokens. Searches are the directory's (R16).
func (b *builder) sidecar() error {
	client, err := wire.NewClient(wire.ClientConfig{
		URLs: b.c.Directory.URLs, TokenFile: b.c.Directory.TokenFile, CAFile: b.c.Directory.CAFile, Metrics: b.reg,
	})
	if err != nil {
		return fmt.Errorf("find the directory: %w", err)
	}
	b.opened = append(b.opened, func() error { client.Close(); return nil })
	b.promoted = promotion.NewFollower(b.keys, client.Policy)
	disk, err := b.spoolingDecisions()
	if err == nil {
		err = b.spoolingUses(client)
	}
	if err != nil {
		return err
	}
	cache, err := b.share(client)
	if err != nil {
		return err
	}
	name := label(b.c.Gate.Label)
	g, err := b.newGate(client, gate.Config{Label: name, Lease: b.c.Gate.Lease, Staleness: b.c.Gate.MaxStaleness, Spool: disk, Shared: cache})
	if err != nil {
		return err
	}
	b.record = recorder(name, func(_ context.Context, data ...[]byte) error { return g.Record(data...) })
	b.judge(gated{g}, tokens{client.Tokens, g})
	b.health.look = lookAtGate(g)
	mux := b.newMux()
	mountDecisions(mux, b.guard, b.answers())
	for _, path := range authzen.SearchPaths() {
		mux.Handle(path, b.guard.Protect(token.Decide, problem.Handle(b.o.Log, client.Forward)))
	}
	authzen.Metadata{PublicURL: b.c.PublicURL}.Register(mux)
	b.Handler = b.finish(mux)
	return nil
}

// newGate makes a gate of this process that follows d while it serves.
func (b *builder) newGate(d gate.Directory, c gate.Config) (*gate.Gate, error) {
	c.Directory, c.Clock, c.Memory, c.Policies = d, gate.NewClock(), facts.Bound{Bytes: b.c.Facts.MaxBytes}, b.promoted
	g, err := gate.New(c)
	if err != nil {
		return nil, fmt.Errorf("make the gate: %w", err)
	}
	b.reg.MustRegister(newGateMetrics(g))
	b.loops = append(b.loops, func(ctx context.Context) { follow(ctx, g, b.o.Log) })
	return g, nil
}

// label is how this process is shown to operators: as its settings say, else by the
// machine's name.
func label(set string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unnamed"
	}
	return cmp.Or(set, host)
}
