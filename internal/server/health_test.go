package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/portal"
)

func TestReadiness(t *testing.T) {
	at := portal.Position{Revision: 7, Tag: portal.Tag{0xab}}
	good := func(context.Context) sight { return sight{at: at} }
	bad := func(context.Context) sight {
		return sight{problem: "cannot be read", err: errors.New("unable to open /srv/secret/doorward.db")}
	}
	late := func(context.Context) sight {
		return sight{at: at, lease: &Lease{AgeMS: 4000, Behind: 2}, warning: "is late"}
	}
	for _, c := range []struct {
		name     string
		digest   string
		look     func(context.Context) sight
		draining bool
		status   int
		want     Readiness
	}{
		{"all is well", "d1", good, false, 200, Readiness{Status: Ready, Policy: "d1", Revision: 7, Position: at.String(), Version: "v"}},
		{"no policy", "", good, false, 503, Readiness{Status: NotReady, Revision: 7, Position: at.String(), Version: "v",
			Problems: []Problem{{"policy", "no policy is in force"}}}},
		{"directory unreadable", "d1", bad, false, 503, Readiness{Status: NotReady, Policy: "d1", Version: "v",
			Problems: []Problem{{"directory", "cannot be read"}}}},
		{"late", "d1", late, false, 200, Readiness{Status: Ready, Policy: "d1", Revision: 7, Position: at.String(), Version: "v",
			Lease: &Lease{AgeMS: 4000, Behind: 2}, Warnings: []Warning{{Part: "directory", Detail: "is late"}}}},
		{"everything at once", "", bad, true, 503, Readiness{Status: NotReady, Version: "v",
			Problems: []Problem{{"server", "stopping"}, {"policy", "no policy is in force"}, {"directory", "cannot be read"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &health{log: slog.New(slog.DiscardHandler), version: "v", policy: func() string { return c.digest }, look: c.look}
			h.draining.Store(c.draining)
			mux := http.NewServeMux()
			h.register(mux)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			var got Readiness
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || w.Code != c.status {
				t.Errorf("status %d, want %d\n%s", w.Code, c.status, diff)
			}
			w = httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/livez", nil))
			if w.Code != http.StatusOK {
				t.Errorf("/livez %d: liveness must not depend on anything", w.Code)
			}
		})
	}
}

// Whoever is woken by a probe finds the cause in the log, and not once a second.
func TestWhyTheDirectoryCannotBeReadIsLogged(t *testing.T) {
	var log bytes.Buffer
	cause := errors.New("the disk is gone")
	var err error
	h := &health{log: slog.New(slog.NewTextHandler(&log, nil)), policy: func() string { return "d1" },
		look: func(context.Context) sight { return sight{err: err} }}
	for _, err = range []error{nil, cause, cause, nil, nil, cause} {
		h.check(t.Context())
	}
	if causes, again := strings.Count(log.String(), cause.Error()), strings.Count(log.String(), "again"); causes != 2 || again != 1 {
		t.Errorf("logged the cause %d times and the end %d times, want 2 and 1:\n%s", causes, again, log.String())
	}
}
