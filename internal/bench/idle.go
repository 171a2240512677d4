package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"doorward/internal/facts"
	"doorward/internal/gate"
	"doorward/internal/gate/wire"
)

// idleGates prints what it costs a directory that many gates follow it which are asked
// nothing, and how long a removal takes beside them.
func idleGates(ctx context.Context, f *fleet, m *manager, o freshness) error {
	if len(o.idle) == 0 {
		return nil
	}
	fmt.Printf("### Idle gates of one directory\n\n"+
		"Processor time is the directory's in %v, of one core. Calls that remove a member, %d of them, in milliseconds: median, 99th percentile, longest. "+
		"Pending are those that were not enforced after ten seconds.\n\n"+
		"| gates | all have joined after | processor | a removal | pending | asks that failed |\n|---|---|---|---|---|---|\n", o.watched, removalsBesideIdle)
	for _, n := range append([]int{0}, o.idle...) {
		if err := besideIdle(ctx, f, m, n, o.watched); err != nil {
			return fmt.Errorf("beside %d idle gates: %w", n, err)
		}
	}
	fmt.Println()
	return nil
}

// removalsBesideIdle is how many members are removed beside idle gates.
const removalsBesideIdle = 10

func besideIdle(ctx context.Context, f *fleet, m *manager, n int, watched time.Duration) error {
	began := time.Now()
	followers, err := follow(ctx, f, n)
	defer followers.leave()
	if err != nil {
		return err
	}
	joined := time.Since(began)
	share, err := f.directory.share(ctx, watched)
	if err != nil {
		return err
	}
	fmt.Printf("| %d | %v | %.1f %% |", n, joined.Round(time.Second), 100*share)
	var calls []time.Duration
	pending := 0
	for range removalsBesideIdle {
		who, err := m.next()
		if err != nil {
			return err
		}
		began := time.Now()
		switch _, err := m.remove(ctx, who); {
		case errors.Is(err, errPending):
			pending++
		case err != nil:
			return err
		}
		calls = append(calls, time.Since(began))
	}
	fmt.Printf(" %s | %d | %d |\n", quantiles(calls), pending, followers.failed.Load())
	return nil
}

// share is how much of one core the process uses over a while.
func (s *target) share(ctx context.Context, watched time.Duration) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(watched):
	}
	took := time.Since(began)
	after, err := s.cpu()
	return (after - before).Seconds() / took.Seconds(), err
}

// followers are gates that follow a directory.
type followers struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	gates   []*gate.Gate
	failed  atomic.Int64 // asks
}

// follow makes gates, each with a client and connections of its own, and returns when all
// of them hold a lease. One joins after the other.
func follow(ctx context.Context, f *fleet, n int) (*followers, error) {
	ctx, cancel := context.WithCancel(ctx)
	all := &followers{cancel: cancel}
	for range n {
		client, err := wire.NewClient(wire.ClientConfig{URLs: []string{"http://" + f.gates}, TokenFile: filepath.Join(f.folder, gateToken)})
		if err != nil {
			return all, err
		}
		g, err := gate.New(gate.Config{
			Directory: client, Clock: gate.NewClock(), Label: "idle", Staleness: gate.DefaultStaleness,
			Memory: facts.Bound{Entries: 1}, Window: 1,
		})
		if err != nil {
			return all, err
		}
		for !g.Status().Leased {
			all.step(ctx, g)
			if err := ctx.Err(); err != nil {
				return all, err
			}
		}
		all.gates = append(all.gates, g)
		all.running.Go(func() { all.keep(ctx, g) })
	}
	return all, nil
}

// keep follows the directory until ctx ends.
func (f *followers) keep(ctx context.Context, g *gate.Gate) {
	for ctx.Err() == nil {
		f.step(ctx, g)
	}
}

// step asks once. After a failure it waits as long as a sidecar does.
func (f *followers) step(ctx context.Context, g *gate.Gate) {
	const retry = 20 * time.Millisecond
	if err := g.Step(ctx); err != nil && ctx.Err() == nil {
		f.failed.Add(1)
		time.Sleep(retry)
	}
}

// leave ends following, in good order.
func (f *followers) leave() {
	f.cancel()
	f.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var errs []error
	for _, g := range f.gates {
		errs = append(errs, g.Leave(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Println("gates could not leave:", err)
	}
}
