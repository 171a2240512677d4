package server_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/portal"
)

// entities.yaml may be edited while it is served: somebody who is added may, and a
// property that no rule reads leaves the last good policy in force, with its line.
func TestEntitiesEditedWhileServing(t *testing.T) {
	c := local(t)
	c.Policies = filepath.Join(t.TempDir(), "records")
	file := filepath.Join(c.Policies, "entities.yaml")
	if err := errors.Join(os.CopyFS(c.Policies, os.DirFS("../../policies/examples/certification")), os.RemoveAll(filepath.Join(c.Policies, "tests"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e := &edited{t: t, file: file, lines: text, url: startPrepared(t, c, nil).urls[0]}
	carol := func() bool {
		_, got := call(t, http.DefaultClient, "POST", e.url+evaluation, body(`"subject":{"type":"user","id":"carol"}`, toWrite, record1), asJSON)
		return got == `{"decision":true}`
	}
	before := e.ready().Policy
	if carol() {
		t.Fatal("carol is unknown, and may")
	}
	more := strings.Replace(string(text), "    alice: {}\n", "    alice: {}\n    carol: {}\n", 1)
	e.write([]byte(more))
	e.within(live, "carol may", carol)
	if e.ready().Policy == before {
		t.Error("another entity, the same digest")
	}
	e.write([]byte(strings.Replace(more, "bob: {role", "bob: {rolle", 1)))
	e.within(live, "a warning", func() bool { return e.ready().Warnings != nil })
	if w := e.ready().Warnings[0]; len(w.Faults) != 1 || w.Faults[0].File != "entities.yaml" || w.Faults[0].Line != 7 || !carol() {
		t.Errorf("%+v", w)
	}
}

// A client that is limited to accounts learns nothing of entities, whichever account it
// names; one that is limited to types may ask about those (S18).
func TestALimitedClientAndEntities(t *testing.T) {
	c := local(t)
	c.Auth.Mode, c.Decision.Timeout, c.Policies = config.AuthToken, time.Minute, "../../policies/examples/certification"
	reseller, byType := limited(t, c, portal.Limits{Accounts: []portal.AccountID{"acme"}}), limited(t, c, portal.Limits{Types: []string{"record"}})
	url := startPrepared(t, c, nil).urls[0]
	const inAcme = `"context":{"account":"acme"}`
	for _, q := range []struct {
		header     http.Header
		path, body string
		status     int
		want       string
	}{
		{reseller, evaluation, body(alice, toRead, record1), 403, ""},
		{reseller, evaluation, body(alice, toRead, record1, inAcme), 200, `{"decision":false,"context":{"reason":"bad_input"}}`},
		{reseller, evaluation, body(alice, toRead, `"resource":{"type":"account","id":"acme"}`), 200, `{"decision":false,"context":{"reason":"bad_input"}}`},
		{reseller, evaluation + "?explain", body(alice, toRead, record1, inAcme), 200, `"changes":[]`},
		{reseller, searchSubject, body(anyUser, toRead, record1), 403, ""},
		{reseller, searchSubject, body(anyUser, toRead, record1, inAcme), 200, `{"results":[]}`},
		{reseller, searchResource, body(alice, toRead, anyRecord), 200, `{"results":[]}`},
		{reseller, searchResource, body(alice, toRead, anyRecord, inAcme), 200, `{"results":[]}`},
		{reseller, searchAction, body(alice, record1, inAcme), 200, `{"results":[]}`},
		{byType, evaluation, body(alice, toRead, record1), 200, `{"decision":true}`},
		{byType, searchResource, body(alice, toRead, anyRecord), 200, `{"results":[{"type":"record","id":"record-1"},{"type":"record","id":"record-2"}]}`},
		{byType, evaluation, body(alice, toRead, `"resource":{"type":"spaceship","id":"record-1"}`), 403, ""},
	} {
		response, got := call(t, http.DefaultClient, "POST", url+q.path, q.body, q.header)
		if response.StatusCode != q.status || !strings.Contains(got, q.want) || q.status == 403 && strings.Contains(got, "decision\":") {
			t.Errorf("%s %s: %d %s", q.path, q.body, response.StatusCode, got)
		}
	}
}
