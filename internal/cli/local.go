package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"doorward/internal/config"
	"doorward/internal/server"
)

// openLocal builds a Doorward in this process. Whoever can read the database may
// ask it: no token is needed.
func openLocal(ctx context.Context, p *Process, s *settings) (*client, func() error, error) {
	settings, err := s.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	settings.Auth.Mode = config.AuthNone
	service, err := server.Build(ctx, settings, server.Options{Log: logger(p.Stderr, settings.Log), Version: p.Version, MustExist: true, Once: true})
	if err != nil {
		return nil, nil, noDirectory(err, settings)
	}
	return newClient("http://doorward", localTransport{service.Handler}), service.Close, nil
}

// localTransport answers requests by a handler in this process, so that a
// question asked here takes the very path it takes on a server.
type localTransport struct{ handler http.Handler }

// RoundTrip satisfies http.RoundTripper.
func (t localTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &localAnswer{header: http.Header{}, status: http.StatusOK}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// A localAnswer is a response kept in memory.
type localAnswer struct {
	header http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

// Header returns the headers to send.
func (a *localAnswer) Header() http.Header { return a.header }

// WriteHeader keeps the first status.
func (a *localAnswer) WriteHeader(status int) {
	if !a.begun {
		a.status, a.begun = status, true
	}
}

// Write keeps the body.
func (a *localAnswer) Write(p []byte) (int, error) {
	a.begun = true
	return a.body.Write(p)
}
