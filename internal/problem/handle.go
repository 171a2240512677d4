package problem

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
)

// Handle makes a handler of a function that returns its error. The error is
// answered unless the function has begun an answer, and logged: failures of
// Doorward's at error level, all else at debug level.
func Handle(log *slog.Logger, serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := &reply{ResponseWriter: w}
		err := serve(reply, r)
		if err == nil {
			return
		}
		p := From(err)
		record(log, r, p, reply.begun)
		if !reply.begun {
			p.write(w)
		}
	})
}

// record logs the problem once. Of the request only what the server or the
// protocol limits is said: the pattern and not the path (S42). A client that went
// away is no failure.
func record(log *slog.Logger, r *http.Request, p *Error, begun bool) {
	level := slog.LevelDebug
	gone := errors.Is(r.Context().Err(), context.Canceled)
	if p.Status() >= http.StatusInternalServerError && !gone {
		level = slog.LevelError
	}
	log.LogAttrs(r.Context(), level, "request not answered as asked",
		slog.String("problem", string(p.Code)),
		slog.Int("status", p.Status()),
		slog.Bool("begun", begun),
		slog.String("method", r.Method),
		slog.String("pattern", r.Pattern),
		slog.String("request_id", r.Header.Get("X-Request-ID")),
		slog.Any("error", p),
	)
}

// retryAfter is what a 503 suggests, in seconds: what is unavailable is usually
// back soon, and a portal that waits longer refuses its customers for longer.
const retryAfter = "1"

// body is the problem as it is sent: the members of RFC 9457 section 3.1, and
// pointer and errors as extensions.
type body struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"`
	Errors  []Each `json:"errors,omitempty"`
}

// write sends the problem.
func (e *Error) write(w http.ResponseWriter) {
	code, k := e.Code, e.Code.kind()
	if _, known := kinds[code]; !known {
		code = Internal
	}
	// A struct of strings and numbers cannot fail to be encoded.
	text, _ := json.Marshal(body{TypePrefix + string(code), k.title, k.status, e.detail(), e.Pointer, e.Each})
	h := w.Header()
	for _, stale := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(stale)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case k.status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="doorward"`)
	case k.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	case e.Allow != "":
		h.Set("Allow", e.Allow)
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(append(text, '\n')) // a client that went away cannot be told
}

// A reply knows whether an answer has begun.
type reply struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer. An informational status does not.
func (r *reply) WriteHeader(status int) {
	r.begun = r.begun || status >= http.StatusOK
	r.ResponseWriter.WriteHeader(status)
}

// Write begins the answer.
func (r *reply) Write(b []byte) (int, error) {
	r.begun = true
	return r.ResponseWriter.Write(b)
}

// FlushError begins the answer; http.ResponseController finds it.
func (r *reply) FlushError() error {
	r.begun = true
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController find what else the writer can do.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }
