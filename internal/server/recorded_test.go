package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/decisionlog"
	"doorward/internal/demo"
	"doorward/internal/directory/pgtest"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/spool"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/token"
)

// runAs runs a process of a role. said is what it logs: texts of JSON.
func runAs(t *testing.T, role config.Role, c config.Config, said io.Writer) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, started := &running{stop: stop, ended: make(chan error, 1)}, make(chan []string, 1)
	go func() {
		r.ended <- server.Run(ctx, c, server.Options{
			Role: role, Log: slog.New(slog.NewJSONHandler(said, nil)), Version: "test", Started: func(urls []string) { started <- urls },
			Prepare: func(ctx context.Context, s *server.Service) (err error) {
				if s.Store != nil {
					_, err = demo.Load(ctx, s.Store, s.Policy.Catalogue, s.Policy.Presets)
				}
				return err
			},
		})
		close(r.ended)
	}()
	select {
	case r.urls = <-started:
	case err := <-r.ended:
		t.Fatalf("%s did not start: %v", role, err)
	}
	t.Cleanup(func() { stop(); <-r.ended })
	return r
}

// runDirectory runs a directory with the demo portal, and says where it answers sidecars.
func runDirectory(t *testing.T, c config.Config) (d *running, gates string) {
	t.Helper()
	said := &spoken{}
	c.Gates.Address = "127.0.0.1:0"
	d = runAs(t, config.DirectoryProcess, c, said)
	return d, regexp.MustCompile(`"serving sidecars","urls":\["([^"]+)`).FindStringSubmatch(said.String())[1]
}

// spoken is what a process has logged.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// sidecarOfOne is how a sidecar of the directory with these settings is set up.
func sidecarOfOne(t *testing.T, c config.Config, gates string) config.Config {
	t.Helper()
	made, err := (&token.Admin{Store: elsewhere(t, c), Now: time.Now, Actor: "cli:test"}).CreateLimited(t.Context(), "edge", []string{"gate"}, portal.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := local(t)
	s.Decision.Timeout, s.Gate.Label, s.Directory.URLs = time.Minute, "edge-1", config.List{gates}
	s.Directory.TokenFile = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(s.Directory.TokenFile, []byte(made.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// answered asks until the process is ready.
func answered(t *testing.T, r *running, path, body string) (status int, answer string) {
	t.Helper()
	(&edited{t: t}).within(live, "it is ready", func() bool {
		response, _ := call(t, http.DefaultClient, "GET", r.urls[0]+"/readyz", "", nil)
		return response.StatusCode == http.StatusOK
	})
	response, answer := call(t, http.DefaultClient, "POST", r.urls[0]+path, body, asJSON)
	return response.StatusCode, answer
}

// decided is what the directory has kept, as far as it can be read.
func decided(t *testing.T, c config.Config) (all []string) {
	t.Helper()
	store, err := server.OpenDirectory(t.Context(), c, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = server.Records(t.Context(), store, time.Time{}, func(k barrier.Kept) error {
		d, err := decisionlog.Read(k.Data)
		if err != nil {
			return err
		}
		by, _, _ := strings.Cut(d.By, " ")
		all = append(all, fmt.Sprintf("%s: %s %s %s of %s: %v%s", by, d.Subject, d.Action, d.Resource, d.Account, d.Decision, d.Reason))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func asking(action string) string {
	return `{"subject":{"type":"user","id":"carl"},"action":{"name":"` + action + `"},"resource":{"type":"service","id":"s1","properties":{"account":"acme","secret":"hush"}}}`
}

// invariant 13, R16: whatever process answers about a sensitive action, the directory has it
// soon, each once, in SQLite and in PostgreSQL. What else is asked leaves nothing.
func TestSensitiveDecisionsReachTheDirectory(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *config.Config){
		"SQLite": func(*testing.T, *config.Config) {}, "PostgreSQL": inPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			c := local(t)
			c.Decision.Timeout = time.Minute
			set(t, &c)
			d, gates := runDirectory(t, c)
			s := sidecarOfOne(t, c, gates)
			edge := runAs(t, config.Sidecar, s, io.Discard)
			if info, err := os.Stat(filepath.Join(s.Data, "spool")); err != nil || info.Mode() != fs.ModeDir|0o700 {
				t.Errorf("the folder is %v, %v", info, err)
			}
			batch := `{"evaluations":[` + asking("invoice.view") + `,` + asking("password.reveal") + `,` + asking("service.cancel") + `]}`
			for _, q := range []struct {
				at         *running
				path, body string
			}{
				{edge, evaluation, asking("password.reveal")}, {edge, evaluation, asking("invoice.view")}, {edge, evaluations, batch},
				{edge, evaluation + "?explain", asking("password.reveal")},
				{edge, "/access/v1/search/action", `{"subject":{"type":"user","id":"carl"},"resource":{"type":"account","id":"acme"}}`},
			} {
				if status, text := answered(t, q.at, q.path, q.body); status != http.StatusOK {
					t.Fatalf("%s: %d %s", q.path, status, text)
				}
			}
			password, cancel := "user:carl password.reveal service:s1 of acme: falsecategory_missing", "user:carl service.cancel service:s1 of acme: falsecategory_missing"
			want := []string{"edge-1: " + password, "edge-1: " + password, "edge-1: " + cancel}
			(&edited{t: t}).within(live, "the directory has them", func() bool { return len(decided(t, c)) >= len(want) })
			if status, text := answered(t, d, evaluation, asking("password.reveal")); status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
			want = append(want, "directory: "+password)
			if got := decided(t, c); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got %q\nwant %q", got, want)
			}
			_, metrics := call(t, http.DefaultClient, "GET", edge.urls[0]+"/metrics", "", nil)
			if !strings.Contains(metrics, "\ndoorward_gate_spool_records 0\n") {
				t.Error("something waits for the directory still")
			}
		})
	}
}

// inPostgres has the directory in a database of PostgreSQL.
func inPostgres(t *testing.T, c *config.Config) {
	t.Helper()
	cluster, err := pgtest.New("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Database.URLFile = filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(c.Database.URLFile, []byte(cluster.DSN(cluster.Database(t))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// R16: while nobody takes them decisions wait on disk, and outlive the process; when there
// is no more room, sensitive actions are 503, and nothing else is.
func TestAFullSpoolRefusesSensitiveActionsAlone(t *testing.T) {
	c := local(t)
	c.Decision.Timeout, c.Drain.Timeout = time.Minute, 100*time.Millisecond
	_, gates := runDirectory(t, c)
	s := sidecarOfOne(t, c, gates)
	edge := runAs(t, config.Sidecar, s, io.Discard)
	answered(t, edge, evaluation, asking("invoice.view"))
	edge.stop()
	if err := <-edge.ended; err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Data, "spool", "decisions")
	disk, err := spool.Open(path, int64(s.Gate.SpoolBytes))
	if err != nil {
		t.Fatal(err)
	}
	waiting := fmt.Appendf(nil, `{"time":"2026-08-01T10:00:00Z","by":"edge-1","subject":"user:eve","action":"a","resource":"account:x","decision":true,"policy":"","position":""}`)
	if err := disk.Add(waiting); err != nil {
		t.Fatal(err)
	}
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
	s.Gate.SpoolBytes = 300 // of a size that settings cannot have
	edge = runAs(t, config.Sidecar, s, io.Discard)
	(&edited{t: t}).within(live, "the directory has what waited", func() bool { return len(decided(t, c)) == 1 })
	status, text := answered(t, edge, evaluation, asking("password.reveal"))
	if status != http.StatusServiceUnavailable || !strings.Contains(text, "problem:not_recorded") {
		t.Errorf("a sensitive action: %d %s", status, text)
	}
	if status, text := answered(t, edge, evaluation, asking("invoice.view")); status != http.StatusOK {
		t.Errorf("another: %d %s", status, text)
	}
	status, text = answered(t, edge, evaluations, `{"evaluations":[`+asking("password.reveal")+`,`+asking("invoice.view")+`]}`)
	if status != http.StatusOK || !strings.HasPrefix(text, `{"evaluations":[{"decision":false,"context":{"error":{"status":503,`) || strings.Count(text, "503") != 1 {
		t.Errorf("a batch: %d %s", status, text)
	}
}

// A sidecar that cannot keep anything does not start: half of its answers would be 503.
func TestASidecarNeedsItsSpool(t *testing.T) {
	c := local(t)
	s := sidecarOfOne(t, startStopped(t, c), "http://127.0.0.1:9")
	edge := runAs(t, config.Sidecar, s, io.Discard)
	defer edge.stop()
	for name, folder := range map[string]string{"in use": filepath.Join(s.Data, "spool"), "no folder": filepath.Join(s.Directory.TokenFile, "spool")} {
		second := s
		second.Gate.Spool = folder
		err := server.Run(t.Context(), second, server.Options{Role: config.Sidecar, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "spool") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// startStopped makes a directory.
func startStopped(t *testing.T, c config.Config) config.Config {
	t.Helper()
	r := start(t, c)
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	return c
}
