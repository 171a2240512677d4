package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/demo"
	"doorward/internal/directory"
	"doorward/internal/policy/bundle/bundletest"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/token"
)

// A fleet is what runs on one database: directories, and sidecars that ask them.
type fleet struct {
	t           *testing.T
	c           config.Config   // what its processes have in common
	store       directory.Store // the database as another process has it
	tokenFile   string          // the sidecars'
	gate        token.Created   // what is in it
	manager     http.Header
	key         bundletest.Key // of policies that its processes trust
	directories []*process
	sidecars    []*process
}

// A process of a fleet.
type process struct {
	*running
	url   string
	gates string  // where a directory answers sidecars, host:port
	links []*link // a sidecar's to each directory
}

// newFleet makes the database of a fleet, with the demo portal. Terms are short, because
// removals wait for them when a sidecar is lost.
func newFleet(t *testing.T, databaseURL string) *fleet {
	t.Helper()
	f := &fleet{t: t, c: local(t), tokenFile: filepath.Join(t.TempDir(), "gate")}
	f.c.Decision.Timeout = time.Minute // this is not about speed
	f.c.Gate.Lease, f.c.Gate.MaxStaleness = 2*time.Second, time.Second
	f.c.Gates = config.Gates{Address: "127.0.0.1:0", LongestTerm: 3 * time.Second, Margin: 50 * time.Millisecond}
	f.key = bundletest.NewKey(t)
	f.c.Policy.VerificationKeys = config.List{f.key.File}
	if databaseURL != "" {
		f.c.Database.URLFile = filepath.Join(t.TempDir(), "database")
		f.write(f.c.Database.URLFile, databaseURL)
	}
	store, err := server.OpenDirectory(t.Context(), f.c, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	p, err := server.LoadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Load(t.Context(), store, p.Catalogue, p.Presets); err != nil {
		t.Fatal(err)
	}
	f.store = store
	f.manager = manager(t, store, portal.Limits{})
	f.gate = f.token(portal.Limits{}, "gate")
	f.write(f.tokenFile, f.gate.Text)
	return f
}

func (f *fleet) write(file, text string) {
	f.t.Helper()
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// token makes a token that every process knows.
func (f *fleet) token(l portal.Limits, scopes ...string) token.Created {
	f.t.Helper()
	made, err := (&token.Admin{Store: f.store, Now: time.Now, Actor: "cli:test"}).CreateLimited(f.t.Context(), "x", scopes, l)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(f.directories) > 0 {
		f.enforced(f.t, f.directories[0])
	}
	return made
}

// revoke ends a token, as the command line does, until no process takes it.
func (f *fleet) revoke(t *testing.T, made token.Created) {
	t.Helper()
	if _, err := (&token.Admin{Store: f.store, Now: time.Now, Actor: "cli:test"}).Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	f.enforced(t, f.directories[0])
}

func as(made token.Created) http.Header { return with(asJSON, "Authorization", "Bearer "+made.Text) }

// directory starts a directory.
func (f *fleet) directory(t *testing.T) *process {
	t.Helper()
	said := &lines{}
	c := f.c
	r := launch(t, c, server.Options{Role: config.DirectoryProcess, MustExist: true, Log: slog.New(slog.NewJSONHandler(said, nil))})
	_, address, _ := strings.Cut(said.urls("serving sidecars")[0], "://")
	d := &process{running: r, url: r.urls[0], gates: address}
	f.directories = append(f.directories, d)
	return d
}

// sidecar starts a sidecar of the fleet's directories, each at the end of a link.
func (f *fleet) sidecar(t *testing.T, set func(*config.Config)) *process {
	t.Helper()
	s := &process{}
	for _, d := range f.directories {
		s.links = append(s.links, newLink(t, d.gates))
	}
	return f.sidecarOf(t, s, set)
}

func (f *fleet) sidecarOf(t *testing.T, s *process, set func(*config.Config)) *process {
	t.Helper()
	c := f.c
	c.Data, c.Database, c.Directory.TokenFile = t.TempDir(), config.Database{}, f.tokenFile // for its spool alone
	scheme := "http://"
	if c.TLS.CertFile != "" {
		scheme, c.Directory.CAFile, c.TLS = "https://", c.TLS.CertFile, config.TLS{}
	}
	for _, l := range s.links {
		c.Directory.URLs = append(c.Directory.URLs, scheme+l.Addr().String())
	}
	if set != nil {
		set(&c)
	}
	s.running = launch(t, c, server.Options{Role: config.Sidecar, Log: slog.New(slog.DiscardHandler)})
	s.url = s.urls[0]
	f.sidecars = append(f.sidecars, s)
	return s
}

// whole starts a fleet that is ready: so many directories, and three sidecars, of which
// the last asks its clients for tokens.
func (f *fleet) whole(directories int) *fleet {
	f.t.Helper()
	for range directories {
		f.directory(f.t)
	}
	for n := range 3 {
		f.sidecar(f.t, func(c *config.Config) {
			c.Gate.Label = fmt.Sprintf("sidecar-%d", n)
			if n == 2 {
				c.Auth.Mode = config.AuthToken
			}
		})
	}
	for _, s := range f.sidecars {
		f.ready(f.t, s)
	}
	return f
}

// ready waits until a process is.
func (f *fleet) ready(t *testing.T, p *process) {
	t.Helper()
	eventually(t, "it is ready", func() bool { return readiness(t, p).Status == server.Ready })
}

func readiness(t *testing.T, p *process) (r server.Readiness) {
	t.Helper()
	response, body := call(t, http.DefaultClient, "GET", p.url+"/readyz", "", nil)
	if err := json.Unmarshal([]byte(body), &r); err != nil || (response.StatusCode == 200) != (r.Status == server.Ready) {
		t.Fatalf("/readyz: %d %s", response.StatusCode, body)
	}
	return r
}

// eventually asks again until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	(&edited{t: t}).within(live, what, so)
}

// put makes a change through a directory and waits until it is in force.
func (f *fleet) put(t *testing.T, d *process, path, body string) (status int, c concluded) {
	t.Helper()
	response, text := call(t, http.DefaultClient, "PUT", d.url+path, body, f.manager)
	for response.StatusCode == http.StatusAccepted {
		response, text = call(t, http.DefaultClient, "GET", d.url+response.Header.Get("Location"), "", f.manager)
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", path, body, response.StatusCode, text)
	}
	return response.StatusCode, c
}

// A concluded says what became of a change at the gates.
type concluded struct {
	Enforced *struct{ Gates, Acknowledged, Waited_for, Left int }
}

// enforced waits until everything that is committed is in force at the gates of a directory.
func (f *fleet) enforced(t *testing.T, d *process) {
	t.Helper()
	head, err := f.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for status := http.StatusAccepted; status != http.StatusOK; {
		response, text := call(t, http.DefaultClient, "GET", d.url+"/v1/enforcements/"+string(head.AppendWhole(nil)), "", f.manager)
		if status = response.StatusCode; status >= 300 {
			t.Fatalf("%d %s", status, text)
		}
	}
}

// asked asks a question.
func asked(t *testing.T, p *process, body string, header http.Header) (status int, answer string) {
	t.Helper()
	response, text := call(t, http.DefaultClient, "POST", p.url+"/access/v1/evaluation", body, header)
	return response.StatusCode, text
}

// reached asks until there is an answer: on a busy machine a process may have lost its
// lease, and then a 503 tells nothing. The first answer counts.
func reached(t *testing.T, p *process, body string, header http.Header) (status int, answer string) {
	t.Helper()
	eventually(t, "there is an answer", func() bool {
		status, answer = asked(t, p, body, header)
		return status != http.StatusServiceUnavailable
	})
	return status, answer
}

// A link is the network between a sidecar and one directory. It can be cut.
type link struct {
	net.Listener
	mu   sync.Mutex
	to   string // "": nowhere
	open map[net.Conn]bool
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{Listener: listener, to: to, open: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { l.carry(client) })
		}
	})
	t.Cleanup(func() { listener.Close(); l.lead(""); running.Wait() })
	return l
}

// lead ends all connections and lets new ones lead elsewhere, or nowhere.
func (l *link) lead(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
	for c := range l.open {
		c.Close()
	}
}

// dial opens the other half of a connection, and keeps both.
func (l *link) dial(client net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == "" {
		return nil, io.EOF
	}
	server, err := net.Dial("tcp", l.to)
	if err == nil {
		l.open[client], l.open[server] = true, true
	}
	return server, err
}

func (l *link) carry(client net.Conn) {
	defer client.Close()
	server, err := l.dial(client)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			done <- struct{}{}
		}()
	}
	<-done
	<-done
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, client)
	delete(l.open, server)
}

// lines are what a process logs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps p.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// urls are those that a message named.
func (l *lines) urls(message string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var said struct {
			Msg  string
			URLs []string
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == message {
			return said.URLs
		}
	}
	return nil
}
