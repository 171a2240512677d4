package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"doorward/internal/fault"
	"doorward/internal/gate"
	"doorward/internal/gate/wire"
	"doorward/internal/policy/watch"
	"doorward/internal/portal"
)

// Readiness is the answer of /readyz.
type Readiness struct {
	Status   string          `json:"status"`             // ready or not_ready
	Policy   string          `json:"policy,omitempty"`   // digest of the policy in force
	Revision portal.Revision `json:"revision"`           // the directory's head
	Position string          `json:"position,omitempty"` // the same, with the audit chain's tag
	Lease    *Lease          `json:"lease,omitempty"`    // a sidecar's
	Version  string          `json:"version"`
	Problems []Problem       `json:"problems,omitempty"` // what is wrong
	Warnings []Warning       `json:"warnings,omitempty"` // what is wrong, and does not keep it from answering
}

// A Lease says how fresh a sidecar's facts are.
type Lease struct {
	Held   bool  `json:"held"`
	AgeMS  int64 `json:"age_ms"` // since the directory was asked for it
	Behind int64 `json:"behind"` // revisions that the directory is ahead, as far as is known
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
	Part   string `json:"part"` // policy or directory
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
	look     func(context.Context) sight
	folder   func() watch.State // of the policy folder; nil when none is watched
	failing  func() fault.List  // rows of its tables that fail; nil like folder
	draining atomic.Bool
	blind    atomic.Bool // the last look found no directory
}

// A sight is what a look at the directory came to.
type sight struct {
	at      portal.Position
	lease   *Lease
	problem string // "": questions can be answered
	warning string // "": all of them can
	err     error  // for the log
}

// lookAt looks at a directory in this process.
func lookAt(store Directory) func(context.Context) sight {
	return func(ctx context.Context) sight {
		at, err := store.Head(ctx)
		if err != nil {
			return sight{problem: "cannot be read", err: err}
		}
		return sight{at: at}
	}
}

// Errors of a sidecar without facts to answer from.
var (
	errUnheard = errors.New("no directory has answered yet")
	errTooOld  = errors.New("no directory has answered for longer than the lease and gate.max_staleness")
)

// lookAtGate looks at what a gate knows. A lease that has ended leaves the questions of
// bounded categories: a sidecar that was taken out of service for it would answer none.
func lookAtGate(g *gate.Gate) func(context.Context) sight {
	return func(context.Context) sight {
		s := g.Status()
		refused := errors.Is(s.Failed, wire.ErrRefused)
		switch {
		case !s.Joined && refused:
			return sight{problem: "refuses this sidecar", err: s.Failed}
		case !s.Joined:
			return sight{problem: "has not answered yet", err: errUnheard}
		}
		lease := &Lease{Held: s.Leased, AgeMS: s.Since.Milliseconds(), Behind: int64(s.Head) - int64(s.Position.Revision)}
		switch {
		case !s.Usable && refused:
			return sight{at: s.Position, lease: lease, problem: "refuses this sidecar", err: s.Failed}
		case !s.Usable:
			return sight{at: s.Position, lease: lease, problem: "has not answered for too long", err: errTooOld}
		case !s.Leased:
			return sight{at: s.Position, lease: lease, warning: "has not answered for longer than the lease: strict questions have no answer"}
		}
		return sight{at: s.Position, lease: lease}
	}
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
	seen := h.look(ctx)
	h.noteDirectory(ctx, seen.err)
	if seen.problem != "" {
		r.Problems = append(r.Problems, Problem{"directory", seen.problem})
	}
	if seen.at != (portal.Position{}) {
		r.Revision, r.Position = seen.at.Revision, seen.at.String()
	}
	if len(r.Problems) > 0 {
		r.Status = NotReady
	}
	r.Lease, r.Warnings = seen.lease, h.warnings()
	if seen.warning != "" {
		r.Warnings = append(r.Warnings, Warning{Part: "directory", Detail: seen.warning})
	}
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
		h.log.ErrorContext(ctx, "not ready: no directory to answer from", "error", err)
	default:
		h.log.InfoContext(ctx, "there is a directory to answer from again")
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody is left to tell
}
