package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"doorward/internal/cachetool"
	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/server"
)

// An outage is what is down.
type outage struct {
	name                       string
	redis, directory, database bool
}

var everyOutage = []outage{
	{name: "nothing"},
	{name: "Redis", redis: true},
	{name: "the directory", directory: true},
	{name: "the database", database: true},
	{name: "the directory and Redis", directory: true, redis: true},
	{name: "the database and Redis", database: true, redis: true},
}

// staleness is what the sidecar may use of what it knows after its lease: short, so that
// what comes after it is measured soon.
const staleness = 8 * time.Second

// outages prints what a sidecar answers, how often and how soon, while something is down
// that it needs; under load, and when it starts then.
func outages(ctx context.Context, o options) error {
	postgres, err := pgtest.New()
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer postgres.Close()
	folder, err := os.MkdirTemp("", "doorward-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	o.fresh.database = filepath.Join(folder, "url")
	if err := os.WriteFile(o.fresh.database, []byte(postgres.DSN("postgres")), 0o600); err != nil {
		return err
	}
	b := &outageBench{o: o, postgres: postgres, members: dataset(o.members)}
	fmt.Printf("### What a sidecar answers while something is down\n\nPostgreSQL, one directory, Redis with everybody in it, one sidecar with a lease of 3 s and a staleness of %v. %d questions a second of each of four kinds: "+
		"strict or bounded, about members that the sidecar has in memory or has never been asked about. The share that is answered, with what the others say, and p50 and p99 of all answers in milliseconds.\n\n%s",
		staleness, outageRate, outageHeader)
	for _, out := range everyOutage {
		if err := b.under(ctx, out); err != nil {
			return fmt.Errorf("%s down: %w", out.name, err)
		}
	}
	fmt.Printf("\nStarted while it is down, asked 3 to 8 s after the start:\n\n%s", outageHeader)
	for _, out := range everyOutage {
		if err := b.atStart(ctx, out); err != nil {
			return fmt.Errorf("%s down at the start: %w", out.name, err)
		}
	}
	fmt.Println()
	return nil
}

// An outageBench is what outlives the single outages.
type outageBench struct {
	o        options
	postgres *pgtest.Server
	members  []member
	filled   bool
}

// known is how many members a sidecar is asked about before something is down.
const known = 2000

// A scene is what one outage happens to.
type scene struct {
	*fleet
	redis *target
	asked int // how many of the members who are not known were asked about
}

// set starts everything but the sidecar, with everybody in Redis.
func (b *outageBench) set(ctx context.Context) (s *scene, err error) {
	s = &scene{asked: known}
	s.fleet, err = startFleet(ctx, b.o, "", func(ctx context.Context, store directory.Store) error {
		if b.filled {
			return nil
		}
		b.filled = true
		return fill(ctx, store, b.members)
	})
	if err != nil {
		return s, err
	}
	if s.redis, err = startRedis(ctx, b.o.load.redis); err != nil {
		return s, err
	}
	return s, s.warm(ctx, b.o.fresh.database)
}

func (s *scene) url() string { return "redis://" + s.redis.address }

func (s *scene) warm(ctx context.Context, database string) error {
	c := config.Config{Database: config.Database{URLFile: database}, Redis: config.Redis{URL: s.url()}}
	store, err := server.OpenDirectory(ctx, c, quiet, true)
	if err != nil {
		return err
	}
	err = server.Sharing(ctx, c, store, quiet, func(t *cachetool.Tool) error { _, err := t.Warm(ctx); return err })
	return errors.Join(err, store.Close())
}

func (s *scene) end() {
	if s.redis != nil {
		s.redis.stop()
	}
	s.fleet.stop()
}

// fall ends what is down in an outage, without a warning.
func (b *outageBench) fall(s *scene, out outage) {
	if out.redis {
		s.redis.kill()
	}
	if out.directory {
		s.directory.kill()
	}
	if out.database {
		b.postgres.Stop(syscall.SIGQUIT)
	}
}

// rise starts again what later outages need.
func (b *outageBench) rise(out outage) error {
	if out.database {
		return b.postgres.Start()
	}
	return nil
}

// kill ends a process at once.
func (s *target) kill() {
	if s.process != nil {
		_ = s.process.Kill()
		<-s.ended
		s.process = nil
	}
}

func (s *scene) settings() []string {
	return []string{"--redis", s.url(), "--gate-max-staleness", staleness.String()}
}

// under measures an outage that begins while the sidecar answers.
func (b *outageBench) under(ctx context.Context, out outage) error {
	s, err := b.set(ctx)
	defer s.end()
	if err != nil {
		return err
	}
	edge, err := s.sidecar(ctx, s.settings()...)
	if err != nil {
		return err
	}
	if err := askAboutAll(edge.address, b.members[:known]); err != nil {
		return err
	}
	began := time.Now()
	b.fall(s, out)
	for _, window := range []struct {
		name         string
		begins, for_ time.Duration
	}{
		{"its first 2 s", 0, 2 * time.Second},
		{"the lease has ended", 4 * time.Second, 4 * time.Second},
		{"the staleness has ended", 12 * time.Second, 4 * time.Second},
	} {
		pauseUntil(ctx, began.Add(window.begins))
		if err := b.row(ctx, s, edge, out.name+" | "+window.name, window.for_); err != nil {
			return err
		}
		if out == everyOutage[0] {
			break // it stays as it is
		}
	}
	return b.rise(out)
}

// atStart measures a sidecar that starts during an outage.
func (b *outageBench) atStart(ctx context.Context, out outage) error {
	s, err := b.set(ctx)
	defer s.end()
	if err != nil {
		return err
	}
	b.fall(s, out)
	edge, err := newServer("sidecar", nil)
	if err != nil {
		return err
	}
	defer edge.stop()
	began := time.Now()
	args := append([]string{"sidecar", "--data", edge.folder, "--listen-address", edge.address, "--directory-urls", "http://" + s.gates,
		"--directory-token-file", filepath.Join(s.folder, gateToken), "--log-level", "error"}, s.settings()...)
	if err := edge.start(exec.CommandContext(ctx, s.binary, args...)); err != nil {
		return err
	}
	if err := edge.await(5*time.Millisecond, edge.listens); err != nil {
		return err
	}
	pauseUntil(ctx, began.Add(3*time.Second))
	if err := b.row(ctx, s, edge, out.name+" | from the start", 5*time.Second); err != nil {
		return err
	}
	return b.rise(out)
}

func pauseUntil(ctx context.Context, at time.Time) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(at)):
	}
}
