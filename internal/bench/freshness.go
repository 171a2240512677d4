package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"slices"
	"time"
)

// freshness says what is measured of a directory and its sidecars.
type freshness struct {
	only     bool
	gates    []int
	removals int
	pause    time.Duration
	idle     []int
	watched  time.Duration
	cached   int
	joined   []int
	database string
}

// freshnessFlags declares the flags. What it returns reads those that are lists.
func freshnessFlags(f *freshness) (read func()) {
	flag.BoolVar(&f.only, "freshness", false, "measure a directory and its sidecars, and nothing else; -directories are then folders to start beside")
	gates := flag.String("gates", "1,4,16", "sidecars that are asked while members are removed; empty: none")
	joined := flag.String("joined", "1000000", "memberships of directories that a sidecar starts beside; empty: none")
	idle := flag.String("idle", "500", "gates that only follow a directory; empty: none")
	flag.IntVar(&f.removals, "removals", 200, "members to remove with each number of sidecars")
	flag.DurationVar(&f.pause, "pause", 0, "wait so long between an answer and the next question to the same sidecar")
	flag.DurationVar(&f.watched, "watched", 30*time.Second, "how long the directory of idle gates is watched")
	flag.IntVar(&f.cached, "cached", 200_000, "memberships that one sidecar is to remember; 0: none")
	flag.StringVar(&f.database, "database-url-file", "", "keep the directory of removals and idle gates in this empty PostgreSQL database, not in SQLite")
	return func() {
		f.gates = numbers("-gates", *gates, 1)
		f.idle = numbers("-idle", *idle, 1)
		f.joined = numbers("-joined", *joined, membersPerAccount)
	}
}

// measureFreshness prints the report on directories and sidecars.
func measureFreshness(ctx context.Context, o options) error {
	for _, part := range []func(context.Context, options) error{removals, memoryOfSidecars, starts} {
		if err := part(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// quantile is the smallest of the values that so large a part of them does not exceed.
func quantile(values []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// quantiles writes median, 99th percentile and the longest, in milliseconds.
func quantiles(values []time.Duration) string {
	ms := func(part float64) float64 { return quantile(values, part).Seconds() * 1000 }
	return fmt.Sprintf("%.1f, %.1f, %.1f", ms(0.5), ms(0.99), ms(1))
}
