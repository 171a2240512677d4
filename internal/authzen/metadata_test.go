package authzen

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// c-6: the identifier is the one that was set, to the letter, and every address is
// absolute. A path of it comes after the well-known one.
func TestMetadata(t *testing.T) {
	for public, c := range map[string]struct{ path, base string }{
		"https://pdp.example":           {MetadataPath, "https://pdp.example"},
		"https://pdp.example/":          {MetadataPath, "https://pdp.example"},
		"https://pdp.example:8443/a/b":  {MetadataPath + "/a/b", "https://pdp.example:8443/a/b"},
		"https://pdp.example:8443/a/b/": {MetadataPath + "/a/b", "https://pdp.example:8443/a/b"},
	} {
		mux := http.NewServeMux()
		Metadata{PublicURL: public}.Register(mux)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: got %d %s, %v", public, w.Code, w.Body, err)
		}
		want := map[string]any{
			"policy_decision_point":       public,
			"access_evaluation_endpoint":  c.base + "/access/v1/evaluation",
			"access_evaluations_endpoint": c.base + "/access/v1/evaluations",
			"search_subject_endpoint":     c.base + "/access/v1/search/subject",
			"search_resource_endpoint":    c.base + "/access/v1/search/resource",
			"search_action_endpoint":      c.base + "/access/v1/search/action",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", public, diff)
		}
		if !strings.Contains(w.Header().Get("Cache-Control"), "max-age=") {
			t.Errorf("%s: Cache-Control is %q", public, w.Header().Get("Cache-Control"))
		}
	}
}

// Without a public URL there is none, and the answer says which setting is missing.
func TestNoMetadataWithoutAPublicURL(t *testing.T) {
	mux := http.NewServeMux()
	Metadata{}.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, MetadataPath, nil))
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "public_url") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
