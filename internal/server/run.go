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
	"syscall"

	"doorward/internal/config"
)

// Options are what a process hands to Run besides its settings.
type Options struct {
	Log     *slog.Logger
	Version string
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
	all, err := listen(ctx, c)
	if err != nil {
		return err
	}
	urls := make([]string, len(all))
	srv := NewHTTPServer(s.Handler, o.Log)
	for i, l := range all {
		urls[i] = l.url
		if l.tls != nil {
			srv.TLSConfig = l.tls
		}
	}
	defer s.keepPolicy(ctx)()
	o.Log.Info("serving", "urls", urls, "policy", s.Policy.Digest, "auth", string(c.Auth.Mode), "pid", os.Getpid())
	if o.Started != nil {
		o.Started(urls)
	}
	err = serve(ctx, srv, all, func() { s.health.draining.Store(true) }, c.Drain.Timeout)
	o.Log.Info("stopped", "clean", err == nil)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
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
