package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/directory/sqlite"
	"doorward/internal/importer"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shipped is the policy that ships with Doorward.
var shipped = sync.OnceValues(func() (*policy.Policy, error) { return policy.Read(policies.FS).Load() })

// A surface is the routes over a directory of its own.
type surface struct {
	*Handler
	mux   *http.ServeMux
	store *sqlite.Store
	reg   *prometheus.Registry
	log   *bytes.Buffer
}

// open makes a surface over a new directory, for a client of a name and without limits.
func open(t testing.TB) *surface {
	t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	s := &surface{store: store, reg: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	s.Handler = &Handler{
		Store: store, Salt: store.Salt(), Now: func() time.Time { return noon }, Metrics: NewMetrics(s.reg),
		Words:  func() importer.Words { return importer.Words{Catalogue: p.Catalogue, Presets: p.Presets} },
		Client: func(context.Context) string { return "t1" }, Limits: func(context.Context) *portal.Limits { return nil },
		Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	s.remount()
	return s
}

// remount makes the routes anew, because which there are depends on the gates.
func (s *surface) remount() {
	s.mux = http.NewServeMux()
	s.Register(s.mux)
}

// limited limits the client from now on.
func (s *surface) limited(l *portal.Limits) {
	s.Limits = func(context.Context) *portal.Limits { return l }
}

// call sends a request with a JSON body; none of it where body is "".
func (s *surface) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// must sends a request that is answered with the status.
func (s *surface) must(t testing.TB, status int, method, path, body string) string {
	t.Helper()
	w := s.call(method, path, body)
	if w.Code != status {
		t.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, w.Code, w.Body, status)
	}
	return strings.TrimSuffix(w.Body.String(), "\n")
}

func (s *surface) head(t testing.TB) portal.Position {
	t.Helper()
	at, err := s.store.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// fill puts Acme, its owner Anna, and Dee of no account.
func (s *surface) fill(t testing.TB) {
	t.Helper()
	s.must(t, 200, "POST", "/v1/batch", `{"records":[{"kind":"user","id":"anna","email":"anna@acme.example"},{"kind":"user","id":"dee","email":"dee@agency.example"},
		{"kind":"account","id":"acme","name":"Acme","owner":"anna"},{"kind":"account","id":"shop","owner":"anna"},{"kind":"contact","id":"books","account":"shop","email":"books@shop.example"}]}`)
}

// A refused is a problem as it is sent.
type refused struct {
	Type, Detail, Pointer string
	Status                int
	Errors                []struct{ Detail, Pointer string }
}

func problemIn(t testing.TB, w *httptest.ResponseRecorder) (p refused) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	p.Type = strings.TrimPrefix(p.Type, "urn:doorward:problem:")
	return p
}
