package server_test

import (
	"net/http"
	"strings"
	"testing"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// promote sends a bundle to a directory.
func promote(t *testing.T, d *process, data string, header http.Header) (status int, answer string) {
	t.Helper()
	response, text := call(t, http.DefaultClient, "PUT", d.url+"/v1/policy", data, with(header, "Content-Type", "application/gzip"))
	return response.StatusCode, text
}

// R13: a preset that is tightened through a directory is in force everywhere when the call
// returns, and so is the policy of before. What nobody trusted has signed is refused, and
// a sidecar that cannot verify what is in force answers nothing.
func (f *fleet) promotion(t *testing.T) {
	promoter, anybody := as(f.token(portal.Limits{}, "policy")), as(f.token(portal.Limits{}, "decide"))
	shipped, before := f.key.Shipped(t, "")
	tight, after := f.key.Shipped(t, "p, billing, invoices, allow\n")
	f.put(t, f.directories[0], carlsPlace, given)
	for n, step := range []struct {
		bundle       []byte
		digest, want string
	}{{tight, after.Digest, `"reason":"category_missing"`}, {shipped, before.Digest, `"decision":true`}, {tight, after.Digest, `"reason":"category_missing"`}} {
		status, text := promote(t, f.directories[n%len(f.directories)], string(step.bundle), promoter)
		if status != 200 || !strings.Contains(text, step.digest) || !strings.Contains(text, `"enforced"`) {
			t.Fatalf("promoted: %d %s", status, text)
		}
		for _, p := range f.all() {
			if status, answer := reached(t, p, question, anybody); status != 200 || !strings.Contains(answer, step.want) || readiness(t, p).Policy != step.digest {
				t.Errorf("%d: %d %s", n, status, answer)
			}
		}
	}
	for _, c := range []struct {
		data   string
		header http.Header
		status int
	}{
		{string(tight[:len(tight)-1]), promoter, 400}, {"", promoter, 400}, {string(tight), f.manager, 403}, {string(tight), anybody, 403},
		{strings.Repeat("x", directory.MaxBundle+1), promoter, 413},
	} {
		if status, text := promote(t, f.directories[0], c.data, c.header); status != c.status {
			t.Errorf("%d bytes: %d %s, want %d", len(c.data), status, text, c.status)
		}
	}
	t.Run("a sidecar that trusts nobody", f.trustsNobody)
	if status, text := promote(t, f.directories[0], string(shipped), promoter); status != 200 {
		t.Errorf("%d %s", status, text)
	}
}

func (f *fleet) trustsNobody(t *testing.T) {
	s := f.sidecar(t, func(c *config.Config) { c.Policy.VerificationKeys = nil })
	f.sidecars = f.sidecars[:len(f.sidecars)-1]
	for range 5 {
		if status, answer := asked(t, s, question, asJSON); status != 503 || !strings.Contains(answer, ":stale") || readiness(t, s).Status == "ready" {
			t.Errorf("%d %s", status, answer)
		}
	}
	s.stop()
	<-s.ended
}
