package authzen

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/search"
)

// A text is a token only if this Pager wrote it, to the letter.
func FuzzPageToken(f *testing.F) {
	p := newPager(f, "secret")
	name := digest(search.Resources, decision.Question{})
	for _, b := range []bookmark{{}, {"alice", 1}, {strings.Repeat("x", 256), 1000}} {
		f.Add(p.write(name, b))
	}
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := p.read(name, text)
		if err == nil && p.write(name, b) != text {
			t.Errorf("%q is read as %+v", text, b)
		}
	})
}

// Whatever is sent to a search, the answer is results that are no null, or a problem
// of the client's without a decision.
func FuzzSearch(f *testing.F) {
	mux := http.NewServeMux()
	(&Handler{Decider: records{}, Searcher: library{}, Pager: newPager(f, "secret")}).Register(mux)
	f.Add(0, "{"+users+","+reading+","+record+`,"page":{"limit":1}}`)
	f.Add(1, "{"+anybody+","+reading+`,"resource":{"type":"record"},"context":{"a":[1,{"b":null}]}}`)
	f.Add(2, "{"+anybody+","+record+`,"page":{"token":"AAAA","limit":0}}`)
	f.Add(2, `{"subject":null}`)
	f.Fuzz(func(t *testing.T, which int, body string) {
		path := []string{SearchSubjectPath, SearchResourcePath, SearchActionPath}[uint(which)%3]
		r, w := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		_, decided := got["decision"]
		_, found := got["results"].([]any)
		if decided || found != (w.Code == http.StatusOK) || !found && w.Code != http.StatusBadRequest && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s: %d %s", path, body, w.Code, w.Body)
		}
	})
}
