package server

import (
	"net/http"
	"path"
	"strings"

	"doorward/internal/authzen"
	"doorward/internal/problem"
	"doorward/internal/token"
)

// methods are those that any route of Doorward has.
var methods = [...]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// fallback answers for every path and method that mux has no route for: with 405
// and the path's methods, or with 404. It is itself the mux's last route, so that
// known routes are matched only once.
func fallback(mux *http.ServeMux) func(http.ResponseWriter, *http.Request) error {
	return func(_ http.ResponseWriter, r *http.Request) error {
		var allow []string
		for _, method := range methods {
			probe := *r
			probe.Method = method
			if _, pattern := mux.Handler(&probe); pattern != anything && pattern != decisions && pattern != "" {
				allow = append(allow, method)
			}
		}
		if len(allow) > 0 {
			return &problem.Error{Code: problem.MethodNotAllowed, Allow: strings.Join(allow, ", ")}
		}
		return &problem.Error{Code: problem.NotFound}
	}
}

// The patterns of the fallbacks: below /access/ even what is not there is shown
// only to those who may ask.
const (
	anything  = "/"
	decisions = "/access/"
)

// refuseDots answers for paths that a proxy may have taken for others, however they are
// written: with empty segments, or those that lead up (S5, S6). The mux would send their
// clients elsewhere.
func refuseDots(next, refused http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; strings.Contains(p, "//") || strings.Contains(p, "/.") && path.Clean(p) != strings.TrimSuffix(p, "/") {
			refused.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// mountDecisions mounts the AuthZEN endpoints, as h serves them, behind the guard.
func mountDecisions(mux *http.ServeMux, guard *token.Guard, h *authzen.Handler) {
	behind := guarded{mux, guard}
	h.Admit = func(next http.Handler) http.Handler { return guard.Protect(token.Explain, next) }
	h.Register(behind)
	behind.Handle(decisions, problem.Handle(h.Log, fallback(mux)))
}

// guarded mounts handlers behind a guard on one mux: a mux of their own would
// match every path twice.
type guarded struct {
	mux   *http.ServeMux
	guard *token.Guard
}

// Handle mounts a handler for those whose token may decide.
func (g guarded) Handle(pattern string, handler http.Handler) {
	g.mux.Handle(pattern, g.guard.Protect(token.Decide, handler))
}
