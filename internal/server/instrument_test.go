package server

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/problem"
)

func TestAPanicIsLoggedOnceAndAnswered500(t *testing.T) {
	var log bytes.Buffer
	failed := problem.Handle(nil, func(http.ResponseWriter, *http.Request) error { return errPanicked })
	reg := prometheus.NewRegistry()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /boom", func(http.ResponseWriter, *http.Request) { panic("secret cause") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("half ", 1000))
		panic("too late")
	})
	srv := httptest.NewServer(newTraffic(slog.New(slog.NewTextHandler(&log, nil)), reg, failed).watch(mux))
	defer srv.Close()
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

	response, err := http.Get(srv.URL + "/boom")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 500 || response.Header.Get("Content-Type") != "application/problem+json" || bytes.Contains(body, []byte("secret")) {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, body)
	}
	if got := strings.Count(log.String(), "request panicked"); got != 1 || !strings.Contains(log.String(), "secret cause") {
		t.Errorf("logged %d times: %s", got, log.String())
	}

	// An answer that was begun is cut, not completed.
	if response, err := http.Get(srv.URL + "/late"); err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil {
			t.Error("half an answer looks whole")
		}
	}
}

func TestRequestsAreCountedByRouteAndCode(t *testing.T) {
	reg := prometheus.NewRegistry()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /a/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /b", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	watched := newTraffic(slog.New(slog.DiscardHandler), reg, http.NotFoundHandler()).watch(mux)
	for _, path := range []string{"/a/1", "/a/2", "/b", "/nowhere/chosen-by-a-stranger"} {
		watched.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	want := `
# HELP doorward_http_requests_total Requests answered, by route and status.
# TYPE doorward_http_requests_total counter
doorward_http_requests_total{code="200",route="GET /a/{id}"} 2
doorward_http_requests_total{code="404",route=""} 1
doorward_http_requests_total{code="418",route="GET /b"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "doorward_http_requests_total"); err != nil {
		t.Error(err)
	}
}
