// Package manage serves the records of the directory over HTTP, so that a portal that was
// imported is kept in step: users, accounts, memberships and contacts to look at and to
// put, and sign-ins to report (requirement E3, A13.13).
//
// It reads requests strictly and writes answers. What a record says, and what it
// conflicts with, is package importer's business; who the client is, its guard's. Its
// invariants: nothing is read or changed for a client without a name, nor beyond its
// limits; a request is carried out whole or not at all; what is refused tells nothing of
// the directory to a client that may not look there.
package manage

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/importer"
	"doorward/internal/portal"
	"doorward/internal/problem"
)

// maxRecords is how many records a batch may have.
const maxRecords = 100

// A Handler serves the records. All its fields but Log must be given.
type Handler struct {
	Store directory.Store
	// Words returns what records may speak of: the policy's in force.
	Words func() importer.Words
	// Salt makes digests of what is personal in the trail.
	Salt []byte
	// Client returns the id of the token that a request came with. A request without one
	// is refused.
	Client func(context.Context) string
	// Limits returns what the client may look at and change; nil: everything.
	Limits  func(context.Context) *portal.Limits
	Now     func() time.Time
	Metrics *Metrics
	// Gates knows the gates that changes have to reach. nil: there are none, what is
	// committed is in force.
	Gates Gates
	// LastUse tells when a membership was last used (req 95, req 116). nil: nobody knows.
	LastUse  func(context.Context, portal.AccountID, portal.UserID) (portal.Day, error)
	Policies Policies     // for RegisterPolicy
	Log      *slog.Logger // nil: nothing is logged
}

// Metrics count records.
type Metrics struct{ records *prometheus.CounterVec }

// NewMetrics makes the metrics and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doorward_records_total", Help: "Records taken in over HTTP, by kind and outcome (new, changed, unchanged).",
	}, []string{"kind", "outcome"})}
	for kind := range types { // so that a rate is known from the first on
		for _, o := range []importer.Outcome{importer.New, importer.Changed, importer.Unchanged} {
			m.records.WithLabelValues(string(kind), string(o))
		}
	}
	reg.MustRegister(m.records)
	return m
}

// A Mux takes handlers by pattern, as *http.ServeMux does.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Register adds the routes to mux.
func (h *Handler) Register(mux Mux) {
	for _, r := range []struct {
		path string
		name address
	}{
		{"/v1/users/{id}", address{importer.KindUser, "", "id"}},
		{"/v1/accounts/{id}", address{importer.KindAccount, "id", ""}},
		{"/v1/accounts/{account}/memberships/{user}", address{importer.KindMembership, "account", "user"}},
		{"/v1/accounts/{account}/contacts/{id}", address{importer.KindContact, "account", "id"}},
	} {
		mux.Handle("GET "+r.path, problem.Handle(h.Log, h.get(r.name)))
		mux.Handle("PUT "+r.path, problem.Handle(h.Log, h.put(r.name)))
	}
	mux.Handle("POST /v1/users/{user}/signins", problem.Handle(h.Log, h.put(address{importer.KindSignin, "", "user"})))
	mux.Handle("POST /v1/batch", problem.Handle(h.Log, h.batch))
	if h.Gates != nil {
		mux.Handle("GET "+enforcements+"{position}", problem.Handle(h.Log, h.enforcement))
		mux.Handle("GET /v1/gates", problem.Handle(h.Log, h.gates))
	}
}

// get shows a record.
func (h *Handler) get(a address) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := h.begin(r, a)
		if err != nil {
			return err
		}
		// Read before, so that the record is of this position or of a later one.
		at, err := h.Store.Head(r.Context())
		if err != nil {
			return fmt.Errorf("read position: %w", err)
		}
		v, err := importer.Stored(r.Context(), h.Store, key)
		if err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		if v, err = h.withLastUse(r.Context(), key, v); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		reply(w, http.StatusOK, at, v)
		return nil
	}
}

// withLastUse adds to a membership the day on which it was last used, if that is known. It
// is no part of the record: it has no position, and cannot be put.
func (h *Handler) withLastUse(ctx context.Context, key importer.Key, v ijson.Value) (ijson.Value, error) {
	if key.Kind != importer.KindMembership || h.LastUse == nil {
		return v, nil
	}
	day, err := h.LastUse(ctx, key.Account, portal.UserID(key.ID))
	if err != nil || day == 0 {
		return v, err
	}
	return ijson.ObjectValue(append(slices.Clone(v.Members()), ijson.Member{Name: importer.LastUsed, Value: ijson.StringValue(day.String())})...), nil
}

// put makes a record what the body says.
func (h *Handler) put(a address) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := h.begin(r, a)
		if err != nil {
			return err
		}
		body, err := readBody(w, r)
		if err != nil {
			return err
		}
		record, err := a.complete(body, key)
		if err != nil {
			return err
		}
		if key.Kind == importer.KindSignin { // a user who is not there is what the address lacks
			if _, err := h.Store.User(r.Context(), portal.UserID(key.ID)); err != nil {
				return fmt.Errorf("find %s: %w", key, err)
			}
		}
		result, stored, err := h.take(r, "", []ijson.Value{record}, key, whole)
		if err != nil {
			return err
		}
		status := http.StatusOK
		if result.Outcomes[0] == importer.New {
			status = http.StatusCreated
		}
		return h.conclude(w, r, status, done(result, []ijson.Value{record}), withWarnings(stored, result.Warnings, whole))
	}
}

// take takes records in and returns what is then stored of key, if it names something.
func (h *Handler) take(r *http.Request, source string, records []ijson.Value, key importer.Key, at placer) (importer.Result, ijson.Value, error) {
	var stored ijson.Value
	o := importer.UpsertOptions{Source: source, Now: h.Now(), Salt: h.Salt}
	u, err := importer.ReadUpsert(records, h.Words(), o)
	if err != nil {
		return importer.Result{}, stored, refusal(err, at)
	}
	if err := h.admit(r, u.Keys()...); err != nil {
		return importer.Result{}, stored, err
	}
	client := h.Client(r.Context())
	by := importer.By{Actor: "client:" + client, Client: client}
	result, err := u.Apply(r.Context(), h.Store, by, func(reader directory.Reader) (err error) {
		if key.Kind != "" {
			stored, err = importer.Stored(r.Context(), reader, key)
		}
		return err
	})
	if err != nil {
		return result, stored, refusal(err, at)
	}
	h.count(records, result.Outcomes)
	return result, stored, nil
}

func (h *Handler) count(records []ijson.Value, outcomes []importer.Outcome) {
	for i, o := range outcomes {
		h.Metrics.records.WithLabelValues(records[i].Get("kind").Text(), string(o)).Inc()
	}
}
