package server_test

import (
	"net/http"
	"testing"

	"doorward/internal/config"
)

// What the OpenID Foundation's conformance suite (openid-certification/conformance-suite
// at 12f2a4d, 2026-08-20) asks beyond the scenario. It also merges defaults inside an
// entity, which the scenario's c-3-2-7 excludes (openid/authzen #640); not so here.
func TestConformanceSuite(t *testing.T) {
	p := startExample(t, "certification")
	options := func(semantic string) string { return `"options":{"evaluations_semantic":"` + semantic + `"}` }
	certify(t, p, []section{
		{"read of record-2", evaluation, body(alice, toRead, record2), decides(true)},
		{"only item without subject", evaluations, `{"evaluations":[` + body(toRead, record1) + `]}`, decidesEach(false)},
		{"deny_on_first_deny", evaluations, body(bob, record1, options("deny_on_first_deny"), `"evaluations":[{`+toRead+`},{`+toWrite+`},{`+toRead+`}]`), decidesEach(true, false)},
		{"permit_on_first_permit", evaluations, body(bob, record1, options("permit_on_first_permit"), `"evaluations":[{`+toWrite+`},{`+toRead+`},{`+toWrite+`}]`), decidesEach(false, true)},
		{"nothing ends it", evaluations, body(bob, record1, options("permit_on_first_permit"), `"evaluations":[{`+toWrite+`},{`+toWrite+`}]`), decidesEach(false, false)},
		{"unknown semantic", evaluations, body(bob, record1, options("first_come"), `"evaluations":[{`+toRead+`}]`), refused},
		{"semantic of another type", evaluations, body(bob, record1, `"options":{"evaluations_semantic":1}`, `"evaluations":[{`+toRead+`}]`), refused},
		{"evaluations of another type", evaluations, body(bob, record1, toRead, `"evaluations":{}`), refused},
		{"default of another type", evaluations, body(`"subject":"bob"`, record1, `"evaluations":[{`+toRead+`}]`), refused},
		{"name of another case", evaluation, body(`"Subject":{"type":"user","id":"alice"}`, toRead, record1), refused},
	})
	for path, request := range map[string]string{
		evaluation:     body(bob, toWrite, record1),
		evaluations:    body(bob, record1, `"evaluations":[{`+toRead+`},{`+toWrite+`},{"action":{}}]`),
		searchSubject:  body(anyUser, toRead, record1, `"page":{"limit":1}`),
		searchResource: body(alice, toRead, anyRecord, `"page":{"limit":1}`),
		searchAction:   body(bobAdmin, archived2),
	} {
		first := p.post(t, path, request, nil)
		for range 2 {
			if again := p.post(t, path, request, nil); again.text != first.text || first.status != http.StatusOK {
				t.Errorf("%s: %d %s, then %s", path, first.status, first.text, again.text)
			}
		}
	}
}

// The suite reads the metadata without credentials, also where all else needs a token.
func TestDiscoveryNeedsNoToken(t *testing.T) {
	p := startExample(t, "certification", func(c *config.Config) { c.Auth.Mode = config.AuthToken })
	if response, text := call(t, p.client, http.MethodGet, p.url+"/.well-known/authzen-configuration", "", nil); response.StatusCode != http.StatusOK {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	for _, path := range []string{evaluation, evaluations, searchSubject, searchResource, searchAction} {
		if a := p.post(t, path, body(alice, toRead, record1), nil); a.status != http.StatusUnauthorized ||
			a.header.Get("WWW-Authenticate") == "" || a.header.Get("X-Request-Id") != requestID || wellFormed(a) != "" {
			t.Errorf("%s: %d %v %s", path, a.status, a.header, a.text)
		}
	}
}
