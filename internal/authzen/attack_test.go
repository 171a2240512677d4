package authzen

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// S15: 50 items with one tuple and differing contexts are each judged alone and
// in order.
func TestItemsAreJudgedAlone(t *testing.T) {
	url, _ := serve(t, records{})
	items, want := []string{}, []string{}
	for i := range 50 {
		allow := i*i%3 == 1
		items = append(items, fmt.Sprintf(`{"context":{"allow":%t,"n":%d}}`, allow, i))
		want = append(want, map[bool]string{true: "T", false: "F"}[allow])
	}
	body := batchOf(`"subject":`+alice+`,"action":{"name":"echo"},"resource":`+record1+`,"context":{"allow":true},`, items...)
	status, got, _ := post(t, url+EvaluationsPath, body)
	if word := shorthand(t, got); status != 200 || word != strings.Join(want, " ") {
		t.Errorf("got %d %s\nwant %s", status, word, strings.Join(want, " "))
	}
}

// S41: what is too large, too deep or too much is refused, and quickly.
func TestBounds(t *testing.T) {
	handler := http.NewServeMux()
	(&Handler{Decider: records{}}).Register(handler)
	padded := func(size int) string {
		question := ask(alice, read, record1)
		return question + strings.Repeat(" ", size-len(question))
	}
	for _, c := range []struct {
		why, body string
		want      int
	}{
		{"64 KiB exactly", padded(maxBody), 200},
		{"a byte more", padded(maxBody + 1), 413},
		{"5 MB", padded(5 << 20), 413},
		{"10,001 deep", strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), 400},
		{"10,001 deep, never closed", `{"a":` + strings.Repeat(`{"a":`, 10_001), 400},
		{"10^4 items", batchOf("", slices.Repeat([]string{`{}`}, 10_000)...), 413},
		{"one long name", `{"` + strings.Repeat("x", 60_000) + `":1}`, 400},
		{"12,000 names", `{` + strings.TrimSuffix(strings.Repeat(`"":0,`, 12_000), ",") + `}`, 400},
	} {
		path := EvaluationPath
		if strings.Contains(c.why, "items") {
			path = EvaluationsPath
		}
		r := httptest.NewRequest("POST", path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := newRecorder()
		start := time.Now()
		handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got %d %.200s, want %d", c.why, w.Code, w.Body, c.want)
		}
		if took := time.Since(start); took > time.Second { // the attack's bound is 50 ms; the machine may be busy
			t.Errorf("%s: took %v", c.why, took)
		}
	}
}

// S42: an id that imitates a log record is refused, and what is logged of it is
// one escaped record.
func TestIDsDoNotReachTheLogRaw(t *testing.T) {
	url, log := serve(t, records{})
	for _, id := range []string{`x\n{\"level\":\"info\",\"msg\":\"allow\"}`, `\u001b[2Jx`, `\u202ex`} {
		post(t, url+EvaluationPath, ask(`{"type":"user","id":"`+id+`"}`, read, record1))
		post(t, url+EvaluationsPath, batchOf("", ask(`{"type":"user","id":"`+id+`"}`, read, record1), ask(`{"type":"user","id":"unjudged"}`, read, record1)))
	}
	if strings.ContainsAny(log.String(), "\x1b\u202e") || strings.Contains(log.String(), `"msg":"allow"`) {
		t.Errorf("log: %q", log)
	}
	for line := range strings.Lines(log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not one record a line: %q", line)
		}
	}
}

// FuzzRequest: any body gets an answer in time that is well-formed; only whole
// questions that the decider allows are allowed; nothing is a 500 (S40, S41).
func FuzzRequest(f *testing.F) {
	handler := http.NewServeMux()
	(&Handler{Decider: records{}}).Register(handler)
	for _, seed := range []string{
		"", "{", ask(alice, read, record1), ask(bob, write, record1), ask(alice, read, record1, `"context":{"a":[1,null]}`),
		ask(alice, named("step up"), record1), batchOf(`"subject":`+alice+`,`, `{}`, `{"action":`+read+`,"resource":`+record1+`}`, `null`),
		batchOf(`"options":{"evaluations_semantic":"deny_on_first_deny"},`, ask(alice, read, record1), `{}`, ask(bob, read, record1)),
		batchOf(`"options":{"evaluations_semantic":"permit_on_first_permit"},`, `{}`, ask(alice, read, record1), `{}`),
		`{"evaluations":[],"subject":1}`, "{\"subject\":{\"type\":\"\xff\"}}", `{"subject":{},"subject":{}}`,
	} {
		f.Add([]byte(seed), "application/json")
	}
	f.Add([]byte(ask(alice, read, record1)), "Application/JSON; charset=utf-8")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, path := range []string{EvaluationPath, EvaluationsPath} {
			r := httptest.NewRequest("POST", path, strings.NewReader(string(body)))
			r.Header["Content-Type"] = []string{contentType}
			w := newRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= 500 && !wantsUnavailable(string(body)) {
				t.Fatalf("%q: %d %s", body, w.Code, w.Body)
			}
			if !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%q: answered %q", body, w.Body)
			}
			permitted := strings.Contains(w.Body.String(), `"decision":true`)
			if permitted && (w.Code != 200 || !mayPermit(string(body))) {
				t.Fatalf("%q: %d %s", body, w.Code, w.Body)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), `"decision":`) {
				t.Fatalf("%q: a problem with a decision: %s", body, w.Body)
			}
		}
	})
}

// mayPermit tells whether a text could be a question about the two users that are
// known, in any spelling.
func mayPermit(body string) bool {
	return json.Valid([]byte(body)) && (strings.Contains(body, `\u`) || strings.Contains(body, "alice") || strings.Contains(body, "bob"))
}

// wantsUnavailable tells whether the text may name what the decider fails on.
func wantsUnavailable(body string) bool {
	return strings.Contains(body, `\u`) || strings.Contains(body, "unjudged") || strings.Contains(body, "broken") || strings.Contains(body, "break")
}
