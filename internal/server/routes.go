package server

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"doorward/internal/authzen"
	"doorward/internal/manage"
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
			if _, pattern := mux.Handler(&probe); !slices.Contains(fallbacks, pattern) {
				allow = append(allow, method)
			}
		}
		if len(allow) > 0 {
			return &problem.Error{Code: problem.MethodNotAllowed, Allow: strings.Join(allow, ", ")}
		}
		return &problem.Error{Code: problem.NotFound}
	}
}

// The patterns of the fallbacks: below /access/ and /v1/ even what is not there is shown
// only to those who may ask, or manage.
const (
	anything  = "/"
	decisions = "/access/"
	records   = "/v1/"
)

// fallbacks are the patterns of paths that have no route; "" is of a redirection.
var fallbacks = []string{anything, decisions, records, ""}

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
	behind := guarded{mux, guard, token.Decide}
	h.Admit = func(next http.Handler) http.Handler { return guard.Protect(token.Explain, next) }
	h.Register(behind)
	behind.Handle(decisions, problem.Handle(h.Log, fallback(mux)))
}

// mountRecords mounts the routes of records, as h serves them, behind the guard.
func mountRecords(mux *http.ServeMux, guard *token.Guard, h *manage.Handler) {
	behind := guarded{mux, guard.Always(), token.Manage}
	h.Client, h.Limits, h.Now = token.Client, token.Limits, time.Now
	h.Register(behind)
	behind.Handle(records, problem.Handle(h.Log, fallback(mux)))
}

// guarded mounts handlers behind a guard on one mux: a mux of their own would
// match every path twice.
type guarded struct {
	mux   *http.ServeMux
	guard *token.Guard
	scope token.Scope
}

// Handle mounts a handler for those whose token has the scope.
func (g guarded) Handle(pattern string, handler http.Handler) {
	g.mux.Handle(pattern, g.guard.Protect(g.scope, handler))
}
