package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"doorward/internal/fault"
	"doorward/internal/policy/watch"
	"doorward/internal/portal"
)

// Readiness is the answer of /readyz.
type Readiness struct {
	Status   string          `json:"status"`             // ready or not_ready
	Policy   string          `json:"policy,omitempty"`   // digest of the policy in force
	Revision portal.Revision `json:"revision"`           // the directory's head
	Position string          `json:"position,omitempty"` // the same, with the audit chain's tag
	Version  string          `json:"version"`
	Problems []Problem       `json:"problems,omitempty"` // what is wrong
	Warnings []Warning       `json:"warnings,omitempty"` // what is wrong, and does not keep it from answering
}

// The statuses of a Readiness.
const (
	Ready    = "ready"
	NotReady = "not_ready"
)

// A Problem is one reason not to be ready.
type Problem struct {
	Part   string `json:"part"` // directory, policy or server
	Detail string `json:"detail"`
}

// A Warning is something to mend while the server is ready all the same.
type Warning struct {
	Part   string `json:"part"` // policy
	Detail string `json:"detail"`
	// Faults are the first of them, with paths inside the policy folder.
	Faults []fault.Fault `json:"faults,omitempty"`
}

// shownFaults bounds the faults in a Warning; the log has all.
const shownFaults = 5

// health answers the probes. Liveness never depends on policy or directory: to
// restart a process because its disk is full helps nobody.
type health struct {
	log      *slog.Logger
	version  string
	policy   func() string // digest of the policy in force; "" when there is none
	head     func(context.Context) (portal.Position, error)
	folder   func() watch.State // of the policy folder; nil when none is watched
	failing  func() fault.List  // rows of its tables that fail; nil like folder
	draining atomic.Bool
	blind    atomic.Bool // the last look could not read the directory
}

// checkTime bounds one look at readiness.
const checkTime = time.Second

// register mounts the probes.
func (h *health) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", h.livez)
	mux.HandleFunc("GET /readyz", h.readyz)
}

func (h *health) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive", "version": h.version})
}

func (h *health) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	readiness := h.check(ctx)
	status := http.StatusOK
	if readiness.Status != Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, readiness)
}

// check looks at every part, so that one look shows all that is wrong. Causes
// stay out of the answer: they name paths, and a probe needs no token. They go to
// the log, once each time it begins.
func (h *health) check(ctx context.Context) Readiness {
	r := Readiness{Status: Ready, Policy: h.policy(), Version: h.version}
	if h.draining.Load() {
		r.Problems = append(r.Problems, Problem{"server", "stopping"})
	}
	if r.Policy == "" {
		r.Problems = append(r.Problems, Problem{"policy", "no policy is in force"})
	}
	at, err := h.head(ctx)
	h.noteDirectory(ctx, err)
	if err != nil {
		r.Problems = append(r.Problems, Problem{"directory", "cannot be read"})
	} else {
		r.Revision, r.Position = at.Revision, at.String()
	}
	if len(r.Problems) > 0 {
		r.Status = NotReady
	}
	r.Warnings = h.warnings()
	return r
}

// warnings tells of a policy folder that does not load, and of tables that fail. The
// last good policy answers, and every replica sees the same folder: to be not ready for
// it would take all of them away at once.
func (h *health) warnings() []Warning {
	if h.folder == nil {
		return nil
	}
	var all []Warning
	if state := h.folder(); state.Stale {
		all = append(all, newWarning("the folder does not load; the last good policy serves", state.Faults))
	}
	if failing := h.failing(); len(failing) > 0 {
		all = append(all, newWarning(rowsFail(failing), failing))
	}
	return all
}

func newWarning(detail string, faults fault.List) Warning {
	return Warning{Part: "policy", Detail: detail, Faults: faults[:min(len(faults), shownFaults)]}
}

// noteDirectory logs when the directory stops being readable and when it is
// again; probes come every few seconds.
func (h *health) noteDirectory(ctx context.Context, err error) {
	switch failed := err != nil; {
	case h.blind.Swap(failed) == failed:
	case failed:
		h.log.ErrorContext(ctx, "not ready: the directory cannot be read", "error", err)
	default:
		h.log.InfoContext(ctx, "the directory can be read again")
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody is left to tell
}
