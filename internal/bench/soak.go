package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// soakSamples is how often a soaking sidecar is looked at.
const soakSamples = 60

// ceilingWait is how long the ceiling of a soak is looked for.
const ceilingWait = 5 * time.Second

// soak loads one sidecar with one core for long while members change, and prints how what
// it holds grows: a line that rises is a leak.
func soak(ctx context.Context, o options) error {
	l, err := startLoaded(ctx, o, ceilingWait)
	defer l.fleet.stop()
	if err != nil {
		return err
	}
	stop := l.fleet.change(ctx, l.members)
	all, err := l.soak(ctx, o.load.soak)
	n, failed := stop()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	fmt.Printf("### A soak of %v, one sidecar on one core\n\nAt half of its ceiling of %.0f questions a second, while %d memberships changed. "+
		"Slopes are of the straight line that fits %d samples best, the first tenth left out.\n\n", o.load.soak, l.ceiling, n, len(all))
	reportSoak(all)
	return nil
}

func reportSoak(all []state) {
	fmt.Print("| what | after a tenth | at the end | slope an hour |\n|---|---|---|---|\n")
	settled := all[len(all)/10:]
	for _, of := range []struct {
		name  string
		value func(state) float64
	}{
		{"goroutines", func(s state) float64 { return s.goroutines }},
		{"descriptors", func(s state) float64 { return s.descriptors }},
		{"resident, MiB", func(s state) float64 { return s.resident }},
		{"heap, MiB", func(s state) float64 { return s.live }},
		{"p99 of answers, ms", func(s state) float64 { return s.p99 }},
	} {
		fmt.Printf("| %s | %.1f | %.1f | %+.2f |\n", of.name, of.value(settled[0]), of.value(settled[len(settled)-1]), slope(settled, of.value))
	}
	failures := 0
	for _, s := range all {
		failures += s.failed
	}
	fmt.Printf("\nAnswers that were not 200: %d.\n\n", failures)
}

// A state is what a sidecar holds at one time.
type state struct {
	at                                           time.Duration
	goroutines, descriptors, resident, live, p99 float64
	failed                                       int
}

// soak loads the sidecar and looks at it again and again.
func (l *loaded) soak(ctx context.Context, duration time.Duration) ([]state, error) {
	var all []state
	for began := time.Now(); time.Since(began) < duration; {
		a, err := openLoop(ctx, l.address, l.requests, l.ceiling/2, duration/soakSamples)
		if err != nil {
			return nil, err
		}
		s, err := l.state()
		if err != nil {
			return nil, err
		}
		s.at, s.p99, s.failed = time.Since(began), a.at(0.99), a.failed
		all = append(all, s)
	}
	return all, nil
}

func (s *target) state() (now state, err error) {
	text, err := s.metrics()
	if err != nil {
		return now, err
	}
	if now.goroutines, err = sample(text, "go_goroutines"); err != nil {
		return now, err
	}
	if now.live, err = sample(text, "go_memstats_heap_alloc_bytes"); err != nil {
		return now, err
	}
	descriptors, err := s.descriptors()
	if err != nil {
		return now, err
	}
	resident, err := residentOf(strconv.Itoa(s.process.Pid))
	now.descriptors, now.resident, now.live = float64(descriptors), float64(resident)/(1<<20), now.live/(1<<20)
	return now, err
}

// slope is how much a value rises in an hour, by the line that fits best.
func slope(all []state, value func(state) float64) float64 {
	var n, x, y, xx, xy float64
	for _, s := range all {
		hours, v := s.at.Hours(), value(s)
		n, x, y, xx, xy = n+1, x+hours, y+v, xx+hours*hours, xy+hours*v
	}
	if d := n*xx - x*x; d != 0 {
		return (n*xy - x*y) / d
	}
	return 0
}
