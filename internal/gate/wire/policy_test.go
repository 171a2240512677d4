package wire

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A policy comes as it was promoted, also the largest; one that is not there is refused.
func TestPoliciesAreCarried(t *testing.T) {
	w := newWorld(t)
	w.promoted = directory.Promotion{Revision: 7, Digest: "d1", Bundle: bytes.Repeat([]byte{0xff, 0}, directory.MaxBundle/2)}
	c := w.client(nil, w.serve(w.keeper, nil, false))
	got, err := c.Policy(t.Context(), 7)
	if diff := cmp.Diff(w.promoted, must(t, got, err)); diff != "" {
		t.Error(diff[:min(len(diff), 500)])
	}
	if got, err := c.Policy(t.Context(), 8); err == nil || got.Bundle != nil {
		t.Errorf("revision %d, %v", got.Revision, err)
	}
}

func TestPoliciesThatAreNotBelieved(t *testing.T) {
	body, err := encodePolicy("call", directory.Promotion{Revision: 7, Digest: "d1", Bundle: []byte("bundle")})
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"call":"call"`: `"call":"other"`,
		`"version":1`:   `"version":2`,
		`"revision":7`:  `"revision":6`,
		`"digest":"d1"`: `"digest":""`,
		`"bundle":"Y`:   `"bundle":"=`,
		`{"version"`:    `{"requires":["x"],"version"`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if _, err := decodePolicy([]byte(changed), "call", 7); changed == text || err == nil {
			t.Errorf("%s is read", is)
		}
	}
}

// policyOf is what a world's directory says was promoted.
func (w *world) policyOf(_ context.Context, r portal.Revision) (directory.Promotion, error) {
	if r != w.promoted.Revision {
		return directory.Promotion{}, directory.ErrNotFound
	}
	return w.promoted, nil
}
