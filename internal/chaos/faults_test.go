package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// A kind is one way to break something.
type kind struct {
	name    string
	lane    int           // faults of one lane come one after the other, those of two at the same time
	only    topology      // "": all
	longest time.Duration // before it is mended; 0: nothing is to be mended
	// strike breaks it. It says what was struck and how to mend that; nil: nothing is left to mend.
	strike func(context.Context, *scene, *rand.Rand) (target string, mend func() error, err error)
}

// The lanes.
const (
	processes = iota
	network
	besides // Redis
	lanes
)

// Beyond these a barrier does not wait for a sidecar: faults last longer than that, or not.
const (
	short = 1500 * time.Millisecond
	long  = 3 * time.Second
)

// kinds are all of them.
var kinds = []kind{
	{"sidecar: SIGSTOP, SIGCONT", processes, "", long, onSidecar(stopped)},
	{"sidecar: kill -9", processes, "", short, onSidecar(killed)},
	{"sidecar: restarted with SIGTERM", processes, "", 0, onSidecar(restarted)},
	{"directory: SIGSTOP, SIGCONT", processes, "", long, onDirectory(stopped)},
	{"directory: kill -9", processes, "", short, onDirectory(killed)},
	{"directory: restarted with SIGTERM", processes, "", 0, onDirectory(restarted)},
	{"PostgreSQL: SIGSTOP, SIGCONT", processes, "", short, databaseStopped},
	{"PostgreSQL: kill -9", processes, "", short, databaseEnds(syscall.SIGKILL)},
	{"PostgreSQL: restarted", processes, "", short, databaseEnds(syscall.SIGINT)},

	{"sidecar to directory: cut", network, "", long, onLinks(toDirectories, cut)},
	{"sidecar to directory: slow", network, "", long, onLinks(toDirectories, slow)},
	{"sidecar to directory: half open", network, "", long, onLinks(toDirectories, halfOpen)},
	{"directory to PostgreSQL: cut", network, "", short, onLinks(toDatabase, cut)},
	{"directory to PostgreSQL: slow", network, "", short, onLinks(toDatabase, slow)},
	{"directory to PostgreSQL: half open", network, "", short, onLinks(toDatabase, halfOpen)},
	{"sidecar to Redis: cut", network, single, short, onLinks(toRedis, cut)},
	{"sidecar to Redis: slow", network, single, short, onLinks(toRedis, slow)},
	{"sidecar to Redis: half open", network, single, short, onLinks(toRedis, halfOpen)},

	{"Redis: FLUSHALL", besides, "", 0, flushed},
	{"Redis: entries edited", besides, "", 0, forged},
	{"Redis: kill -9", besides, single, short, redisKilled},
	{"Redis: SIGSTOP, SIGCONT", besides, single, short, redisStopped},
	{"Redis master: kill -9", besides, sentinel, short, masterKilled},
	{"Redis master: SIGSTOP, SIGCONT", besides, sentinel, long, redisStopped},
	{"Redis cluster node: kill -9", besides, cluster, long, redisKilled},
	{"Redis cluster node: SIGSTOP, SIGCONT", besides, cluster, long, redisStopped},
}

type strike = func(context.Context, *scene, *rand.Rand) (string, func() error, error)

// onProcess breaks a process that no other fault has.
func onProcess(s *scene, p *process, how func(*scene, *process) (func() error, error)) (string, func() error, error) {
	p.broken.Lock()
	mend, err := how(s, p)
	if mend == nil || err != nil {
		p.broken.Unlock()
		return p.name, nil, err
	}
	return p.name, func() error {
		defer p.broken.Unlock()
		return mend()
	}, nil
}

func onSidecar(how func(*scene, *process) (func() error, error)) strike {
	return func(_ context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
		return onProcess(s, s.sidecars[r.IntN(sidecars)], how)
	}
}

func onDirectory(how func(*scene, *process) (func() error, error)) strike {
	return func(_ context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
		return onProcess(s, s.directories[r.IntN(directories)], how)
	}
}

func stopped(_ *scene, p *process) (func() error, error) {
	p.signal(syscall.SIGSTOP)
	return func() error { p.signal(syscall.SIGCONT); return nil }, nil
}

func killed(s *scene, p *process) (func() error, error) {
	s.tally(p)
	return func() error { return p.start(context.Background()) }, p.end(syscall.SIGKILL)
}

func restarted(s *scene, p *process) (func() error, error) {
	s.tally(p)
	if err := p.end(syscall.SIGTERM); err != nil {
		return nil, err
	}
	return nil, p.start(context.Background())
}

func databaseStopped(_ context.Context, s *scene, _ *rand.Rand) (string, func() error, error) {
	s.database.Pause()
	return "", func() error { s.database.Resume(); return nil }, nil
}

func databaseEnds(by syscall.Signal) strike {
	return func(_ context.Context, s *scene, _ *rand.Rand) (string, func() error, error) {
		s.database.Stop(by)
		return "", s.database.Start, nil
	}
}

// Some links of a scene: those of one process, or one of them.
func toDirectories(s *scene, r *rand.Rand) (string, []*link) {
	n := r.IntN(sidecars)
	all := s.toDirectory[n]
	if r.IntN(3) == 0 {
		all = all[r.IntN(len(all)):][:1]
	}
	return s.sidecars[n].name, all
}

func toDatabase(s *scene, r *rand.Rand) (string, []*link) {
	if r.IntN(3) == 0 {
		return "both", s.toDatabase
	}
	n := r.IntN(directories)
	return s.directories[n].name, s.toDatabase[n : n+1]
}

func toRedis(s *scene, r *rand.Rand) (string, []*link) {
	if r.IntN(2) == 0 {
		return "all", s.cache.links
	}
	n := r.IntN(sidecars)
	return s.sidecars[n].name, s.cache.links[n : n+1]
}

// Ways to break a link.
func cut(*rand.Rand) func(*link) error { return (*link).cut }

func slow(r *rand.Rand) func(*link) error {
	d := 50*time.Millisecond + time.Duration(r.IntN(900))*time.Millisecond
	return func(l *link) error { return l.slow(d) }
}

func halfOpen(r *rand.Rand) func(*link) error {
	stream := []string{"upstream", "downstream"}[r.IntN(2)]
	return func(l *link) error { return l.swallow(stream) }
}

func onLinks(which func(*scene, *rand.Rand) (string, []*link), how func(*rand.Rand) func(*link) error) strike {
	return func(_ context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
		target, links := which(s, r)
		one := how(r)
		return target, func() error { return each(links, (*link).mend) }, each(links, one)
	}
}

func each(links []*link, do func(*link) error) error {
	for _, l := range links {
		if err := do(l); err != nil {
			return err
		}
	}
	return nil
}

func flushed(ctx context.Context, s *scene, _ *rand.Rand) (string, func() error, error) {
	return "", nil, eventually(ctx, "Redis is flushed", func() bool { return s.cache.flush(ctx) == nil })
}

func redisKilled(ctx context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
	n := r.IntN(len(s.cache.servers))
	server := s.cache.servers[n]
	server.Stop()
	return fmt.Sprintf("server %d", n), func() error {
		return eventually(context.Background(), "Redis starts again", func() bool { return server.Start() == nil })
	}, nil
}

func redisStopped(ctx context.Context, s *scene, r *rand.Rand) (string, func() error, error) {
	server := s.cache.servers[r.IntN(len(s.cache.servers))]
	if s.cache.sentinel != nil {
		if err := s.countFailover(ctx); err != nil {
			return "", nil, err
		}
		server = s.cache.was
	}
	server.Pause()
	return server.Address, func() error { server.Resume(); return nil }, nil
}

// masterKilled kills the master, and starts it again when another is one. With a replica
// that is not ready it is started again as it was.
func masterKilled(ctx context.Context, s *scene, _ *rand.Rand) (string, func() error, error) {
	c := s.cache
	if err := s.countFailover(ctx); err != nil {
		return "", nil, err
	}
	old := c.was
	ready := c.mayFailOver(ctx)
	old.Stop()
	return old.Address, func() error {
		ctx := context.Background()
		if ready {
			if err := eventually(ctx, "Redis fails over", func() bool {
				master, err := c.master(ctx)
				return err == nil && master != old
			}); err != nil {
				return err
			}
			if err := s.countFailover(ctx); err != nil {
				return err
			}
		}
		return eventually(ctx, "Redis starts again", func() bool { return old.Start() == nil })
	}, nil
}

// countFailover looks which server is the master, and counts when it is another one.
func (s *scene) countFailover(ctx context.Context) error {
	master, err := s.cache.master(ctx)
	if err != nil {
		return err
	}
	if master != s.cache.was {
		s.counts.add(failovers, 1)
		s.cache.was = master
	}
	return nil
}
