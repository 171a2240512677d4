package authzen

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/explain"
)

// Explain judges like the certification scenario, and why is a row.
func (d records) Explain(_ context.Context, q decision.Question) (explain.Explanation, error) {
	if d.calls != nil {
		d.calls(1)
	}
	a := judge(q)
	return explain.Explanation{Decision: a.Decision, Changes: []explain.Change{}, Row: "- {do: " + q.Action.Name + "}", Position: basis.Position.String()}, a.Err
}

// explaining starts a server that explains to whoever says please.
func explaining(t *testing.T, d records) string {
	t.Helper()
	return admitting(t, d, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Please") == "" {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
}

func explainingToAll(t *testing.T) string {
	t.Helper()
	return admitting(t, records{}, func(next http.Handler) http.Handler { return next })
}

func admitting(t *testing.T, d records, admit func(http.Handler) http.Handler) string {
	t.Helper()
	mux := http.NewServeMux()
	(&Handler{Decider: d, Explainer: d, Admit: admit, Searcher: library{}, Pager: newPager(t, "secret")}).Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func please(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Please": {"yes"}}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// An explanation is the answer, byte for byte, with one more member in the context.
func TestAnExplanationIsAddedToTheAnswer(t *testing.T) {
	url := explaining(t, records{})
	for _, action := range []string{"read", "write", "oblige", "step up", "switch"} {
		body := ask(bob, named(action), record1)
		_, plain, header := post(t, url+EvaluationPath, body)
		for _, query := range []string{"?explain", "?explain=", "?explain=1", "?explain=true", "?x&%65xplain=1"} {
			status, got := please(t, url+EvaluationPath+query, body)
			why := `"explanation":{"changes":[],"row":"- {do: ` + action + `}","facts":{},"policy":"","position":"` + basis.Position.String() + `"}}}`
			want := strings.TrimSuffix(plain, "}}") + "," + why
			if !strings.Contains(plain, "context") {
				want = strings.TrimSuffix(plain, "}") + `,"context":{` + why
			}
			if status != 200 || got != want {
				t.Errorf("%s%s\n got %d %s\nwant %s", action, query, status, got, want)
			}
		}
		if header.Get("Doorward-Revision") == "" {
			t.Error("no revision")
		}
	}
}

// Without the parameter, and without being admitted, nothing of an explanation
// is said, nor is the Explainer asked.
func TestNothingIsExplainedUnasked(t *testing.T) {
	explained := 0
	url := explaining(t, records{calls: func(int) { explained++ }})
	body := ask(alice, read, record1)
	for _, query := range []string{"?explain", "?explain=1", "?%65xplain"} {
		if status, got, _ := post(t, url+EvaluationPath+query, body); status != http.StatusTeapot || got != "" {
			t.Errorf("%s: %d %s", query, status, got)
		}
	}
	if explained > 0 {
		t.Error("explained to somebody who was not admitted")
	}
	for _, query := range []string{"", "?", "?x=1", "?Explain", "?explains", "?x=explain", "?a=%zz"} {
		if status, got := please(t, url+EvaluationPath+query, body); status != 200 || got != `{"decision":true}` {
			t.Errorf("%s: %d %s", query, status, got)
		}
	}
	closed, _ := serve(t, records{})
	if status, got, _ := post(t, closed+EvaluationPath+"?explain", body); status != 403 || strings.Contains(got, "decision") {
		t.Errorf("without an Explainer: %d %s", status, got)
	}
}

// What is no single question asked why is refused.
func TestExplanationsRefused(t *testing.T) {
	url := explaining(t, records{})
	good := ask(alice, read, record1)
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{EvaluationPath + "?explain=yes", good, 400, "explain=true"},
		{EvaluationPath + "?explain=false", good, 400, "explain=true"},
		{EvaluationPath + "?explain=0", good, 400, "explain=true"},
		{EvaluationPath + "?explain&explain", good, 400, "once"},
		{EvaluationPath + "?explain=%zz", good, 400, "explain"},
		{EvaluationPath + "?explain;x", good, 400, "explain"},
		{EvaluationsPath + "?explain", good, 400, "One question at a time"},
		{EvaluationsPath + "?explain", `{"evaluations":[` + good + `]}`, 400, "One question at a time"},
		{EvaluationPath + "?explain", `{}`, 400, "subject"},
		{EvaluationPath + "?explain", `{"a":1,"a":1}`, 400, "malformed_json"},
		{EvaluationPath + "?explain", ask(`{"type":"user","id":"unjudged"}`, read, record1), 503, "facts_unavailable"},
	} {
		status, got := please(t, url+c.path, c.body)
		if status != c.status || !strings.Contains(got, c.says) || strings.Contains(got, `"decision"`) {
			t.Errorf("%s: got %d %s", c.path, status, got)
		}
		var p map[string]any
		if err := json.Unmarshal([]byte(got), &p); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
