package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"doorward/internal/directory"
)

// startsMeasured is how often a sidecar starts beside each directory.
const startsMeasured = 5

// starts prints how long it takes from starting a sidecar's process until it is ready,
// beside directories of each size.
func starts(ctx context.Context, o options) error {
	if len(o.fresh.joined) == 0 && o.folders == "" {
		return nil
	}
	fmt.Printf("### From the start of a sidecar to ready\n\n"+
		"Of %d starts. CPU is of the sidecar until then.\n\n| directory | filled in | ready after, ms: shortest, median, longest | CPU ms |\n|---|---|---|---|\n", startsMeasured)
	for _, n := range o.fresh.joined {
		err := startBeside(ctx, o, fmt.Sprint(n, " memberships"), "", func(ctx context.Context, store directory.Store) error {
			return fill(ctx, store, dataset(n))
		})
		if err != nil {
			return err
		}
	}
	for folder := range strings.SplitSeq(o.folders, ",") {
		if folder == "" {
			continue
		}
		if err := startBeside(ctx, o, folder, folder, func(context.Context, directory.Store) error { return nil }); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

// startBeside starts sidecars beside one directory, one after the other.
func startBeside(ctx context.Context, o options, name, data string, fill func(context.Context, directory.Store) error) error {
	o.fresh.database = ""
	began := time.Now()
	var filled time.Duration
	f, err := startFleet(ctx, o, data, func(ctx context.Context, store directory.Store) error {
		defer func() { filled = time.Since(began) }()
		return fill(ctx, store)
	})
	defer f.stop()
	if err != nil {
		return err
	}
	var took, cpu []time.Duration
	for range startsMeasured {
		began := time.Now()
		s, err := f.sidecar(ctx)
		if err != nil {
			return err
		}
		took = append(took, time.Since(began))
		used, err := s.cpu()
		if err != nil {
			return err
		}
		cpu = append(cpu, used)
		f.dismiss()
	}
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	fmt.Printf("| %s | %v | %d, %d, %d | %d |\n", name, filled.Round(time.Second),
		ms(quantile(took, 0)), ms(quantile(took, 0.5)), ms(quantile(took, 1)), ms(quantile(cpu, 0.5)))
	return nil
}
