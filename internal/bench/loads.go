package main

import (
	"context"
	"flag"
	"time"
)

// loads says what is measured of sidecars that have much to do.
type loads struct {
	only     bool
	duration time.Duration
	gates    int
	redis    string
	soak     time.Duration
	outages  bool
}

func loadFlags(l *loads) {
	flag.BoolVar(&l.only, "load", false, "measure sidecars under load, and nothing else")
	flag.DurationVar(&l.duration, "load-for", 20*time.Second, "how long each load lasts")
	flag.IntVar(&l.gates, "stampede", 16, "sidecars that start at once and know nobody; 0: none")
	flag.StringVar(&l.redis, "redis-server", "redis-server", "the redis-server binary, for a cache that they share; empty: none")
	flag.BoolVar(&l.outages, "outages", false, "measure what a sidecar answers while Redis, directory or database are down, and nothing else")
	flag.DurationVar(&l.soak, "soak", 0, "load one sidecar for so long and print how it grows, and nothing else")
}

// measureLoad prints the report on loads.
func measureLoad(ctx context.Context, o options) error {
	if o.load.duration > 0 {
		if err := underLoad(ctx, o); err != nil {
			return err
		}
	}
	return stampedes(ctx, o)
}
