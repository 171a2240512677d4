package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/internal/config"
	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/server"
)

// S42: whatever a file, a server or a person wrote, it cannot steer the terminal
// or show something other than what is there.
func TestForeignTextCannotSteerTheTerminal(t *testing.T) {
	answer, err := ijson.Parse([]byte(`{"reason":"\u001b[2Jx\r\nallow","\u202ename":["\u009b31m","\u2066"]}`))
	if err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	p := &Process{Stdout: &out, Stderr: &messages}
	if err := p.printAnswer(false, answer); err != nil {
		t.Fatal(err)
	}
	if want := "deny\nreason: [2Jxallow\nname: [\"\\u009b31m\",\"\\u2066\"]\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	p.report(usagef("no account \x1b]0;owned\x07 \u202egnp"))
	if want := "doorward: no account ]0;owned gnp\n"; messages.String() != want {
		t.Errorf("printed %q, want %q", messages.String(), want)
	}
}

// A directory is trusted by the certificates that are named.
func TestADirectoryOverTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	ca, none := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "none.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	for file, text := range map[string][]byte{ca: certificate, none: []byte("no certificate")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(file string) error {
		c, err := (&remote{address: srv.URL, caFile: file}).dial()
		if err != nil {
			return err
		}
		_, _, err = c.do(t.Context(), http.MethodGet, "/v1/gates", nil)
		return err
	}
	if err := asked(ca); err != nil {
		t.Error(err)
	}
	if err := asked(""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("trusted by nobody: %v", err)
	}
	if err := asked(none); statusOf(err) != statusUsage {
		t.Errorf("no certificate: %v", err)
	}
	if err := asked(ca + "?"); statusOf(err) != statusFailure {
		t.Errorf("no file: %v", err)
	}
}

func TestAnAnswerThatIsNotDoorwardsIsNoDecision(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   int
	}{
		{200, `{"decision":true}`, 0},
		{200, `{"decision":false}`, 4},
		{200, `{"decision":"true"}`, 1},
		{200, `{"decision":1}`, 1},
		{200, `{}`, 1},
		{200, `<html>`, 1},
		{200, `{"decision":false,"decision":true}`, 1},
		{302, `{"decision":true}`, 1},
		{400, `{"title":"The request is not valid","detail":"d"}`, 2},
		{503, `{"decision":true}`, 1},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		var out bytes.Buffer
		got := Main(t.Context(), Process{
			Args:   []string{"decide", "user:a", "invoice.pay", "account:b", "--server", srv.URL},
			Stdout: &out, Stderr: io.Discard,
		})
		srv.Close()
		if got != c.want || (got != 0) == strings.Contains(out.String(), "allow") {
			t.Errorf("%d %s: exit status %d, want %d; printed %q", c.status, c.body, got, c.want, out.String())
		}
	}
}

// health trusts exactly the certificate that the server is set up with.
func TestHealthPinsTheCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"ready"}`)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	c := config.Default()
	c.Listen.Address = srv.Listener.Addr().String()
	pair := srv.TLS.Certificates[0]
	c.TLS = writePair(t, pair.Certificate[0], pair.PrivateKey)
	asked, err := fromSettings(c)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := asked.do(t.Context(), "GET", "/readyz", nil); err != nil || status != 200 {
		t.Errorf("status %d, error %v", status, err)
	}
	other := newClient("https://"+c.Listen.Address, &http.Transport{TLSClientConfig: pinned([]byte("another"))})
	if _, _, err := other.do(t.Context(), "GET", "/readyz", nil); err == nil || !strings.Contains(err.Error(), "another certificate") {
		t.Errorf("error %v, want another certificate", err)
	}
}

func writePair(t *testing.T, certificate []byte, key any) config.TLS {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := config.TLS{CertFile: filepath.Join(folder, "c"), KeyFile: filepath.Join(folder, "k")}
	for file, block := range map[string]*pem.Block{files.CertFile: {Type: "CERTIFICATE", Bytes: certificate}, files.KeyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Who asks by hand whether all is well sees what to mend, though it is ready.
func TestHealthShowsWarnings(t *testing.T) {
	var out bytes.Buffer
	p := &Process{Stdout: &out}
	err := p.printReadiness(server.Readiness{Status: server.Ready, Policy: "d", Position: "7-ab", Version: "v", Warnings: []server.Warning{{
		Part: "policy", Detail: "the folder does not load",
		Faults: []fault.Fault{{File: "presets/presets.csv", Line: 3, Column: 5, Message: "\x1b[2Jdenny is no effect"}},
	}}})
	want := "ready\npolicy: d\nposition: 7-ab\nversion: v\n" +
		"warning: policy: the folder does not load\n  presets/presets.csv:3:5: [2Jdenny is no effect\n"
	if err != nil || out.String() != want {
		t.Errorf("%v, printed %q, want %q", err, out.String(), want)
	}
}
