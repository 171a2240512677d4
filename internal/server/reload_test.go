package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/server"
	"doorward/policies"
)

// edited is a server with a policy folder of its own.
type edited struct {
	t      *testing.T
	url    string
	folder string
	file   string // of the presets
	lines  []byte // the shipped ones
}

// editable is a policy folder without tables, and a configuration with it.
func editable(t *testing.T) config.Config {
	t.Helper()
	c := local(t)
	c.Policies = filepath.Join(t.TempDir(), "policies")
	if err := errors.Join(os.CopyFS(c.Policies, policies.FS), os.RemoveAll(filepath.Join(c.Policies, "tests"))); err != nil {
		t.Fatal(err)
	}
	return c
}

func startEdited(t *testing.T) *edited { return startWith(t, editable(t)) }

func startWith(t *testing.T, c config.Config) *edited {
	t.Helper()
	e := &edited{t: t, folder: c.Policies, file: filepath.Join(c.Policies, "presets", "presets.csv")}
	e.lines = e.read()
	e.url = start(t, c).urls[0]
	return e
}

func (e *edited) read() []byte {
	e.t.Helper()
	data, err := os.ReadFile(e.file)
	if err != nil {
		e.t.Fatal(err)
	}
	return data
}

func (e *edited) write(data []byte) {
	e.t.Helper()
	if err := os.WriteFile(e.file, data, 0o600); err != nil {
		e.t.Fatal(err)
	}
}

func (e *edited) get(path string) string {
	e.t.Helper()
	response, body := call(e.t, http.DefaultClient, "GET", e.url+path, "", nil)
	if response.StatusCode != 200 {
		e.t.Fatalf("%s: %d %s", path, response.StatusCode, body)
	}
	return body
}

func (e *edited) ready() server.Readiness {
	e.t.Helper()
	var r server.Readiness
	if err := json.Unmarshal([]byte(e.get("/readyz")), &r); err != nil {
		e.t.Fatal(err)
	}
	return r
}

func (e *edited) carlPays() bool {
	e.t.Helper()
	response, body := call(e.t, http.DefaultClient, "POST", e.url+"/access/v1/evaluation", question, asJSON)
	if response.StatusCode != 200 {
		e.t.Fatalf("a question failed: %d %s", response.StatusCode, body)
	}
	return body == `{"decision":true}`
}

// within waits for a condition.
func (e *edited) within(limit time.Duration, what string, holds func() bool) {
	e.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); !holds(); <-ticker.C {
		if time.Since(begin) > limit {
			e.t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// live is how long to wait for a change to be in force. It takes a quarter of a
// second; a busy machine under the race detector is given more.
const live = 30 * time.Second

func TestAPresetLineEditedWhileServing(t *testing.T) {
	e := startEdited(t)
	before := e.ready().Policy
	if !e.carlPays() {
		t.Fatal("Carl cannot pay to begin with")
	}
	e.write(bytes.Replace(e.lines, []byte("p, billing, invoices, allow\n"), nil, 1))
	e.within(live, "Carl's answer changes", func() bool { return !e.carlPays() })
	after := e.ready()
	if after.Policy == before || after.Warnings != nil {
		t.Errorf("%+v", after)
	}
	metrics := e.get("/metrics")
	for _, want := range []string{
		`doorward_policy_info{digest="` + after.Policy + `"} 1`, "doorward_policy_generation 2", "doorward_policy_stale 0",
		`doorward_policy_reloads_total{result="applied"} 1`, `doorward_policy_reloads_total{result="refused"} 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	e.write(e.lines)
	e.within(live, "Carl's answer changes back", e.carlPays)
}

func TestAMisspeltDenyIsRefusedWithItsLineWhileServing(t *testing.T) {
	e := startEdited(t)
	before := e.ready().Policy
	e.write(append(bytes.Clone(e.lines), strings.Repeat("p, billing, invoices, denny\n", 7)...))
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	r := e.ready()
	if r.Status != server.Ready || r.Policy != before || !e.carlPays() {
		t.Errorf("%+v; Carl pays: %t", r, e.carlPays())
	}
	line := bytes.Count(e.lines, []byte("\n")) + 1
	w := r.Warnings[0]
	if w.Part != "policy" || len(w.Faults) != 5 || w.Faults[0].File != "presets/presets.csv" || w.Faults[0].Line != line {
		t.Errorf("%+v, want five faults from line %d on", w, line)
	}
	metrics := e.get("/metrics")
	for _, want := range []string{`doorward_policy_info{digest="` + before, "doorward_policy_stale 1", `doorward_policy_reloads_total{result="refused"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	e.write(e.lines)
	e.within(live, "no warning", func() bool { return e.ready().Warnings == nil })
	if r := e.ready(); r.Policy != before {
		t.Errorf("%+v", r)
	}
}

// The signal makes a server load the folder though nothing changed, and ends
// neither it nor the process.
func TestSIGHUPLoadsTheFolderAgain(t *testing.T) {
	e := startEdited(t)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.within(live, "a reload", func() bool {
		return strings.Contains(e.get("/metrics"), `doorward_policy_reloads_total{result="unchanged"} 1`)
	})
	if metrics := e.get("/metrics"); !strings.Contains(metrics, "doorward_policy_generation 1\n") {
		t.Error("an equal policy was put in use")
	}
}

// What /readyz shows to everybody holds no path of the machine.
func TestWarningsNameNoPathOfTheMachine(t *testing.T) {
	e := startEdited(t)
	folder := e.folder
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	if body := e.get("/readyz"); strings.Contains(body, filepath.Dir(folder)) || strings.Contains(body, "no such file") {
		t.Error(body)
	}
	if w := e.ready().Warnings[0]; w.Faults != nil { // it cannot even be read
		t.Errorf("%+v", w)
	}
	if !e.carlPays() {
		t.Error("the last good policy does not serve")
	}
}
