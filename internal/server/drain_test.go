package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"doorward/internal/config"
)

// A slow server's one handler waits until it is let go.
type slow struct {
	url      string
	arrived  chan struct{}
	release  chan struct{}
	stop     context.CancelFunc
	stopping atomic.Bool
	ended    chan error
}

func startSlow(t *testing.T, limit time.Duration) *slow {
	t.Helper()
	s := &slow{arrived: make(chan struct{}), release: make(chan struct{}), ended: make(chan error, 1)}
	c := config.Default()
	c.Listen.Address = "127.0.0.1:0"
	all, err := listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.url = all[0].url
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.arrived <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() {
		s.ended <- serve(ctx, []front{newFront(handler, slog.New(slog.DiscardHandler), all)}, func() { s.stopping.Store(true) }, limit)
	}()
	return s
}

// ask sends a request and reports its body, or "" when it failed.
func (s *slow) ask() <-chan string {
	got := make(chan string, 1)
	go func() {
		// A transport of its own: idle connections of others would be reused.
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(s.url)
		if err != nil {
			got <- ""
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		got <- string(body)
	}()
	return got
}

func TestRunningRequestsFinishWhenTheServerStops(t *testing.T) {
	s := startSlow(t, time.Minute)
	running := s.ask()
	<-s.arrived
	s.stop()
	waitUntilRefused(t, s.url)
	if !s.stopping.Load() {
		t.Error("the listener closed before readiness failed")
	}
	select {
	case err := <-s.ended:
		t.Fatalf("the server ended (%v) with a request running", err)
	default:
	}
	close(s.release)
	if body := <-running; body != "done" {
		t.Errorf("the running request got %q", body)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("a clean stop is an error: %v", err)
	}
}

// waitUntilRefused dials until nobody listens.
func waitUntilRefused(t *testing.T, url string) {
	t.Helper()
	for t.Context().Err() == nil {
		conn, err := net.Dial("tcp", url[len("http://"):])
		if err != nil {
			return
		}
		conn.Close()
	}
}

func TestRequestsThatTakeTooLongAreCut(t *testing.T) {
	s := startSlow(t, time.Millisecond)
	running := s.ask()
	<-s.arrived
	s.stop()
	if err := <-s.ended; !errors.Is(err, ErrCut) {
		t.Errorf("error %v, want ErrCut", err)
	}
	if body := <-running; body != "" {
		t.Errorf("the cut request got %q", body)
	}
}

// One listener that breaks ends the others: half a server helps nobody.
func TestAListenerThatBreaksEndsTheServer(t *testing.T) {
	c := config.Default()
	c.Listen.Address = "127.0.0.1:0"
	c.Listen.Socket = t.TempDir() + "/s"
	all, err := listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := all[0].Close(); err != nil {
		t.Fatal(err)
	}
	err = serve(t.Context(), []front{newFront(http.NotFoundHandler(), slog.New(slog.DiscardHandler), all)}, func() {}, time.Second)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v, want the listener's", err)
	}
	if _, err := net.Dial("unix", c.Listen.Socket); err == nil {
		t.Error("the socket still answers")
	}
}
