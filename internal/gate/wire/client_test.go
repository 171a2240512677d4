package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
)

// A person who is removed is refused by a gate that follows a directory over HTTP, from
// "enforced" on.
func TestAGateFollowsADirectory(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			w := newWorld(t)
			g, err := gate.New(gate.Config{Directory: w.client(nil, w.serve(w.keeper, nil, secure)), Clock: gate.NewClock(), Lease: time.Second})
			follow(t, must(t, g, err))
			read := func() portal.UserStatus {
				reply, err := g.Read(t.Context(), gate.Query{Keys: []portal.FactKey{simulation.Key(0)}})
				return must(t, reply, err).Facts[0].User.Status
			}
			for i, active := range []bool{true, false, true} {
				at := w.memory.Put(0, active)
				w.keeper.News()
				done, err := w.keeper.Enforce(t.Context(), barrier.Done{At: at, Committed: true})
				if outcome := must(t, done, err); !outcome.Enforced || outcome.Acknowledged != 1 {
					t.Errorf("%+v", outcome)
				}
				if got := read(); (got == portal.UserActive) != active {
					t.Errorf("after change %d the user is %q", i, got)
				}
			}
			must(t, 0, g.Leave(t.Context()))
			rows, err := w.memory.Rows(t.Context(), portal.Position{})
			if n := len(must(t, rows, err).Rows); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		})
	}
}

// follow steps until the test ends; it returns when the gate has a lease.
func follow(t *testing.T, g *gate.Gate) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = g.Step(ctx)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	for !g.Status().Leased {
		gate.NewClock().Wait(t.Context(), nil, time.Millisecond)
	}
}

// Everything that is asked and answered arrives as it was, over the wire.
func TestTheWireChangesNothing(t *testing.T) {
	w := newWorld(t)
	type asks struct {
		Ask       gate.Ask
		Who       gate.Instance
		Keys      []portal.FactKey
		Confirmed bool
	}
	var got asks
	found := gate.Found{Facts: []portal.Facts{fullFacts(t)}, Position: at(9), Era: "e", Time: answered.Time, Policy: portal.Promoted{At: 4, Digest: "d4"}, Confirmed: true}
	c := w.client(nil, w.serve(fake{
		ask:   func(_ context.Context, a gate.Ask) (gate.Answer, error) { got.Ask = a; return answered, nil },
		leave: func(_ context.Context, who gate.Instance) error { got.Who = who; return nil },
		facts: func(_ context.Context, keys []portal.FactKey, confirmed bool) (gate.Found, error) {
			got.Keys, got.Confirmed = keys, confirmed
			return found, nil
		},
	}, nil, true))
	answer, err := c.Ask(t.Context(), asked)
	if diff := cmp.Diff(answered, must(t, answer, err)); diff != "" {
		t.Error(diff)
	}
	facts, err := c.Facts(t.Context(), one.keys, true)
	if diff := cmp.Diff(found, must(t, facts, err)); diff != "" {
		t.Error(diff)
	}
	must(t, 0, c.Leave(t.Context(), "me"))
	if diff := cmp.Diff(asks{asked, "me", one.keys, true}, got); diff != "" {
		t.Error(diff)
	}
}

// A long poll outlives the timeouts that a server has for slow clients, and ends with news.
func TestALongPoll(t *testing.T) {
	w := newWorld(t)
	w.timeout = 100 * time.Millisecond
	c := w.client(nil, w.serve(w.keeper, nil, true))
	ask := gate.Ask{Instance: "i", Number: 1, Term: time.Second, Wait: 300 * time.Millisecond}
	answer, err := c.Ask(t.Context(), ask)
	if must(t, answer, err).Number != 1 || !answer.Lease {
		t.Errorf("%+v", answer)
	}
	ask.Wait, ask.Number = maxWait, 2
	time.AfterFunc(50*time.Millisecond, func() { w.memory.Put(0, true); w.keeper.News() })
	if answer, err = c.Ask(t.Context(), ask); len(must(t, answer, err).Changes) == 0 {
		t.Error("no news")
	}
}

// Who is not answered gives up in time, as does who is told to, and the directory learns
// of it.
func TestCallsEnd(t *testing.T) {
	w := newWorld(t)
	gone := make(chan string, 1)
	c := w.client(nil, w.serve(stuck(gone), nil, false))
	calls := map[string]func(context.Context) error{
		"ask":   func(ctx context.Context) error { _, err := c.Ask(ctx, gate.Ask{Instance: "i"}); return err },
		"leave": func(ctx context.Context) error { return c.Leave(ctx, "i") },
		"facts": func(ctx context.Context) error { _, err := c.Facts(ctx, one.keys, false); return err },
	}
	for name, call := range calls {
		if err := call(t.Context()); err == nil || <-gone != name {
			t.Errorf("%s: %v", name, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || <-gone != name {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Ask(ctx, gate.Ask{Instance: "i", Wait: maxWait}); !errors.Is(err, context.Canceled) || <-gone != "ask" {
		t.Error(err)
	}
}

// wrong are replicas whose answers are not used.
func wrong(t *testing.T) map[string]http.HandlerFunc {
	body, err := encodeAnswer(answered)
	text := string(must(t, body, err))
	say := func(status int, contentType, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	return map[string]http.HandlerFunc{
		"garbage":         say(200, jsonType, "<html>"),
		"nothing":         say(200, jsonType, ""),
		"no content":      say(204, jsonType, ""),
		"another type":    say(200, "text/html", text),
		"another ask":     say(200, jsonType, strings.Replace(text, `"number":9`, `"number":8`, 1)),
		"another process": say(200, jsonType, strings.Replace(text, `"instance":"0`, `"instance":"1`, 1)),
		"another version": say(200, jsonType, strings.Replace(text, `"version":1`, `"version":2`, 1)),
		"a part of it":    say(200, jsonType, text[:len(text)/2]),
		"too much":        say(200, jsonType, text+strings.Repeat(" ", maxBody)),
		"a status":        say(500, jsonType, text),
		"a long refusal":  say(503, "application/problem+json", strings.Repeat("x", maxBody)),
		"another address": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"a closed gateway": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut in the middle": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", jsonType)
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			_, _ = w.Write([]byte(text[:len(text)-1]))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"endless headers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHeaderBytes))
			_, _ = w.Write([]byte(text))
		},
	}
}

// A replica that does not answer as it should is not believed. The next one is asked, in
// the same call, and first from then on.
func TestReplicasThatFail(t *testing.T) {
	good := fake{ask: func(context.Context, gate.Ask) (gate.Answer, error) { return answered, nil }}
	w := newWorld(t)
	for name, bad := range wrong(t) {
		var asks atomic.Int64
		server := w.start(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asks.Add(1)
			bad(rw, r)
		}), false)
		if got, err := w.client(nil, server).Ask(t.Context(), asked); err == nil {
			t.Errorf("%s: believed %+v", name, got)
		}
		asks.Store(0)
		c := w.client(nil, server, w.serve(good, nil, false))
		for range 3 {
			answer, err := c.Ask(t.Context(), asked)
			if diff := cmp.Diff(answered, must(t, answer, err)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		if n := asks.Load(); n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// A connection that the directory has closed as idle costs nothing but a new one.
func TestAnIdleConnectionThatWasClosed(t *testing.T) {
	w := newWorld(t)
	server := w.serve(w.keeper, nil, false)
	c := w.client(nil, server)
	for n := range uint64(20) {
		answer, err := c.Ask(t.Context(), gate.Ask{Instance: "i", Number: n, Term: time.Second})
		if must(t, answer, err).Number != n {
			t.Errorf("%+v", answer)
		}
		server.CloseClientConnections()
	}
}

// A machine that accepts and then says nothing costs one call; the next asks another.
func TestAHalfOpenReplica(t *testing.T) {
	w := newWorld(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, 0, err)
	defer l.Close()
	good := w.serve(w.keeper, nil, false)
	client, err := NewClient(ClientConfig{URLs: []string{"http://" + l.Addr().String(), good.URL}, TokenFile: w.tokenFile})
	c := must(t, client, err)
	defer c.Close()
	if _, err := c.Facts(t.Context(), []portal.FactKey{simulation.Key(0)}, true); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	found, err := c.Facts(t.Context(), []portal.FactKey{simulation.Key(0)}, true)
	if !must(t, found, err).Confirmed {
		t.Errorf("%+v", found)
	}
}

// Only the caller's own giving up says nothing about a replica.
func TestAReplicaIsKeptWhenTheCallerGivesUp(t *testing.T) {
	w := newWorld(t)
	gone := make(chan string, 1)
	c := w.client(nil, w.serve(stuck(gone), nil, false), w.serve(w.keeper, nil, false))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Ask(ctx, gate.Ask{Instance: "i", Wait: time.Second}); err == nil || <-gone != "ask" || c.current.Load() != 0 {
		t.Errorf("replica %d: %v", c.current.Load(), err)
	}
}

// A token is replaced without a restart, at either end, in either order.
func TestTokensRotate(t *testing.T) {
	w := newWorld(t)
	c := w.client(nil, w.serve(w.keeper, nil, false))
	ask := func() error {
		_, err := c.Ask(t.Context(), gate.Ask{Instance: "i", Number: 1, Term: time.Second})
		return err
	}
	must(t, 0, ask())
	_, err := w.tokens.Revoke(t.Context(), w.secret.ID)
	must(t, 0, err)
	if err := ask(); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "unauthenticated") {
		t.Errorf("with a revoked token: %v", err)
	}
	for _, bad := range []string{"", "two words", "a\nb", strings.Repeat("x", 2*maxTokenLength)} {
		w.write(bad)
		if err := ask(); err == nil || errors.Is(err, ErrRefused) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("with %.20q: %v", bad, err)
		}
	}
	must(t, 0, os.Remove(w.tokenFile))
	if err := ask(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a token: %v", err)
	}
	w.write(w.token(portal.Limits{}, "gate").Text)
	must(t, 0, ask())
}

func TestClientsThatAreNotMade(t *testing.T) {
	w := newWorld(t)
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, 0, os.WriteFile(empty, nil, 0o600))
	good := ClientConfig{URLs: []string{"https://directory.example:8082/doorward/", "http://127.0.0.1:8082", "http://[::1]"}, TokenFile: w.tokenFile}
	c, err := NewClient(good)
	if got := must(t, c, err).replicas[0]; got != "https://directory.example:8082/doorward" {
		t.Error(got)
	}
	for _, url := range []string{
		"", "directory.example", "http://directory.example", "http://10.0.0.1", "http://localhost", "http://127.0.0.1.example", "ftp://127.0.0.1",
		"https://a:b@directory.example", "https://directory.example/?x", "https://directory.example#x", "https://", "unix:/run/x", "http://0.0.0.0",
	} {
		bad := good
		bad.URLs = append([]string{"http://127.0.0.1"}, url)
		if _, err := NewClient(bad); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
	for _, bad := range []ClientConfig{
		{TokenFile: w.tokenFile}, {URLs: good.URLs}, {URLs: good.URLs, TokenFile: empty},
		{URLs: good.URLs, TokenFile: w.tokenFile, CAFile: empty}, {URLs: good.URLs, TokenFile: w.tokenFile, CAFile: "nowhere"},
	} {
		if _, err := NewClient(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// A server that proves no name gets no token.
func TestAnUnknownServer(t *testing.T) {
	w := newWorld(t)
	reached := false
	server := w.start(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }), true)
	client, err := NewClient(ClientConfig{URLs: []string{server.URL}, TokenFile: w.tokenFile})
	c := must(t, client, err)
	defer c.Close()
	if err := c.Leave(t.Context(), "i"); err == nil || reached {
		t.Errorf("reached: %v, %v", reached, err)
	}
}

// Proxies of the environment, redirects and cookies lead nowhere (S44).
func TestTheTokenGoesNowhereElse(t *testing.T) {
	w := newWorld(t)
	var seen atomic.Int64
	other := w.start(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }), false)
	t.Setenv("HTTP_PROXY", other.URL)
	t.Setenv("HTTPS_PROXY", other.URL)
	t.Setenv("http_proxy", other.URL)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := w.client(nil, w.start(http.RedirectHandler(other.URL, status), false))
		if err := c.Leave(t.Context(), "i"); !errors.Is(err, ErrRefused) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if seen.Load() != 0 {
		t.Error("it went elsewhere")
	}
	transport, err := newTransport("")
	if must(t, transport, err).Proxy != nil {
		t.Error("a proxy is asked for") // net/http never takes one for a loopback address
	}
}

func TestClientMetrics(t *testing.T) {
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	server := w.serve(w.keeper, nil, false)
	replies := []*httptest.Server{server, w.start(http.NotFoundHandler(), false), w.start(wrong(t)["garbage"], false)}
	c := w.client(reg, server)
	for _, s := range replies {
		c.replicas = []string{s.URL}
		_, _ = c.Ask(t.Context(), gate.Ask{Instance: "i", Term: time.Second})
	}
	server.Close()
	c.replicas = []string{server.URL}
	_, _ = c.Ask(t.Context(), gate.Ask{Instance: "i", Term: time.Second})
	for _, result := range []string{"answered", "refused", "garbled", "unreachable"} {
		if n := testutil.ToFloat64(c.metrics.asks.WithLabelValues(result)); n != 1 {
			t.Errorf("%s: %v", result, n)
		}
	}
	if n, err := testutil.GatherAndCount(reg); n != 5 || err != nil {
		t.Error(n, err)
	}
}
