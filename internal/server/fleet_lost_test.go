package server_test

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory/pgtest"
	"doorward/internal/server"
)

// bounded may be answered for a while when the directory is out of reach, strict may not.
const (
	bounded = question
	strict  = `{"subject":{"type":"user","id":"anna"},"action":{"name":"user.list"},"resource":{"type":"account","id":"acme"}}`
)

// is asks a question that is answered so: "allow", or the code of a 503.
func is(t *testing.T, p *process, body, want string) {
	t.Helper()
	if got := said(t, p, body); got != want {
		t.Errorf("%s is %s, want %s", body, got, want)
	}
}

func said(t *testing.T, p *process, body string) string {
	t.Helper()
	status, answer := asked(t, p, body, asJSON)
	switch {
	case status == http.StatusOK && strings.HasPrefix(answer, `{"decision":true`):
		return "allow"
	case status == http.StatusServiceUnavailable && !strings.Contains(answer, "decision"):
		_, code, _ := strings.Cut(answer, "urn:doorward:problem:")
		code, _, _ = strings.Cut(code, `"`)
		return code
	}
	t.Fatalf("%s: %d %s", body, status, answer)
	return ""
}

// R4, R9: a sidecar answers nothing before it has heard of a directory; without one it
// answers strict questions for a lease, and bounded ones for its staleness longer; and it
// is well again by itself. At each time /readyz says what is so.
func TestTheLifeOfASidecar(t *testing.T) {
	f := newFleet(t, "")
	f.c.Gate.Lease, f.c.Gate.MaxStaleness = time.Second, 5*time.Second
	f.c.Gates.LongestTerm = 6 * time.Second
	way := newLink(t, "")
	s := f.sidecarOf(t, &process{links: []*link{way}}, nil)
	notReady(t, s, "has not answered yet")
	is(t, s, strict, "not_ready")
	is(t, s, bounded, "not_ready")
	if response, text := call(t, http.DefaultClient, "POST", s.url+"/access/v1/search/action", question, asJSON); response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("a search: %d %s", response.StatusCode, text)
	}
	if status, answer := asked(t, s, bounded, as(f.gate)); status != http.StatusServiceUnavailable {
		t.Errorf("with a token that cannot be looked up: %d %s", status, answer)
	}
	if response, _ := call(t, http.DefaultClient, "GET", s.url+"/livez", "", nil); response.StatusCode != 200 {
		t.Errorf("/livez: %d", response.StatusCode)
	}
	for range 2 { // the second time it is one that was lost
		d := f.directory(t)
		way.lead(d.gates)
		eventually(t, "it holds a lease", func() bool { r := readiness(t, s); return r.Lease != nil && r.Lease.Held })
		is(t, s, strict, "allow")
		is(t, s, bounded, "allow")
		d.stop()
		<-d.ended
		eventually(t, "strict questions are stale", func() bool { return said(t, s, strict) == "stale" })
		is(t, s, bounded, "allow")
		if r := readiness(t, s); r.Status != server.Ready || r.Lease == nil || r.Lease.Held || len(r.Warnings) != 1 || r.Warnings[0].Part != "directory" {
			t.Errorf("%+v", r)
		}
		eventually(t, "bounded ones are", func() bool { return said(t, s, bounded) == "stale" })
		notReady(t, s, "has not answered for too long")
	}
}

func notReady(t *testing.T, p *process, detail string) {
	t.Helper()
	r := readiness(t, p)
	if r.Status != server.NotReady || len(r.Problems) != 1 || r.Problems[0] != (server.Problem{Part: "directory", Detail: detail}) {
		t.Errorf("%+v", r)
	}
}

// While the database is down nothing is changed and the answer says so; sidecars go on as
// they do without a directory, and are well when it is back.
func databaseDown(t *testing.T, postgres *pgtest.Server) {
	f := newFleet(t, postgres.DSN(postgres.Database(t)))
	f.c.Gate.MaxStaleness, f.c.Gates.LongestTerm, f.c.Gates.Margin = 30*time.Second, 32*time.Second, time.Second
	d := f.directory(t)
	s := f.sidecar(t, nil)
	f.ready(t, s)
	is(t, s, strict, "allow")
	is(t, s, bounded, "allow")
	before, err := f.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	postgres.Stop(syscall.SIGINT)
	is(t, s, bounded, "allow")
	for path, body := range map[string]string{carlsPlace: removed, "/v1/users/zoe": `{"email":"zoe@acme.example"}`} {
		response, text := call(t, http.DefaultClient, "PUT", d.url+path, body, f.manager)
		if response.StatusCode != 503 || !strings.Contains(text, "directory_unavailable") || !strings.Contains(text, "Nothing was changed") {
			t.Errorf("%s: %d %s", path, response.StatusCode, text)
		}
	}
	notReady(t, d, "cannot be read")
	if response, text := call(t, http.DefaultClient, "POST", s.url+"/access/v1/search/action", question, asJSON); response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("a search: %d %v %s", response.StatusCode, response.Header, text)
	}
	eventually(t, "strict questions are stale", func() bool { return said(t, s, strict) == "stale" })
	is(t, s, bounded, "allow")
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}
	if commitsSince(t, f.store, before) != 0 {
		t.Error("something was changed")
	}
	eventually(t, "strict questions are answered", func() bool { return said(t, s, strict) == "allow" })
	if response, text := call(t, http.DefaultClient, "PUT", d.url+"/v1/users/zoe", `{"email":"zoe@acme.example"}`, f.manager); response.StatusCode != 201 {
		t.Errorf("%d %s", response.StatusCode, text)
	}
}

// A sidecar trusts its directory by the authorities that it was given.
func TestTLSBetweenSidecarAndDirectory(t *testing.T) {
	f := newFleet(t, "")
	folder := t.TempDir()
	f.c.TLS = config.TLS{CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	writeCertificate(t, f.c.TLS)
	f.directory(t)
	s := f.sidecar(t, nil)
	f.ready(t, s)
	is(t, s, strict, "allow")
	if got := find(t, s.url, "action", question); len(got.Results) == 0 {
		t.Error("a search finds nothing")
	}
	other := config.TLS{CertFile: filepath.Join(folder, "other.pem"), KeyFile: filepath.Join(folder, "otherkey.pem")}
	writeCertificate(t, other)
	for _, file := range []string{other.CertFile, ""} {
		is(t, f.never(t, "unreachable", func(c *config.Config) { c.Directory.CAFile = file }), bounded, "not_ready")
	}
}

// What a directory refuses never becomes ready, and its metrics tell why. One that wants to
// answer from memory for longer than is allowed gets no lease: every question of it is a
// read of the directory (R9).
func TestSidecarsThatAreRefused(t *testing.T) {
	f := newFleet(t, "")
	f.directory(t)
	is(t, f.never(t, "refused", func(c *config.Config) { c.Gate.MaxStaleness = time.Minute }), bounded, "allow")
	wrong := filepath.Join(t.TempDir(), "wrong")
	f.write(wrong, f.manager.Get("Authorization")[len("Bearer "):])
	is(t, f.never(t, "refused", func(c *config.Config) { c.Directory.TokenFile = wrong }), bounded, "not_ready")
}

// A directory that is stopped answers the calls under way: gates are answered meanwhile,
// because the calls wait for them.
func TestADirectoryThatStopsAnswersItsCalls(t *testing.T) {
	f := newFleet(t, "")
	d := f.directory(t)
	s := f.sidecar(t, nil)
	f.ready(t, s)
	is(t, s, bounded, "allow")
	s.links[0].lead("")
	call := f.inTheMiddle(t, d)
	d.stop()
	eventually(t, "no client is accepted", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	s.links[0].lead(d.gates)
	if a := <-call; a.err != nil || a.status != http.StatusOK || !strings.Contains(a.text, `"gates":2,"acknowledged":2,`) {
		t.Errorf("%+v", a)
	}
	if err := <-d.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if status, answer := asked(t, s, bounded, asJSON); status == http.StatusOK && !strings.Contains(answer, "removed") {
		t.Errorf("%d %s", status, answer)
	}
}

// A reply is what came of a call.
type reply struct {
	status int
	text   string
	err    error
}

// inTheMiddle removes Carl, and returns when that is committed and the call waits for gates.
func (f *fleet) inTheMiddle(t *testing.T, d *process) <-chan reply {
	t.Helper()
	before, err := f.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan reply, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", d.url+carlsPlace, strings.NewReader(removed))
		if err != nil {
			answered <- reply{err: err}
			return
		}
		r.Header, r.Close = f.manager, true
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- reply{err: err}
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		answered <- reply{response.StatusCode, string(text), err}
	}()
	eventually(t, "the removal is committed", func() bool { return commitsSince(t, f.store, before) > 0 })
	return answered
}

// A directory whose address for sidecars is taken does not start, and leaves nothing behind.
func TestADirectoryWithoutAnAddressForSidecars(t *testing.T) {
	f := newFleet(t, "")
	taken := newLink(t, "")
	c := f.c
	c.Gates.Address, c.Listen.Socket = taken.Addr().String(), filepath.Join(t.TempDir(), "s")
	err := server.Run(t.Context(), c, server.Options{Role: config.DirectoryProcess, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "another gates.address") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(c.Listen.Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a socket was left: %v", err)
	}
}

// never runs a sidecar whose asks have this result.
func (f *fleet) never(t *testing.T, result string, set func(*config.Config)) *process {
	t.Helper()
	s := f.sidecar(t, set)
	eventually(t, "it has asked", func() bool {
		_, metrics := call(t, http.DefaultClient, "GET", s.url+"/metrics", "", nil)
		return strings.Contains(metrics, `doorward_gate_asks_total{result="`+result+`"}`)
	})
	detail := map[string]string{"refused": "refuses this sidecar", "unreachable": "has not answered yet"}[result]
	notReady(t, s, detail)
	return s
}
