package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"time"

	"doorward/internal/cachetool"
	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/server"
)

// stampedes prints what it takes until many sidecars that know nobody have answered for
// everybody, with and without a cache that they share.
func stampedes(ctx context.Context, o options) error {
	if o.load.gates == 0 {
		return nil
	}
	o.fresh.database = ""
	members := dataset(o.members)
	f, err := startFleet(ctx, o, "", func(ctx context.Context, store directory.Store) error { return fill(ctx, store, members) })
	defer f.stop()
	if err != nil {
		return err
	}
	fmt.Printf("### %d sidecars that know nobody\n\n"+
		"Each is asked once about each of %d members, all at the same time, by %d clients each. Milliseconds of an answer. The processor time is the directory's.\n\n"+
		"| cache they share | all answered after | p50 | p99 | p99.9 | longest | not judged (503) | answered from the directory | processor |\n|---|---|---|---|---|---|---|---|---|\n",
		o.load.gates, len(members), clientsOfStampede)
	if err := f.stampede(ctx, "none", o.load.gates, members); err != nil {
		return err
	}
	if o.load.redis != "" {
		if err := f.stampedeShared(ctx, o, members); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}

// stampedeShared does it with a Redis that is empty, and with one that is warm.
func (f *fleet) stampedeShared(ctx context.Context, o options, members []member) error {
	redis, err := startRedis(ctx, o.load.redis)
	defer redis.stop()
	if err != nil {
		return err
	}
	url := "redis://" + redis.address
	if err := f.stampede(ctx, "empty", o.load.gates, members, "--redis", url); err != nil {
		return err
	}
	c := config.Config{Data: f.folder, Redis: config.Redis{URL: url}}
	store, err := server.OpenDirectory(ctx, c, quiet, true)
	if err != nil {
		return err
	}
	err = server.Sharing(ctx, c, store, quiet, func(t *cachetool.Tool) error { _, err := t.Warm(ctx); return err })
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	return f.stampede(ctx, "warm", o.load.gates, members, "--redis", url)
}

// startRedis starts a Redis that keeps nothing on disk.
func startRedis(ctx context.Context, binary string) (*target, error) {
	s, err := newServer("redis", nil)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return s, err
	}
	if err := s.start(exec.CommandContext(ctx, binary, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", s.folder)); err != nil {
		return s, err
	}
	return s, s.await(10*time.Millisecond, s.listens)
}

// clientsOfStampede ask each sidecar at the same time.
const clientsOfStampede = 4

// stampede starts sidecars, has all of them asked at once about everybody, and prints how
// that went.
func (f *fleet) stampede(ctx context.Context, name string, gates int, members []member, settings ...string) error {
	defer f.dismiss()
	for range gates {
		if _, err := f.sidecar(ctx, append(settings, "--decision-timeout", "10s")...); err != nil {
			return err
		}
	}
	before, err := f.directory.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	all, err := f.askEverybody(members)
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := f.directory.cpu()
	if err != nil {
		return err
	}
	read, err := f.factsRead()
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %.1f s | %.1f | %.1f | %.1f | %.0f | %d | %.0f | %.1f s |\n", name, took.Seconds(), all.at(0.5), all.at(0.99), all.at(0.999), all.at(1), all.failed,
		read, (after - before).Seconds())
	return nil
}

// askEverybody asks every sidecar once about every member.
func (f *fleet) askEverybody(members []member) (all arrivals, err error) {
	requests := make([][]byte, len(members))
	for i, m := range members {
		requests[i] = post("/access/v1/evaluation", question(m))
	}
	parts, failures := make([]clientLoop, len(f.sidecars)*clientsOfStampede), make([]error, len(f.sidecars)*clientsOfStampede)
	var clients sync.WaitGroup
	for i := range parts {
		s, first := f.sidecars[i/clientsOfStampede], i%clientsOfStampede
		clients.Go(func() { failures[i] = parts[i].askOnce(s.address, requests, first) })
	}
	clients.Wait()
	for _, p := range parts {
		all.took = append(all.took, p.took...)
		all.failed += len(p.failed)
	}
	slices.Sort(all.took)
	return all, errors.Join(failures...)
}

// askOnce asks every so-manieth question, from the first on.
func (c *clientLoop) askOnce(address string, requests [][]byte, first int) error {
	l, err := newLean(address)
	if err != nil {
		return err
	}
	defer l.close()
	for i := first; i < len(requests); i += clientsOfStampede {
		began := time.Now()
		status, err := l.ask(requests[i])
		if err != nil {
			return err
		}
		c.took = append(c.took, time.Since(began))
		if status != http.StatusOK {
			c.failed = append(c.failed, l.problem)
		}
	}
	return nil
}

// factsRead is how many questions the sidecars have answered from the directory.
func (f *fleet) factsRead() (n float64, err error) {
	for _, s := range f.sidecars {
		text, err := s.metrics()
		if err != nil {
			return 0, err
		}
		calls, err := sample(text, `doorward_gate_reads_total{from="directory"}`)
		if err != nil {
			return 0, err
		}
		n += calls
	}
	return n, nil
}
