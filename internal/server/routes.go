package server

import (
	"log/slog"
	"net/http"
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
			if _, pattern := mux.Handler(&probe); pattern != anything && pattern != "" {
				allow = append(allow, method)
			}
		}
		if len(allow) > 0 {
			return &problem.Error{Code: problem.MethodNotAllowed, Allow: strings.Join(allow, ", ")}
		}
		return &problem.Error{Code: problem.NotFound}
	}
}

// anything is the pattern of the fallback.
const anything = "/"

// mountDecisions mounts the AuthZEN endpoints behind the guard.
func mountDecisions(mux *http.ServeMux, guard *token.Guard, decider authzen.Decider, log *slog.Logger) {
	guarded := http.NewServeMux()
	(&authzen.Handler{Decider: decider, Log: log}).Register(guarded)
	guarded.Handle(anything, problem.Handle(log, fallback(guarded)))
	mux.Handle("/access/", guard.Protect(token.Decide, guarded))
}
