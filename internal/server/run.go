// Package server builds a Doorward from its settings, runs it and drains it.
//
// It is the only package that knows all the others; it decides nothing itself.
// Its invariants: nothing is accepted before policy and directory are open; what
// cannot be opened refuses the start and leaves no listener and no socket file
// behind; a stop lets running requests finish.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"doorward/internal/config"
)

// Options are what a process hands to Run besides its settings.
type Options struct {
	Log     *slog.Logger
	Version string
	Role    config.Role // "": config.Serve
	// MustExist refuses to make a directory where there is none.
	MustExist bool
	// Once tells that a question is asked here and nothing served: the invariants of the
	// policy are taken as held, because trying them takes longer than the answer.
	Once bool
	// Prepare is called when everything is open and nothing accepted yet. May be nil.
	Prepare func(context.Context, *Service) error
	// Started is called with the URLs that are answered on. May be nil.
	Started func(urls []string)
}

// Run serves until ctx ends and running requests have finished. Its error is nil
// after a clean stop; ErrCut when requests were cut off; a fault.List when the
// policy is not sound.
func Run(ctx context.Context, c config.Config, o Options) (err error) {
	// A SIGHUP must not kill what serves, nor what is not yet ready for it.
	signal.Ignore(syscall.SIGHUP)
	s, err := Build(ctx, c, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if o.Prepare != nil {
		if err := o.Prepare(ctx, s); err != nil {
			return err
		}
	}
	fronts, err := s.fronts(ctx, c, o.Log)
	if err != nil {
		return err
	}
	urls := fronts[0].urls()
	defer s.background(ctx)()
	defer s.keepPolicy(ctx)()
	o.Log.Info("serving", "urls", urls, "policy", s.Policy.Digest, "auth", string(c.Auth.Mode), "pid", os.Getpid())
	if len(fronts) > 1 {
		o.Log.Info("serving sidecars", "urls", fronts[1].urls())
	}
	if o.Started != nil {
		o.Started(urls)
	}
	err = serve(ctx, fronts, func() { s.health.draining.Store(true) }, c.Drain.Timeout)
	o.Log.Info("stopped", "clean", err == nil)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// A front is a server and where it accepts connections.
type front struct {
	srv *http.Server
	all []listener
}

func (f front) urls() []string {
	urls := make([]string, len(f.all))
	for i, l := range f.all {
		urls[i] = l.url
	}
	return urls
}

// fronts opens every listener that the settings ask for, or none: that for clients first,
// then that for sidecars, if there are any.
func (s *Service) fronts(ctx context.Context, c config.Config, log *slog.Logger) ([]front, error) {
	all, err := listen(ctx, c)
	if err != nil {
		return nil, err
	}
	fronts := []front{newFront(s.Handler, log, all)}
	if s.gates == nil {
		return fronts, nil
	}
	l, err := listenForGates(ctx, c)
	if err != nil {
		closeAll(all)
		return nil, err
	}
	return append(fronts, newFront(s.gates, log, []listener{l})), nil
}

func newFront(handler http.Handler, log *slog.Logger, all []listener) front {
	f := front{NewHTTPServer(handler, log), all}
	for _, l := range all {
		if l.tls != nil {
			f.srv.TLSConfig = l.tls
		}
	}
	return f
}

// background runs what goes on while requests are served, until the returned function is
// called and it has ended. It outlives ctx, because requests do while they are drained.
func (s *Service) background(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, loop := range s.loops {
		running.Go(func() { loop(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// NewHTTPServer makes the server that handler is served by, with the limits that
// keep a slow or hostile client from holding it (S41). Benchmarks use it for
// their floors, so that handlers are compared and not settings.
func NewHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
