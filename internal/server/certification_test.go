package server_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/config"
)

// The certification scenario of the AuthZEN Authorization API 1.0, every section a test
// against a running server over TLS with the scenario's fixture as its policy. Sections
// are those of certification/authorization-api-1_0-scenario.md in openid/authzen, as
// merged on 2026-06-25.

// A pdp is a decision point to certify.
type pdp struct {
	url    string
	client *http.Client
}

// startExample serves one of policies/examples over TLS under its public URL, with an
// empty directory and with changes of the configuration.
func startExample(t *testing.T, folder string, changes ...func(*config.Config)) pdp {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := local(t)
	c.Listen.Address = free.Addr().String()
	c.PublicURL = "https://" + c.Listen.Address
	c.Policies = filepath.Join("../../policies/examples", folder)
	c.Policy.FailingTables = config.RefuseFailing
	c.Decision.Timeout = time.Minute // this is not about speed
	keys := t.TempDir()
	c.TLS = config.TLS{CertFile: filepath.Join(keys, "cert.pem"), KeyFile: filepath.Join(keys, "key.pem")}
	roots := writeCertificate(t, c.TLS)
	for _, change := range changes {
		change(&c)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	if urls := startPrepared(t, c, nil).urls; urls[0] != c.PublicURL {
		t.Fatalf("it answers on %v", urls)
	}
	return pdp{c.PublicURL, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}}
}

// The default paths (c-2-1, c-3-1, c-4-1).
const (
	evaluation     = "/access/v1/evaluation"
	evaluations    = "/access/v1/evaluations"
	searchSubject  = "/access/v1/search/subject"
	searchResource = "/access/v1/search/resource"
	searchAction   = "/access/v1/search/action"
)

// A section is one request of a section of the scenario, and what must come of it.
type section struct {
	id   string
	path string
	body string
	// must tells what is wrong with the answer; "" when nothing is.
	must func(t *testing.T, p pdp, a answer) string
}

// An answer is one from the decision point.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any // nil when it is no object
}

// requestID is sent with every request, to come back as it is (c-2-5-1, c-5).
const requestID = "cert 1; a=b, {c}"

func (p pdp) post(t *testing.T, path, body string, header http.Header) answer {
	t.Helper()
	if header == nil {
		header = with(asJSON, "X-Request-Id", requestID)
	}
	response, text := call(t, p.client, http.MethodPost, p.url+path, body, header)
	a := answer{status: response.StatusCode, header: response.Header, text: text}
	_ = json.Unmarshal([]byte(text), &a.json)
	return a
}

// certify sends the requests and checks, besides what each is about, what is required of
// every answer (c-2-3, c-2-5-1, c-5).
func certify(t *testing.T, p pdp, sections []section) {
	t.Helper()
	for _, s := range sections {
		t.Run(s.id, func(t *testing.T) {
			a := p.post(t, s.path, s.body, nil)
			if got := a.header.Get("X-Request-Id"); got != requestID {
				t.Errorf("X-Request-ID %q", got)
			}
			if wrong := wellFormed(a); wrong != "" {
				t.Errorf("%s: %s", a.text, wrong)
			}
			if wrong := s.must(t, p, a); wrong != "" {
				t.Errorf("%s: got %d %s", wrong, a.status, a.text)
			}
		})
	}
}

// wellFormed tells what is wrong with the form of an answer (c-2-3, c-3-3-3, c-5).
func wellFormed(a answer) string {
	if a.status != http.StatusOK {
		if _, decides := a.json["decision"]; decides {
			return "an error carries a decision"
		}
		return ""
	}
	if typ, _, err := mime.ParseMediaType(a.header.Get("Content-Type")); err != nil || typ != "application/json" {
		return "Content-Type " + a.header.Get("Content-Type")
	}
	decisions := []any{a.json}
	if _, searched := a.json["results"]; searched {
		decisions = nil
	}
	if list, ok := a.json["evaluations"].([]any); ok {
		decisions = list
	}
	for _, d := range decisions {
		members, _ := d.(map[string]any)
		context, given := members["context"]
		_, isObject := context.(map[string]any)
		if _, ok := members["decision"].(bool); !ok || given && !isObject {
			return "no decision, or a context that is no object"
		}
	}
	return ""
}

// refused tells that a request is an error.
func refused(_ *testing.T, _ pdp, a answer) string {
	if a.status != http.StatusBadRequest {
		return "want 400"
	}
	return ""
}

// decides wants one decision.
func decides(want bool) func(*testing.T, pdp, answer) string {
	return func(_ *testing.T, _ pdp, a answer) string {
		_, batch := a.json["evaluations"]
		if a.status != http.StatusOK || a.json["decision"] != want || batch {
			return fmt.Sprintf("want decision %t", want)
		}
		return ""
	}
}

// decidesEach wants so many decisions in that order, and none beside them (c-3-3).
func decidesEach(want ...bool) func(*testing.T, pdp, answer) string {
	return func(_ *testing.T, _ pdp, a answer) string {
		var got []bool
		list, _ := a.json["evaluations"].([]any)
		for _, item := range list {
			members, _ := item.(map[string]any)
			got = append(got, members["decision"] == true)
		}
		if _, top := a.json["decision"]; a.status != http.StatusOK || top || !slices.Equal(got, want) {
			return fmt.Sprintf("want decisions %v", want)
		}
		return ""
	}
}

// resultsOf are the results of a search, as compact JSON: compared whole, because an added
// member makes an entity another one to a harness.
func resultsOf(a answer) (results []string, ok bool) {
	list, ok := a.json["results"].([]any)
	for _, item := range list {
		text, _ := json.Marshal(item)
		results = append(results, string(text))
	}
	return results, ok && a.status == http.StatusOK
}

// finds wants these results and no others.
func finds(want ...string) func(*testing.T, pdp, answer) string {
	return func(t *testing.T, p pdp, a answer) string {
		t.Helper()
		got, ok := resultsOf(a)
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			return fmt.Sprintf("want %v", want)
		}
		return ""
	}
}

// entity and named are results as resultsOf has them.
func entity(typ, id string) string { return fmt.Sprintf(`{"id":%q,"type":%q}`, id, typ) }
func named(name string) string     { return fmt.Sprintf(`{"name":%q}`, name) }

// Members of requests, written as the scenario writes them.
const (
	alice     = `"subject":{"type":"user","id":"alice"}`
	bob       = `"subject":{"type":"user","id":"bob"}`
	bobAdmin  = `"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`
	toRead    = `"action":{"name":"read"}`
	toWrite   = `"action":{"name":"write"}`
	record1   = `"resource":{"type":"record","id":"record-1"}`
	record2   = `"resource":{"type":"record","id":"record-2"}`
	active1   = `"resource":{"type":"record","id":"record-1","properties":{"status":"active"}}`
	archived2 = `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	around    = `"context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}`
)

// body is a request of members.
func body(members ...string) string { return "{" + strings.Join(members, ",") + "}" }
