package authzen

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/portal"
	"doorward/internal/search"
)

// library searches what records judges: it knows all there are of the certification
// scenario, and stores that record-2 is archived and bob an admin (authzen.md 4).
type library struct{}

func (library) Find(_ context.Context, q search.Query) (search.Page, error) {
	if q.Question.Subject.ID == "unjudged" {
		return search.Page{}, &decision.UnavailableError{Code: decision.FactsUnavailable}
	}
	var all []string
	for _, id := range map[search.Kind][]string{
		search.Subjects: {"alice", "bob"}, search.Resources: {"record-1", "record-2"}, search.Actions: {"delete", "read", "write"},
	}[q.Kind] {
		asked := q.Question
		switch q.Kind {
		case search.Subjects:
			asked.Subject = decision.Entity{Ref: portal.Ref{Type: asked.Subject.Type, ID: id}}
		case search.Resources:
			asked.Resource = decision.Entity{Ref: portal.Ref{Type: asked.Resource.Type, ID: id}}
		case search.Actions:
			asked.Action = decision.Action{Name: id}
		}
		if id > q.After && asked.Resource.Type == "record" && judge(asked).Decision.Allow {
			all = append(all, id)
		}
	}
	if len(all) <= q.Limit {
		return search.Page{Found: all, Basis: basis}, nil
	}
	next := q.After
	if q.Limit > 0 {
		next = all[q.Limit-1]
	}
	return search.Page{Found: all[:q.Limit], More: true, Next: next, Basis: basis}, nil
}

func newPager(t testing.TB, secret string) *Pager {
	t.Helper()
	p, err := NewPager([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func searchable(t testing.TB) string {
	t.Helper()
	mux := http.NewServeMux()
	(&Handler{Decider: records{}, Searcher: library{}, Pager: newPager(t, "secret")}).Register(mux)
	server := httptest.NewServer(EchoRequestID(mux))
	t.Cleanup(server.Close)
	return server.URL
}

const (
	users    = `"subject":{"type":"user"}`
	anybody  = `"subject":{"type":"user","id":"alice"}`
	reading  = `"action":{"name":"read"}`
	writing  = `"action":{"name":"write"}`
	record   = `"resource":{"type":"record","id":"record-1"}`
	any2read = `{"results":[{"type":"user","id":"alice"},{"type":"user","id":"bob"}]}`
)

// c-4-2 to c-4-6
func TestSearch(t *testing.T) {
	url := searchable(t)
	records := `{"results":[{"type":"record","id":"record-1"},{"type":"record","id":"record-2"}]}`
	for _, c := range []struct{ path, body, want string }{
		{SearchSubjectPath, users + "," + reading + "," + record, any2read},
		{SearchSubjectPath, users + "," + writing + "," + record, `{"results":[{"type":"user","id":"alice"}]}`},
		// What is searched for has only a type (c-4-2-3, c-4-3-3), even where the rest is odd.
		{SearchSubjectPath, `"subject":{"type":"user","id":"bob","properties":{"role":"admin"}},` + reading + "," + record, any2read},
		{SearchSubjectPath, `"subject":{"type":"user","id":7,"properties":[]},` + reading + "," + record, any2read},
		{SearchResourcePath, anybody + "," + reading + `,"resource":{"type":"record","id":"nonesuch"}`, records},
		// Properties of what is given count as in an evaluation.
		{SearchSubjectPath, users + "," + writing + `,"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`, `{"results":[]}`},
		{SearchResourcePath, anybody + `,"action":{"name":"delete","properties":{"soft":true}},"resource":{"type":"record"}`, records},
		{SearchActionPath, anybody + "," + record, `{"results":[{"name":"read"},{"name":"write"}]}`},
		{SearchActionPath, anybody + "," + record + `,"action":7`, `{"results":[{"name":"read"},{"name":"write"}]}`},
		// Nobody and nothing is known: found is nothing, and never null (c-4-6).
		{SearchSubjectPath, `"subject":{"type":"robot"},` + reading + `,"resource":{"type":"x","id":"y"}`, `{"results":[]}`},
		{SearchResourcePath, `"subject":{"type":"user","id":"nobody"},` + reading + `,"resource":{"type":"record"}`, `{"results":[]}`},
		{SearchActionPath, `"subject":{"type":"user","id":"nobody"},` + record, `{"results":[]}`},
		{SearchSubjectPath, users + `,"action":{"name":"nonesuch"},` + record, `{"results":[]}`},
		// Pages are told of when they were asked for.
		{SearchSubjectPath, users + "," + reading + "," + record + `,"page":{}`, `{"page":{"next_token":"","count":2},` + any2read[1:]},
		{SearchSubjectPath, users + "," + reading + "," + record + `,"page":null,"more":[1]`, any2read},
		{SearchSubjectPath, users + "," + reading + "," + record + `,"page":{"limit":2,"properties":7}`, `{"page":{"next_token":"","count":2},` + any2read[1:]},
		{SearchSubjectPath, users + "," + reading + "," + record + `,"page":{"limit":99999999999999999999}`, `{"page":{"next_token":"","count":2},` + any2read[1:]},
	} {
		status, got, header := post(t, url+c.path, "{"+c.body+"}")
		if status != 200 || got != c.want || header.Get("Content-Type") != "application/json" || header.Get(headerRevision) == "" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s {%s}: got %d %s\n%v, want %s", c.path, c.body, status, got, header, c.want)
		}
		if _, again, _ := post(t, url+c.path, "{"+c.body+"}"); again != got { // c-2-6
			t.Errorf("%s {%s}: then %s", c.path, c.body, again)
		}
	}
}

// c-4-7: what is given must be whole.
func TestSearchIsReadStrictly(t *testing.T) {
	url := searchable(t)
	whole := map[string]string{
		SearchSubjectPath:  users + "," + reading + "," + record,
		SearchResourcePath: anybody + "," + reading + `,"resource":{"type":"record"}`,
		SearchActionPath:   anybody + "," + record,
	}
	for _, c := range []struct{ path, body, pointer string }{
		{SearchSubjectPath, whole[SearchResourcePath], "/resource/id"},
		{SearchResourcePath, whole[SearchSubjectPath], "/subject/id"},
		{SearchResourcePath, whole[SearchActionPath], "/action"},
		{SearchActionPath, whole[SearchSubjectPath], "/subject/id"},
		{SearchActionPath, whole[SearchResourcePath], "/resource/id"},
		{SearchSubjectPath, users + "," + reading, "/resource"},
		{SearchSubjectPath, `"subject":{"id":"alice"},` + reading + "," + record, "/subject/type"},
		{SearchSubjectPath, `"subject":{"type":""},` + reading + "," + record, "/subject/type"},
		{SearchSubjectPath, `"subject":[],` + reading + "," + record, "/subject"},
		{SearchSubjectPath, users + `,"action":{},` + record, "/action/name"},
		{SearchActionPath, whole[SearchActionPath] + `,"context":[]`, "/context"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":[]`, "/page"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"limit":-1}`, "/page/limit"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"limit":1.0}`, "/page/limit"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"limit":1e1}`, "/page/limit"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"limit":"1"}`, "/page/limit"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"token":1}`, "/page/token"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"token":""}`, "/page/token"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"token":"` + strings.Repeat("A", 4000) + `"}`, "/page/token"},
		{SearchActionPath, whole[SearchActionPath] + `,"page":{"limit":1,"limit":2}`, "/page/limit"},
	} {
		status, got, _ := post(t, url+c.path, "{"+c.body+"}")
		if status != 400 || pointerOf(t, got) != c.pointer {
			t.Errorf("%s {%s}: got %d %s, want %s", c.path, c.body, status, got, c.pointer)
		}
	}
	if status, got, _ := post(t, url+SearchActionPath, `{"subject":{"type":"user","id":"unjudged"},`+record+`}`); status != 503 {
		t.Errorf("unjudged: %d %s", status, got)
	}
	for path := range whole {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 405 || response.Header.Get("Allow") != "POST" {
			t.Errorf("GET %s: %d %v", path, response.StatusCode, response.Header)
		}
		if status, _, _ := post(t, url+path+"?explain", "{"+whole[path]+"}"); status != 400 {
			t.Errorf("%s was explained: %d", path, status)
		}
	}
}

type answer struct {
	Page    *struct{ Next_token *string }
	Results []struct{ Type, ID, Name string }
}

func read1(t *testing.T, url, body string) (a answer) {
	t.Helper()
	status, got, _ := post(t, url, body)
	if err := json.Unmarshal([]byte(got), &a); err != nil || status != 200 || a.Page == nil || a.Page.Next_token == nil {
		t.Fatalf("%s: %d %s", body, status, got)
	}
	return a
}

// c-4-5: pages are followed with the limit or without.
func TestPages(t *testing.T) {
	url := searchable(t) + SearchSubjectPath
	body := "{" + users + "," + reading + "," + record + `,"page":{%s}}`
	for _, limit := range []string{``, `"limit":1,`} {
		first := read1(t, url, fmt.Sprintf(body, `"limit":1`))
		second := read1(t, url, fmt.Sprintf(body, limit+`"token":"`+*first.Page.Next_token+`"`))
		if first.Results[0].ID != "alice" || second.Results[0].ID != "bob" || *second.Page.Next_token != "" || len(second.Results) != 1 {
			t.Errorf("first %+v, then %+v", first, second)
		}
	}
	token := *read1(t, url, fmt.Sprintf(body, `"limit":1`)).Page.Next_token
	if status, got, _ := post(t, url, fmt.Sprintf(body, `"limit":2,"token":"`+token+`"`)); status != 400 || pointerOf(t, got) != "/page/limit" {
		t.Errorf("another limit: %d %s", status, got)
	}
	// Nothing is as many as was asked for, and tells that there is something.
	if none := read1(t, url, fmt.Sprintf(body, `"limit":0`)); len(none.Results) != 0 || *none.Page.Next_token == "" {
		t.Errorf("limit 0: %+v", none)
	}
}

// A token is good for its search alone, and nothing in it can be read or changed.
func TestTokensOfOtherSearchesAreRefused(t *testing.T) {
	url := searchable(t)
	first := "{" + users + "," + reading + "," + record + `,"context":{"a":1,"b":[{}]},"page":{%s}}`
	token := *read1(t, url+SearchSubjectPath, fmt.Sprintf(first, `"limit":1`)).Page.Next_token
	follow := `"token":"` + token + `"`
	same := "{" + record + `,"context":{"b":[{}],"a":1},"page":{%s},` + reading + `,"subject":{"id":"x","type":"user"},"later":0}`
	if a := read1(t, url+SearchSubjectPath, fmt.Sprintf(same, follow)); len(a.Results) != 1 {
		t.Errorf("the same search otherwise written: %+v", a)
	}
	for _, other := range []string{
		strings.Replace(first, `"user"`, `"contact"`, 1), strings.Replace(first, `"read"`, `"write"`, 1),
		strings.Replace(first, `"record-1"`, `"record-2"`, 1), strings.Replace(first, `"type":"record"`, `"type":"recor"`, 1),
		strings.Replace(first, `"a":1`, `"a":"1"`, 1), strings.Replace(first, `"a":1,`, ``, 1), strings.Replace(first, `[{}]`, `[[]]`, 1),
		strings.Replace(first, `"id":"record-1"`, `"id":"record-1","properties":{}`, 1),
		strings.Replace(first, `"name":"read"`, `"name":"read","properties":{"x":null}`, 1),
	} {
		if status, got, _ := post(t, url+SearchSubjectPath, fmt.Sprintf(other, follow)); status != 400 || pointerOf(t, got) != "/page/token" {
			t.Errorf("%s: %d %s", other, status, got)
		}
	}
	// Of another endpoint, with a body that is whole at both.
	both := "{" + anybody + "," + reading + "," + record + `,"page":{%s}}`
	token = *read1(t, url+SearchSubjectPath, fmt.Sprintf(both, `"limit":1`)).Page.Next_token
	for _, path := range []string{SearchResourcePath, SearchActionPath} {
		if status, got, _ := post(t, url+path, fmt.Sprintf(both, `"token":"`+token+`"`)); status != 400 || pointerOf(t, got) != "/page/token" {
			t.Errorf("%s: %d %s", path, status, got)
		}
	}
}

func TestTokensCannotBeMade(t *testing.T) {
	p, name := newPager(t, "secret"), digest(search.Subjects, decision.Question{})
	b := bookmark{after: "somebody-secret", limit: 7}
	token := p.write(name, b)
	if got, err := newPager(t, "secret").read(name, token); err != nil || got != b {
		t.Errorf("of another process: %+v, %v", got, err)
	}
	if p.write(name, b) != token {
		t.Error("the same page has another token")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || strings.Contains(string(raw), "somebody") {
		t.Errorf("%q can be read: %v", raw, err)
	}
	bad := []string{"", "A", "!", token + "A", token + "=", token + "\n", strings.ToUpper(token), newPager(t, "other").write(name, b), base64.RawURLEncoding.EncodeToString(raw[:tokenTag])}
	for i := range raw {
		bad = append(bad, base64.RawURLEncoding.EncodeToString(raw[:i]), base64.RawURLEncoding.EncodeToString(raw[i+1:]))
		for bit := range 8 {
			flipped := append([]byte(nil), raw...)
			flipped[i] ^= 1 << bit
			bad = append(bad, base64.RawURLEncoding.EncodeToString(flipped))
		}
	}
	for _, text := range bad {
		if got, err := p.read(name, text); err == nil {
			t.Errorf("%q is a token: %+v", text, got)
		}
	}
	if diff := cmp.Diff(bookmark{after: "", limit: 0}, func() bookmark { got, _ := p.read(name, p.write(name, bookmark{})); return got }(), cmp.AllowUnexported(bookmark{})); diff != "" {
		t.Errorf("the beginning: %s", diff)
	}
}
