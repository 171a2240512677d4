package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"doorward/internal/authzen"
	"doorward/internal/canary"
	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/wire"
	"doorward/internal/portal"
	"doorward/internal/promotion"
	"doorward/internal/token"
)

// How often a directory does what nobody asks it for.
const (
	// pulsePause is short beside the third of a lease that asks wait for news.
	pulsePause = gate.DefaultLease / 6
	sweepPause = 5 * time.Second
	// headPause is how soon gates here hear of what another process has committed.
	headPause = 20 * time.Millisecond
)

// directory puts together the directory for sidecars: records that wait for the gates, and
// the gates' own interface. It answers questions as a gate of its own would: what it
// remembers is under the same protocol.
func (b *builder) directory(ctx context.Context) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	if _, alone := b.Store.(inFile); alone {
		b.o.Log.Info("the directory is in SQLite: run no doorward serve on this data folder, whose changes would not wait for sidecars")
	}
	rows, keeper, err := b.openKeeper(ctx)
	if err != nil {
		return err
	}
	b.promoted = promotion.NewFollower(b.keys, b.Store.PromotedAt)
	name := "directory " + label("")
	g, err := b.newGate(keeper, gate.Config{Label: name, Lease: min(gate.DefaultLease, b.c.Gates.LongestTerm)})
	if err != nil {
		return err
	}
	b.record = recorder(name, newArchive(rows).Keep)
	b.marking()
	read := confirmed(keeper, rows)
	b.judge(gated{g}, tokens{read, g})
	b.health.look = lookAt(b.Store)
	h := b.answers()
	if err := b.searching(h); err != nil {
		return err
	}
	gates := newEnforcing(keeper, b.reg)
	mux := b.newMux()
	mountDecisions(mux, b.guard, h)
	records := b.records(gates)
	records.Policies = b.promoter()
	mountRecords(mux, b.guard, records)
	records.RegisterPolicy(guarded{mux, b.guard.Always(), token.Policy})
	authzen.Metadata{PublicURL: b.c.PublicURL}.Register(mux)
	b.Handler, b.gates = b.finish(mux), b.forGates(keeper, read, h)
	b.keep(keeper, gates, g)
	return nil
}

// openKeeper opens what is known of gates, and makes what keeps it.
func (b *builder) openKeeper(ctx context.Context) (rows, *barrier.Keeper, error) {
	rows, err := b.Store.rows(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("open the rows of gates: %w", err)
	}
	b.opened = append(b.opened, rows.Close)
	k, err := barrier.New(barrier.Config{
		Store: rows, Clock: gate.NewClock(), Margin: b.c.Gates.Margin, Longest: b.c.Gates.LongestTerm,
		Report: func(err error) { b.o.Log.Warn("a gate's rows", "error", err) },
	})
	if err != nil {
		return nil, nil, fmt.Errorf("keep the rows of gates: %w", err)
	}
	return rows, k, nil
}

// promoter promotes policies, whose tables have to pass where the settings say so.
func (b *builder) promoter() promotion.Promoter {
	p := promotion.Promoter{Store: b.Store, Keys: b.keys}
	if refuses(b.c) {
		p.Tables = failingTables(b.c)
	}
	return p
}

// forGates makes the handler of the interface for gates, and of the searches that they
// pass on with their clients' tokens or their own.
func (b *builder) forGates(keeper *barrier.Keeper, read func(context.Context) ([]directory.Token, error), h *authzen.Handler) http.Handler {
	mux := http.NewServeMux()
	wire.NewServer(wire.ServerConfig{Keeper: keeper, Verifier: b.guard.Verifier, Tokens: read, Policy: b.Store.PromotedAt, Uses: b.Store.Used, SharingKeys: b.sharingKeys, Log: b.o.Log, Metrics: b.reg}).Register(mux)
	h.RegisterSearch(passedOn{mux, b.guard.Always()})
	return b.finish(mux)
}

// passedOn mounts handlers for clients and for gates.
type passedOn struct {
	mux   *http.ServeMux
	guard *token.Guard
}

// Handle mounts a handler.
func (p passedOn) Handle(pattern string, handler http.Handler) {
	p.mux.Handle(pattern, p.guard.Protect(token.Decide, handler, token.Gate))
}

// confirmed reads client tokens from a database that has committed something after the
// call began: one that a failover has left behind does not know what was revoked.
func confirmed(keeper *barrier.Keeper, rows rows) func(context.Context) ([]directory.Token, error) {
	return func(ctx context.Context) (all []directory.Token, err error) {
		err = keeper.Confirm(ctx, func(ctx context.Context) (era gate.Era, err error) {
			all, era, err = rows.Tokens(ctx)
			return era, err
		})
		return all, err
	}
}

// keep has done what keeps gates and their rows going.
func (b *builder) keep(keeper *barrier.Keeper, gates *enforcing, own *gate.Gate) {
	background := func(pause time.Duration, what string, do func(context.Context) error) {
		b.loops = append(b.loops, func(ctx context.Context) { every(ctx, pause, b.o.Log, what, do) })
	}
	background(pulsePause, "committing for the gates", keeper.Pulse)
	background(sweepPause, "sweeping the rows of gates", func(ctx context.Context) error {
		if err := keeper.Sweep(ctx); err != nil {
			return err
		}
		return gates.count(ctx, b.Store)
	})
	background(headPause, "reading the head", announce(b.Store, keeper))
	if b.c.Gates.Canary {
		b.loops = append(b.loops, b.canary(keeper, own))
	}
}

// canaryPause is how often the canary flies.
const canaryPause = time.Minute

// canary makes a loop that has a canary fly, once this process's own gate has a lease: before
// that nothing can be asked of it.
func (b *builder) canary(keeper *barrier.Keeper, own *gate.Gate) func(context.Context) {
	c := canary.New(canary.Options{
		Place: label("") + " " + b.c.Gates.Address, Store: b.Store, Salt: b.Store.Salt(), Keeper: keeper, Decider: b.decider,
		Words: b.words, Limit: b.c.Gates.LongestTerm + b.c.Gates.Margin, Log: b.o.Log, Metrics: b.reg,
	})
	return func(ctx context.Context) {
		for ctx.Err() == nil && !own.Status().Leased {
			wait(ctx, firstRetry)
		}
		every(ctx, canaryPause, b.o.Log, "the canary", c.Fly)
	}
}

// announce tells the keeper when the head has moved, whoever moved it.
func announce(store Directory, keeper *barrier.Keeper) func(context.Context) error {
	var last portal.Position
	return func(ctx context.Context) error {
		head, err := store.Head(ctx)
		if err != nil {
			return err
		}
		if head != last {
			keeper.News()
		}
		last = head
		return nil
	}
}
