package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Limits of a connection. They bound what a slow or hostile client can hold (S41).
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
)

// ErrCut tells that requests were still running when the time to drain was over.
var ErrCut = errors.New("requests were cut off: they ran longer than drain.timeout")

// serve answers on every listener until ctx ends or one of them fails, then
// drains: it calls stopping, accepts nothing new, and lets running requests
// finish within limit.
func serve(ctx context.Context, fronts []front, stopping func(), limit time.Duration) error {
	running := 0
	failed := make(chan error)
	for _, f := range fronts {
		for _, l := range f.all {
			running++
			go func() { failed <- accept(f.srv, l) }()
		}
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	stopping()
	drained := make(chan error, 1)
	go func() { drained <- drain(fronts, limit) }()
	for range running {
		if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
	}
	return errors.Join(err, <-drained)
}

func accept(srv *http.Server, l listener) error {
	var err error
	if l.tls != nil {
		err = srv.ServeTLS(l.Listener, "", "")
	} else {
		err = srv.Serve(l.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return fmt.Errorf("accept on %s: %w", l.url, err)
}

// drain needs a context of its own: the one that ended is why it runs. Gates are answered
// until no client's call is left that waits for them.
func drain(fronts []front, limit time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for _, f := range fronts {
		err = errors.Join(err, shutdown(ctx, f.srv))
	}
	return err
}

func shutdown(ctx context.Context, srv *http.Server) error {
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(ErrCut, srv.Close())
	}
	if err != nil {
		return fmt.Errorf("stop listening: %w", err)
	}
	return nil
}
