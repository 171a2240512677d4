package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"doorward/internal/directory"
)

// removals prints how soon nobody is let in any more who was removed, with each number of
// sidecars, and then what idle gates cost the directory.
func removals(ctx context.Context, o options) error {
	if len(o.fresh.gates) == 0 && len(o.fresh.idle) == 0 {
		return nil
	}
	members := dataset(o.members)
	f, err := startFleet(ctx, o, "", func(ctx context.Context, store directory.Store) error { return fill(ctx, store, members) })
	defer f.stop()
	if err != nil {
		return err
	}
	m, err := f.manager(mayView(members))
	if err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	if err := removeBeside(ctx, f, m, o.fresh); err != nil {
		return err
	}
	f.dismiss()
	return idleGates(ctx, f, m, o.fresh)
}

// mayView are those members who may do the action, one after the other of accounts of
// their own.
func mayView(members []member) (may []member) {
	for _, preset := range []string{"billing", "administrator"} {
		for _, m := range members {
			if m.preset == preset {
				may = append(may, m)
			}
		}
	}
	return may
}

func removeBeside(ctx context.Context, f *fleet, m *manager, o freshness) error {
	if len(o.gates) == 0 {
		return nil
	}
	fmt.Printf("### From a removal to the last allow\n\n"+
		"Milliseconds: median, 99th percentile, longest. Between two questions to a sidecar %v; %d members removed each. "+
		"The floor is a line written to a file in the same folder, with fsync.\n\n"+
		"| sidecars | last question that was allowed | the call | it says enforced after | floor | questions | not judged (503) |\n"+
		"|---|---|---|---|---|---|---|\n", o.pause, o.removals)
	for _, n := range o.gates {
		for len(f.sidecars) < n {
			if _, err := f.sidecar(ctx); err != nil {
				return err
			}
		}
		all, err := f.removeMany(ctx, m, o)
		if err != nil {
			return fmt.Errorf("with %d sidecars: %w", len(f.sidecars), err)
		}
		fmt.Printf("| %d | %s | %s | %s | %s | %d | %d |\n", len(f.sidecars),
			quantiles(all.last), quantiles(all.calls), quantiles(all.enforced), quantiles(all.floor), all.questions, all.unjudged)
	}
	fmt.Println()
	return nil
}

// A tally is what many removals came to.
type tally struct {
	last, calls, enforced []time.Duration
	floor                 []time.Duration
	questions, unjudged   int
}

// betweenRemovals is the longest pause between removals, so that they meet a directory and
// gates in any state.
const betweenRemovals = 50 * time.Millisecond

// removeMany removes members one after the other, while every sidecar is asked about them.
func (f *fleet) removeMany(ctx context.Context, m *manager, o freshness) (all tally, err error) {
	askers := make([]*asker, len(f.sidecars))
	for i, s := range f.sidecars {
		if askers[i], err = newAsker(s.address, o.pause); err != nil {
			return all, err
		}
		defer askers[i].close()
	}
	for range o.removals {
		time.Sleep(rand.N(betweenRemovals))
		floor, err := syncedWrite(f.folder)
		if err != nil {
			return all, err
		}
		all.floor = append(all.floor, floor)
		if err := all.remove(ctx, m, askers); err != nil {
			return all, err
		}
	}
	return all, nil
}

// syncedWrite is how long it takes that a line is on the disk: no commit is faster.
func syncedWrite(folder string) (time.Duration, error) {
	f, err := os.OpenFile(filepath.Join(folder, "floor"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	began := time.Now()
	if _, err := f.WriteString("a line of some length, as a record of a log has\n"); err != nil {
		return 0, err
	}
	err = f.Sync()
	return time.Since(began), err
}

// remove removes one member whom all sidecars have let in before.
func (t *tally) remove(ctx context.Context, m *manager, askers []*asker) error {
	who, err := m.next()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var letIn, running sync.WaitGroup
	var answered atomic.Pointer[time.Time]
	failures := make([]error, len(askers))
	letIn.Add(len(askers))
	for i, a := range askers {
		running.Go(func() {
			known := sync.OnceFunc(letIn.Done)
			defer known()
			failures[i] = a.watch(ctx, who, known, &answered)
		})
	}
	letIn.Wait()
	began := time.Now()
	enforced, err := m.remove(ctx, who)
	now := time.Now()
	if err != nil {
		cancel()
	}
	answered.Store(&now)
	running.Wait()
	if err := errors.Join(append(failures, err)...); err != nil {
		return fmt.Errorf("remove %s from %s: %w", who.user, who.account, err)
	}
	t.note(began, now, enforced, askers)
	return nil
}

// note takes in one removal. Where nothing was allowed after it was sent, that took no time.
func (t *tally) note(began, answered time.Time, enforced time.Duration, askers []*asker) {
	var last time.Duration
	for _, a := range askers {
		last = max(last, a.lastAllowed.Sub(began))
		t.questions += a.questions
		t.unjudged += a.unjudged
	}
	t.last, t.calls, t.enforced = append(t.last, last), append(t.calls, answered.Sub(began)), append(t.enforced, enforced)
}
