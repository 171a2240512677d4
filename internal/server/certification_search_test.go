package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	users      = finds(entity("user", "alice"), entity("user", "bob"))
	records    = finds(entity("record", "record-1"), entity("record", "record-2"))
	alicesMays = finds(named("read"), named("write"))
	nothing    = finds()
)

const (
	anyUser   = `"subject":{"type":"user"}`
	anyRecord = `"resource":{"type":"record"}`
)

var searchCore = []section{
	{"c-4-2-1", searchSubject, body(anyUser, toRead, record1), users},
	{"c-4-2-2", searchSubject, body(anyUser, toRead, record1, around), users},
	{"c-4-2-3", searchSubject, body(alice, toRead, record1), users},
	{"c-4-2-3/unknown", searchSubject, body(`"subject":{"type":"user","id":"nonexistent-user"}`, toRead, record1), users},
	{"c-4-3-1", searchResource, body(alice, toRead, anyRecord), records},
	{"c-4-3-2", searchResource, body(alice, toRead, anyRecord, around), records},
	{"c-4-3-3", searchResource, body(alice, toRead, record1), records},
	{"c-4-3-3/unknown", searchResource, body(alice, toRead, `"resource":{"type":"record","id":"nonexistent"}`), records},
	{"c-4-4-1", searchAction, body(alice, record1), alicesMays},
	{"c-4-4-2", searchAction, body(alice, record1, around), alicesMays},
	{"c-4-4-2/action", searchAction, body(alice, toWrite, record1), alicesMays},
	{"c-4-5-1", searchSubject, body(anyUser, toRead, record1, `"page":{"limit":1}`), finds(entity("user", "alice"))},
	{"c-4-5-2", searchSubject, body(anyUser, toRead, record1, `"page":{"limit":1}`), pages(searchSubject, body(anyUser, toRead, record1), entity("user", "alice"), entity("user", "bob"))},
	{"c-4-5-2/resource", searchResource, body(alice, toRead, anyRecord, `"page":{"limit":1}`), pages(searchResource, body(alice, toRead, anyRecord), entity("record", "record-1"), entity("record", "record-2"))},
	{"c-4-5-2/action", searchAction, body(alice, record1, `"page":{"limit":1}`), pages(searchAction, body(alice, record1), named("read"), named("write"))},
	{"c-4-5-3", searchSubject, body(anyUser, toRead, record1, `"page":{}`), lastPage(2)},
	{"c-4-5-3/none", searchSubject, body(`"subject":{"type":"spaceship"}`, toRead, record1, `"page":{"limit":5}`), lastPage(0)},
	{"c-4-5-4", searchSubject, body(anyUser, toRead, record1, `"page":{"limit":1000}`), users},
	{"c-4-6-1", searchAction, body(`"subject":{"type":"user","id":"nonexistent-user"}`, record1), nothing},
	{"c-4-6-1/resource", searchAction, body(alice, `"resource":{"type":"record","id":"nonexistent"}`), nothing},
	{"c-4-6-1/by subject", searchSubject, body(anyUser, toRead, `"resource":{"type":"record","id":"nonexistent"}`), nothing},
	{"c-4-6-1/by resource", searchResource, body(`"subject":{"type":"user","id":"nonexistent-user"}`, toRead, anyRecord), nothing},
	{"c-4-6-1/whatever is said of it", searchAction, body(bobAdmin, `"resource":{"type":"record","id":"nonexistent","properties":{"status":"archived"}}`), nothing},
	{"c-4-6-1/action", searchSubject, body(anyUser, `"action":{"name":"nonexistent"}`, record1), nothing},
	{"c-4-6-2", searchSubject, body(`"subject":{"type":"spaceship"}`, toRead, record1), nothing},
	{"c-4-6-2/of the resource", searchSubject, body(anyUser, toRead, `"resource":{"type":"spaceship","id":"record-1"}`), nothing},
	{"c-4-6-2/by resource", searchResource, body(alice, toRead, `"resource":{"type":"spaceship"}`), nothing},
	{"c-4-6-2/by action", searchAction, body(`"subject":{"type":"spaceship","id":"alice"}`, record1), nothing},
	{"c-4-7-1/subject", searchSubject, body(anyUser, record1), refused},
	{"c-4-7-1/resource", searchResource, body(toRead, anyRecord), refused},
	{"c-4-7-1/action", searchAction, body(alice), refused},
	{"c-4-7-2/subject", searchSubject, body(anyUser, toRead, anyRecord), refused},
	{"c-4-7-2/resource", searchResource, body(anyUser, toRead, anyRecord), refused},
	{"c-4-7-2/action", searchAction, body(anyUser, record1), refused},
	{"c-4-7-2/action's resource", searchAction, body(alice, anyRecord), refused},
}

var searchProperties = []section{
	{"c-4-2-4", searchSubject, body(anyUser, toWrite, archived2), finds(entity("user", "bob"))},
	{"c-4-3-4", searchResource, body(bobAdmin, toWrite, anyRecord), finds(entity("record", "record-2"))},
	{"c-4-4-3", searchAction, body(bobAdmin, archived2), finds(named("read"), named("write"))},
	// What is found has only what is stored, whatever is said of it.
	{"c-4-2-4/said", searchSubject, body(`"subject":{"type":"user","properties":{"role":"admin"}}`, toWrite, archived2), finds(entity("user", "bob"))},
	{"c-4-3-4/said", searchResource, body(alice, toWrite, `"resource":{"type":"record","properties":{"status":"active"}}`), finds(entity("record", "record-1"))},
}

// page is the page of a search's answer; nil when there is none.
func page(a answer) map[string]any {
	p, _ := a.json["page"].(map[string]any)
	return p
}

// lastPage wants a page that is the last, with so many results (c-4-5-3).
func lastPage(count int) func(*testing.T, pdp, answer) string {
	return func(_ *testing.T, _ pdp, a answer) string {
		got, _ := resultsOf(a)
		if p := page(a); a.status != http.StatusOK || p["next_token"] != "" || p["count"] != float64(count) || len(got) != count {
			return "want the last page"
		}
		return ""
	}
}

// pages follows pages of one result by their tokens, without saying the limit again,
// and wants these results (c-4-5-2).
func pages(path, search string, want ...string) func(*testing.T, pdp, answer) string {
	return func(t *testing.T, p pdp, a answer) string {
		t.Helper()
		var all []string
		for range 2 * len(want) {
			some, ok := resultsOf(a)
			next, isText := page(a)["next_token"].(string)
			if !ok || !isText || len(some) > 1 || page(a)["count"] != float64(len(some)) {
				return "want a page of one result"
			}
			if all = append(all, some...); next == "" {
				return cmp.Diff(want, all)
			}
			a = p.post(t, path, strings.TrimSuffix(search, "}")+`,"page":{"token":"`+next+`"}}`, nil)
		}
		return "the pages have no end"
	}
}

// discovery is c-6: the metadata of this decision point, without credentials.
func discovery(t *testing.T, p pdp) {
	response, text := call(t, p.client, http.MethodGet, p.url+"/.well-known/authzen-configuration", "", nil)
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("c-6-1, c-6-2, c-6-6: %d %v %s, %v", response.StatusCode, response.Header, text, err)
	}
	want := map[string]string{
		"policy_decision_point": p.url, "access_evaluation_endpoint": p.url + evaluation, // c-6-3
		"access_evaluations_endpoint": p.url + evaluations, "search_subject_endpoint": p.url + searchSubject, // c-6-4
		"search_resource_endpoint": p.url + searchResource, "search_action_endpoint": p.url + searchAction,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("c-6-3, c-6-4, c-6-5: %s", diff)
	}
	requests := map[string]string{
		evaluation: body(alice, toRead, record1), evaluations: body(alice, toRead, record1), searchSubject: body(anyUser, toRead, record1),
		searchResource: body(alice, toRead, anyRecord), searchAction: body(alice, record1),
	}
	for name, endpoint := range got {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("c-6-5: %s is %s", name, endpoint)
			continue
		}
		if request, found := requests[u.Path]; found && p.post(t, u.Path, request, nil).status != http.StatusOK {
			t.Errorf("%s does not answer on %s", name, endpoint)
		}
	}
	if control := response.Header.Get("Cache-Control"); !strings.Contains(control, "max-age=") {
		t.Errorf("Cache-Control %q", control)
	}
}
