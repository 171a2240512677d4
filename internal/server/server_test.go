package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/demo"
	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/server"
	"doorward/internal/token"
)

// A running Doorward with the demo portal.
type running struct {
	urls  []string
	stop  context.CancelFunc
	ended chan error
}

// start runs a server with the demo portal until the test ends.
func start(t *testing.T, c config.Config) *running {
	t.Helper()
	return startPrepared(t, c, func(ctx context.Context, s *server.Service) error {
		_, err := demo.Load(ctx, s.Store, s.Policy.Catalogue, s.Policy.Presets)
		return err
	})
}

// startPrepared runs a server that is prepared first until the test ends.
func startPrepared(t *testing.T, c config.Config, prepare func(context.Context, *server.Service) error) *running {
	t.Helper()
	return launch(t, c, server.Options{Log: slog.New(slog.DiscardHandler), Prepare: prepare})
}

// launch runs a process until the test ends.
func launch(t *testing.T, c config.Config, o server.Options) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{stop: stop, ended: make(chan error, 1)}
	started := make(chan []string, 1)
	o.Version, o.Started = "test", func(urls []string) { started <- urls }
	go func() {
		r.ended <- server.Run(ctx, c, o)
		close(r.ended)
	}()
	select {
	case r.urls = <-started:
	case err := <-r.ended:
		t.Fatalf("the server did not start: %v", err)
	}
	t.Cleanup(func() { stop(); <-r.ended })
	return r
}

// local is a configuration on a free port.
func local(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.Listen.Address = "127.0.0.1:0"
	c.Data = filepath.Join(t.TempDir(), "data")
	return c
}

const question = `{"subject":{"type":"user","id":"carl"},"action":{"name":"invoice.pay"},"resource":{"type":"account","id":"acme"}}`

// call sends a request on a connection of its own.
func call(t *testing.T, client *http.Client, method, url, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Close = true
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(answer)
}

var asJSON = http.Header{"Content-Type": {"application/json"}}

func with(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h[name] = []string{value}
	return h
}

func TestADecisionOverTCPAndSocket(t *testing.T) {
	c := local(t)
	c.Listen.Socket = filepath.Join(t.TempDir(), "s")
	r := start(t, c)
	overSocket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.Listen.Socket)
	}}}
	for _, at := range []struct {
		client *http.Client
		url    string
	}{{http.DefaultClient, r.urls[0]}, {overSocket, "http://doorward"}} {
		response, body := call(t, at.client, "POST", at.url+"/access/v1/evaluation", question, asJSON)
		if response.StatusCode != 200 || body != `{"decision":true}` {
			t.Errorf("%s: %d %s", at.url, response.StatusCode, body)
		}
	}
	if info, err := os.Stat(c.Listen.Socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket %v, %v", info, err)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("a clean stop is an error: %v", err)
	}
	if _, err := os.Lstat(c.Listen.Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stayed: %v", err)
	}
}

func TestWhatIsNotThereIsAProblem(t *testing.T) {
	url := start(t, local(t)).urls[0]
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/console", 404, ""},
		{"POST", "/access/v1/search/policy", 404, ""},
		{"GET", "/.well-known/authzen-configuration", 404, ""},
		{"POST", "/.well-known/authzen-configuration", 405, "GET, HEAD"},
		{"GET", "/access/v1/evaluation", 405, "POST"},
		{"DELETE", "/readyz", 405, "GET, HEAD"},
		{"POST", "/metrics", 405, "GET, HEAD"},
	} {
		response, body := call(t, http.DefaultClient, c.method, url+c.path, "", http.Header{"X-Request-Id": {"a b"}})
		if response.StatusCode != c.status || response.Header.Get("Allow") != c.allow ||
			response.Header.Get("Content-Type") != "application/problem+json" || response.Header.Get("X-Request-Id") != "a b" {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, response.StatusCode, response.Header, body)
		}
	}
}

// A path that a proxy may have taken for another is nowhere, and nobody is sent to where it
// might lead (S5, S6).
func TestStrangePathsAreNowhere(t *testing.T) {
	url := start(t, local(t)).urls[0]
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{
		"//access/v1/evaluation": 404, "/access//v1/evaluation": 404, "/access/v1/evaluation/": 404, "/access/v1/./evaluation": 404, "/access/v1/evaluation/.": 404,
		"/public/../access/v1/evaluation": 404, "/public/%2e%2e/access/v1/evaluation": 404, "/public/..%2faccess/v1/evaluation": 404, "/..": 404,
		"/access/v1/evaluation": 200, "/access/v1%2fevaluation": 404,
	} {
		response, text := call(t, client, "POST", url+path, question, with(asJSON, "X-Request-Id", "17"))
		if response.StatusCode != want || response.Header.Get("X-Request-Id") != "17" {
			t.Errorf("%s: %d %s, want %d", path, response.StatusCode, text, want)
		}
	}
}

func TestReadyzAndMetricsNameThePolicyInForce(t *testing.T) {
	url := start(t, local(t)).urls[0]
	response, body := call(t, http.DefaultClient, "GET", url+"/readyz", "", nil)
	var ready server.Readiness
	if err := json.Unmarshal([]byte(body), &ready); err != nil {
		t.Fatal(err)
	}
	p, err := server.LoadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || ready.Status != server.Ready || ready.Policy != p.Digest || ready.Revision == 0 || ready.Version != "test" {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, asJSON)
	_, metrics := call(t, http.DefaultClient, "GET", url+"/metrics", "", nil)
	for _, want := range []string{
		`doorward_policy_info{digest="` + p.Digest + `"} 1`, "doorward_policy_generation 1", `doorward_build_info{`,
		`doorward_decisions_total{outcome="allow",reason="",tier="rules"} 1`, "go_goroutines", "process_resident_memory_bytes",
		`doorward_http_requests_total{code="200",route="/access/v1/evaluation"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// A token that the command line revokes, with a handle of its own, is refused on
// the very next request.
func TestARevokedTokenIsRefusedAtOnce(t *testing.T) {
	c := local(t)
	c.Auth.Mode = config.AuthToken
	url := start(t, c).urls[0] + "/access/v1/evaluation"
	store, err := server.OpenDirectory(t.Context(), c, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	admin := token.Admin{Store: store, Now: time.Now, Actor: "cli:test"}
	made, err := admin.Create(t.Context(), "portal", []string{"decide"})
	if err != nil {
		t.Fatal(err)
	}
	header := with(asJSON, "Authorization", "Bearer "+made.Text)
	if response, body := call(t, http.DefaultClient, "POST", url, question, header); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	if _, err := admin.Revoke(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]http.Header{"revoked": header, "without": asJSON} {
		response, body := call(t, http.DefaultClient, "POST", url, question, with(header, "X-Request-Id", "17"))
		if response.StatusCode != 401 || response.Header.Get("WWW-Authenticate") == "" || response.Header.Get("X-Request-Id") != "17" || strings.Contains(body, "decision\":") {
			t.Errorf("%s: %d %v %s", name, response.StatusCode, response.Header, body)
		}
	}
}

func TestProbesNeedNoTokenAndMetricsDo(t *testing.T) {
	c := local(t)
	c.Auth.Mode = config.AuthToken
	url := start(t, c).urls[0]
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 401, "/access/v1/evaluations": 401} {
		if response, body := call(t, http.DefaultClient, "GET", url+path, "", nil); response.StatusCode != want {
			t.Errorf("%s: %d, want %d: %s", path, response.StatusCode, want, body)
		}
	}
}

// S41
func TestOversizedRequestsAreRefused(t *testing.T) {
	url := start(t, local(t)).urls[0] + "/access/v1/evaluation"
	long := strings.Repeat("x", 64<<10)
	if response, _ := call(t, http.DefaultClient, "POST", url, question, with(asJSON, "X-Long", long)); response.StatusCode != 431 {
		t.Errorf("long header: %d, want 431", response.StatusCode)
	}
	body := strings.Replace(question, "carl", long, 1)
	if response, _ := call(t, http.DefaultClient, "POST", url, body, asJSON); response.StatusCode != 413 {
		t.Errorf("long body: %d, want 413", response.StatusCode)
	}
}

func TestTLS(t *testing.T) {
	c := local(t)
	folder := t.TempDir()
	c.TLS = config.TLS{CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	roots := writeCertificate(t, c.TLS)
	url := start(t, c).urls[0]
	if !strings.HasPrefix(url, "https://") {
		t.Fatalf("URL %s", url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if response, body := call(t, client, "POST", url+"/access/v1/evaluation", question, asJSON); body != `{"decision":true}` {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if response, _ := call(t, http.DefaultClient, "GET", "http"+strings.TrimPrefix(url, "https")+"/livez", "", nil); response.StatusCode == 200 {
		t.Error("plain HTTP is answered on the TLS port")
	}
}

// One server answers on both listeners; the socket's must not cost the other one
// HTTP/2, which clients that speak TLS choose.
func TestTLSBesideASocketSpeaksHTTP2(t *testing.T) {
	c := local(t)
	folder := t.TempDir()
	c.Listen.Socket = filepath.Join(folder, "s")
	c.TLS = config.TLS{CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	roots := writeCertificate(t, c.TLS)
	url := start(t, c).urls[0]
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	response, body := call(t, client, "POST", url+"/access/v1/evaluation", question, asJSON)
	if body != `{"decision":true}` || response.ProtoMajor != 2 {
		t.Errorf("%s %s %s", response.Proto, response.Status, body)
	}
}

// writeCertificate makes a certificate for 127.0.0.1 and returns who trusts it.
func writeCertificate(t *testing.T, files config.TLS) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{files.CertFile: {Type: "CERTIFICATE", Bytes: der}, files.KeyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(certificate)
	return pool
}

// What cannot be opened refuses the start with one error that says what, and
// leaves nothing behind.
func TestRefusedStarts(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(t *testing.T, c *config.Config)
		want string
	}{
		{"policy folder that is not there", func(_ *testing.T, c *config.Config) { c.Policies = "absent" }, "open policy folder"},
		{"policy that is not sound", func(t *testing.T, c *config.Config) { c.Policies = t.TempDir() }, "catalogue.yaml: "},
		{"data folder that is a file", func(t *testing.T, c *config.Config) {
			if err := os.WriteFile(c.Data, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "open directory"},
		{"address of another machine", func(_ *testing.T, c *config.Config) { c.Listen.Address = "192.0.2.1:0" }, "listen on 192.0.2.1:0"},
		{"key that is not there", func(_ *testing.T, c *config.Config) { c.TLS = config.TLS{CertFile: "c", KeyFile: "k"} }, "tls.cert_file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := local(t)
			settings.Listen.Socket = filepath.Join(t.TempDir(), "s")
			c.set(t, &settings)
			var log bytes.Buffer
			err := server.Run(t.Context(), settings, server.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if strings.Contains(log.String(), "serving") {
				t.Errorf("it claims to serve: %s", log.String())
			}
			if _, err := os.Lstat(settings.Listen.Socket); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a socket was left: %v", err)
			}
		})
	}
}

func TestFaultsOfAPolicyAreNamedWithTheirFolder(t *testing.T) {
	folder := t.TempDir()
	_, err := server.LoadPolicy(folder)
	list, ok := errors.AsType[fault.List](err)
	if !ok {
		t.Fatalf("error %v is no fault.List", err)
	}
	for _, f := range list {
		if !strings.HasPrefix(f.File, folder+"/") {
			t.Errorf("fault in %s, not below %s", f.File, folder)
		}
	}
}

func TestBuildMakesNoDirectoryWhereOneMustBe(t *testing.T) {
	c := local(t)
	if _, err := server.Build(t.Context(), c, server.Options{Log: slog.New(slog.DiscardHandler), MustExist: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(c.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data folder was made: %v", err)
	}
}

func TestReadyzWhenTheDirectoryIsGone(t *testing.T) {
	s, err := server.Build(t.Context(), local(t), server.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.Head(t.Context()); !errors.Is(err, directory.ErrUnavailable) {
		t.Fatalf("closed store: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.Handler}
	go func() { _ = srv.Serve(listener) }()
	defer srv.Close()
	url := "http://" + listener.Addr().String()
	if response, body := call(t, http.DefaultClient, "GET", url+"/readyz", "", nil); response.StatusCode != 503 || !strings.Contains(body, `"part":"directory"`) {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if response, body := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, asJSON); response.StatusCode != 503 || strings.Contains(body, "decision\":") {
		t.Errorf("a question: %d %s", response.StatusCode, body)
	}
}
