package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// traffic counts requests, and keeps one that panics from ending in silence. It
// must wrap the mux itself: the route is known only after the mux has run.
type traffic struct {
	log    *slog.Logger
	failed http.Handler // answers a request that panicked

	inFlight atomic.Int64
	requests *prometheus.CounterVec
	mu       sync.RWMutex
	counters map[routeStatus]prometheus.Counter
}

// routeStatus is what requests are counted by.
type routeStatus struct {
	route  string
	status int
}

func newTraffic(log *slog.Logger, reg prometheus.Registerer, failed http.Handler) *traffic {
	t := &traffic{log: log, failed: failed, counters: map[routeStatus]prometheus.Counter{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "code"})}
	reg.MustRegister(t.requests, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "doorward_http_requests_in_flight", Help: "Requests being answered now.",
	}, func() float64 { return float64(t.inFlight.Load()) }))
	return t
}

// watch returns a handler that counts what next answers.
func (t *traffic) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.inFlight.Add(1)
		defer t.inFlight.Add(-1)
		answer := &answer{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				t.panicked(answer, r, cause)
			}
			t.counter(r.Pattern, answer.status).Inc()
		}()
		next.ServeHTTP(answer, r)
	})
}

// panicked logs a panic once and answers 500, unless an answer was begun: then
// the connection is cut, so that nobody takes half of one for whole.
func (t *traffic) panicked(w *answer, r *http.Request, cause any) {
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	t.log.ErrorContext(r.Context(), "request panicked", "method", r.Method, "route", r.Pattern,
		"cause", cause, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	t.failed.ServeHTTP(w, r)
}

func (t *traffic) counter(route string, status int) prometheus.Counter {
	if status == 0 {
		status = http.StatusOK // net/http's answer for a handler that wrote nothing
	}
	key := routeStatus{route, status}
	t.mu.RLock()
	c := t.counters[key]
	t.mu.RUnlock()
	if c != nil {
		return c
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c = t.requests.WithLabelValues(route, strconv.Itoa(status))
	t.counters[key] = c
	return c
}

// An answer remembers the status it was begun with; 0 when it was not begun.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers and sends the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer if nobody has.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
