package wire

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
	"doorward/internal/token"
)

// A world is a directory with real tokens, a real keeper, and a gate's files.
type world struct {
	t         *testing.T
	tokens    *token.Admin
	verifier  *token.Verifier
	memory    *simulation.Memory
	keeper    *barrier.Keeper
	tokenFile string
	secret    token.Created
	timeout   time.Duration     // of a server, for slow clients; 0: none
	listed    []directory.Token // what a gate is told of tokens, or failed
	failed    error
	promoted  directory.Promotion
}

func newWorld(t *testing.T) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	must(t, 0, err)
	t.Cleanup(func() { _ = store.Close() })
	memory := simulation.NewMemory()
	keeper, err := barrier.New(barrier.Config{Store: memory, Clock: gate.NewClock(), Longest: time.Second})
	w := &world{
		t: t, verifier: token.NewVerifier(store), memory: memory, keeper: must(t, keeper, err),
		tokens:    &token.Admin{Store: store, Now: time.Now, Actor: "cli:test"},
		tokenFile: filepath.Join(t.TempDir(), "token"),
	}
	w.secret = w.token(portal.Limits{}, token.Gate)
	w.write(w.secret.Text)
	return w
}

func (w *world) token(limits portal.Limits, scopes ...token.Scope) token.Created {
	w.t.Helper()
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	made, err := w.tokens.CreateLimited(w.t.Context(), "edge", names, limits)
	return must(w.t, made, err)
}

// write puts a token where the gate finds it.
func (w *world) write(text string) {
	w.t.Helper()
	must(w.t, 0, os.WriteFile(w.tokenFile, []byte(text+"\n"), 0o600))
}

// serve serves a keeper.
func (w *world) serve(keeper Keeper, reg prometheus.Registerer, secure bool) *httptest.Server {
	w.t.Helper()
	mux := http.NewServeMux()
	NewServer(ServerConfig{Keeper: keeper, Verifier: w.verifier, Tokens: w.tokensOf, Policy: w.policyOf, Metrics: reg}).Register(mux)
	return w.start(mux, secure)
}

func (w *world) start(h http.Handler, secure bool) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ReadTimeout, s.Config.WriteTimeout = w.timeout, w.timeout
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	w.t.Cleanup(s.Close)
	return s
}

func (w *world) client(reg prometheus.Registerer, servers ...*httptest.Server) *Client {
	w.t.Helper()
	c := ClientConfig{TokenFile: w.tokenFile, Metrics: reg}
	for _, s := range servers {
		c.URLs = append(c.URLs, s.URL)
		if s.Certificate() != nil {
			c.CAFile = authority(w.t, s)
		}
	}
	client, err := NewClient(c)
	w.t.Cleanup(must(w.t, client, err).Close)
	return client
}

// authority returns a file with the certificate that a server's is signed by.
func authority(t *testing.T, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, 0, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	return file
}

// post sends a body as it is.
func (w *world) post(url, secret, body string, header http.Header) (status int, text string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(w.t, 0, err)
	r.Header.Set("Content-Type", jsonType)
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	must(w.t, 0, err)
	defer response.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(response.Body)
	must(w.t, 0, err)
	return response.StatusCode, b.String()
}

// A keeper of a test answers as the test says.
type fake struct {
	ask   func(context.Context, gate.Ask) (gate.Answer, error)
	leave func(context.Context, gate.Instance) error
	facts func(context.Context, []portal.FactKey, bool) (gate.Found, error)
}

func (f fake) Ask(ctx context.Context, a gate.Ask) (gate.Answer, error) { return f.ask(ctx, a) }
func (f fake) Leave(ctx context.Context, who gate.Instance) error       { return f.leave(ctx, who) }
func (f fake) Facts(ctx context.Context, keys []portal.FactKey, confirmed bool) (gate.Found, error) {
	return f.facts(ctx, keys, confirmed)
}

// stuck answers nothing, and tells when it was given up.
func stuck(gone chan<- string) fake {
	wait := func(ctx context.Context, what string) error {
		<-ctx.Done()
		gone <- what
		return ctx.Err()
	}
	return fake{
		ask:   func(ctx context.Context, _ gate.Ask) (gate.Answer, error) { return gate.Answer{}, wait(ctx, "ask") },
		leave: func(ctx context.Context, _ gate.Instance) error { return wait(ctx, "leave") },
		facts: func(ctx context.Context, _ []portal.FactKey, _ bool) (gate.Found, error) {
			return gate.Found{}, wait(ctx, "facts")
		},
	}
}

// failing answers with an error.
func failing(err error) fake {
	return fake{
		ask:   func(context.Context, gate.Ask) (gate.Answer, error) { return gate.Answer{}, err },
		leave: func(context.Context, gate.Instance) error { return err },
		facts: func(context.Context, []portal.FactKey, bool) (gate.Found, error) { return gate.Found{}, err },
	}
}

var errDirectory = directory.ErrUnavailable
