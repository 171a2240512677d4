package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/portal"
	"doorward/internal/token"
)

// manager makes a token to manage with, of the running server's directory.
func manager(t *testing.T, store directory.Store, l portal.Limits) http.Header {
	t.Helper()
	made, err := (&token.Admin{Store: store, Now: time.Now, Actor: "cli:test"}).CreateLimited(t.Context(), "portal", []string{"manage"}, l)
	if err != nil {
		t.Fatal(err)
	}
	return with(asJSON, "Authorization", "Bearer "+made.Text)
}

// req 52, req 97: what was put is in force for the next question, whoever asks it, on any
// process of the directory.
func TestWhatIsPutIsInForceForTheNextQuestion(t *testing.T) {
	c := local(t)
	c.Decision.Timeout = time.Minute // this is not about speed
	one := start(t, c).urls[0]
	beside := local(t)
	beside.Data, beside.Decision.Timeout = c.Data, c.Decision.Timeout
	other := start(t, beside).urls[0]
	header := manager(t, elsewhere(t, c), portal.Limits{})
	const allow = `{"decision":true}`
	denied := func(reason string) string { return `"reason":"` + reason + `"` }
	for i, step := range []struct{ method, path, body, answer string }{
		{"PUT", "/v1/accounts/acme/memberships/carl", `{"presets":["billing"],"source":"demo"}`, allow},
		{"PUT", "/v1/accounts/acme/memberships/carl", `{"state":"removed","source":"demo"}`, denied("removed")},
		{"PUT", "/v1/accounts/acme/memberships/carl", `{"state":"active","presets":["billing"],"source":"demo"}`, allow},
		{"PUT", "/v1/accounts/acme/memberships/carl", `{"presets":["billing"],"not_after":"2020-01-01T00:00:00Z","source":"demo"}`, denied("expired")},
		{"PUT", "/v1/accounts/acme/memberships/carl", `{"presets":["support"],"source":"demo"}`, denied("category_missing")},
		{"POST", "/v1/batch", `{"source":"demo","records":[{"kind":"membership","account":"acme","user":"carl","presets":["all"]},{"kind":"user","id":"carl","email":"carl@books.example","status":"disabled"}]}`, denied("subject_disabled")},
		{"PUT", "/v1/users/carl", `{"email":"carl@books.example","status":"active","source":"demo"}`, allow},
		{"PUT", "/v1/accounts/acme", `{"name":"Acme","status":"closed","source":"demo"}`, denied("account_closed")},
		{"PUT", "/v1/accounts/acme", `{"name":"Acme","status":"active","source":"demo"}`, allow},
	} {
		put, text := call(t, http.DefaultClient, step.method, one+step.path, step.body, header)
		if put.StatusCode != 200 {
			t.Fatalf("%d: %d %s", i, put.StatusCode, text)
		}
		for _, url := range []string{one, other} {
			asked, answer := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, asJSON)
			if !strings.Contains(answer, step.answer) || asked.Header.Get("Doorward-Revision") != put.Header.Get("Doorward-Revision") {
				t.Errorf("%d: %s at %s, want %s at %s", i, answer, asked.Header.Get("Doorward-Revision"), step.answer, put.Header.Get("Doorward-Revision"))
			}
		}
	}
	_, metrics := call(t, http.DefaultClient, "GET", one+"/metrics", "", nil)
	for _, want := range []string{
		`doorward_records_total{kind="membership",outcome="changed"} 5`,
		`doorward_http_requests_total{code="200",route="PUT /v1/accounts/{account}/memberships/{user}"} 5`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// A token to manage is needed on loopback too, where questions need none: every process,
// and every web page in a browser of the machine, could come there.
func TestRecordsNeedATokenInAnyMode(t *testing.T) {
	for _, mode := range []config.AuthMode{config.AuthNone, config.AuthToken} {
		c := local(t)
		c.Auth.Mode = mode
		url := start(t, c).urls[0]
		store := elsewhere(t, c)
		before, err := store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		asker := limited(t, c, portal.Limits{Types: []string{"account"}})
		for _, q := range []struct {
			header http.Header
			want   int
		}{
			{asJSON, 401}, {with(asJSON, "Origin", "http://127.0.0.1:8080"), 401}, {with(asJSON, "Authorization", "Bearer dw_a_b"), 401},
			{asker, 403},
		} {
			for _, route := range []string{"PUT /v1/users/carl", "GET /v1/users/carl", "POST /v1/batch", "POST /v1/users/carl/signins", "DELETE /v1/users/carl", "GET /v1/nonesuch", "GET /v1/"} {
				method, path, _ := strings.Cut(route, " ")
				response, text := call(t, http.DefaultClient, method, url+path, `{"email":"mallory@x.example"}`, q.header)
				if response.StatusCode != q.want || strings.Contains(text, "carl") {
					t.Errorf("%s, %v %s: %d %s", mode, q.header, route, response.StatusCode, text)
				}
			}
		}
		if lines := commitsSince(t, store, before); lines != 1 { // the asker's token
			t.Errorf("%s: %d commits", mode, lines)
		}
		header := manager(t, store, portal.Limits{})
		if response, text := call(t, http.DefaultClient, "GET", url+"/v1/users/carl", "", header); response.StatusCode != 200 {
			t.Errorf("%s: %d %s", mode, response.StatusCode, text)
		}
		if response, _ := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, header); response.StatusCode != 403 {
			t.Errorf("%s: a token to manage asks: %d", mode, response.StatusCode)
		}
	}
}

func commitsSince(t *testing.T, store directory.Store, before portal.Position) portal.Revision {
	t.Helper()
	now, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now.Revision - before.Revision
}

// What has no route is told to whoever may manage; paths that a proxy may have taken for
// others are nowhere, and nobody is sent elsewhere (S5, S6).
func TestPathsOfRecords(t *testing.T) {
	c := local(t)
	url := start(t, c).urls[0]
	header := manager(t, elsewhere(t, c), portal.Limits{})
	for _, q := range []struct {
		route, allow string
		status       int
	}{
		{"GET /v1/users/carl", "", 200}, {"GET /v1/users/%63arl", "", 200},
		{"DELETE /v1/users/carl", "GET, HEAD, PUT", 405}, {"PATCH /v1/accounts/acme/memberships/carl", "GET, HEAD, PUT", 405},
		{"GET /v1/batch", "POST", 405}, {"GET /v1/users/carl/signins", "POST", 405},
		{"GET /v1/users/carl/", "", 404}, {"GET /v1/users/", "", 404}, {"GET /v1/users", "", 404}, {"GET /V1/users/carl", "", 404}, {"GET /v1/accounts/acme/memberships", "", 404},
		{"PUT /v1/users/../accounts/acme", "", 404}, {"PUT /v1/users/./carl", "", 404}, {"PUT /v1//users/carl", "", 404}, {"PUT //v1/users/carl", "", 404},
		{"PUT /v1/users/%2e%2e/accounts/acme", "", 404}, {"GET /v1/users/..%2fusers%2fcarl", "", 404}, {"GET /v1/users/%2e%2e", "", 404}, {"GET /x/../v1/users/carl", "", 404},
		{"GET /v1/users%2fcarl", "", 404}, {"GET /v1/users/a%2fb", "", 400}, {"GET /v1/users/%2563arl", "", 400},
		{"POST /access/v1//evaluation", "", 404}, {"GET /.well-known/authzen-configuration", "", 404},
	} {
		method, path, _ := strings.Cut(q.route, " ")
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, text := call(t, client, method, url+path, `{"email":"x@y.example"}`, with(header, "X-Request-Id", "17"))
		if response.StatusCode != q.status || response.Header.Get("Allow") != q.allow || response.Header.Get("X-Request-Id") != "17" {
			t.Errorf("%s: %d %q %s, want %d %q", q.route, response.StatusCode, response.Header.Get("Allow"), text, q.status, q.allow)
		}
		if q.status >= 400 && response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", q.route, response.Header)
		}
	}
}

// A limited token, over the running server, keeps to its account.
func TestALimitedManagerOfARunningServer(t *testing.T) {
	c := local(t)
	url := start(t, c).urls[0]
	header := manager(t, elsewhere(t, c), portal.Limits{Accounts: []portal.AccountID{"bakery"}})
	for route, want := range map[string]int{
		"GET /v1/accounts/bakery": 200, "PUT /v1/accounts/bakery/contacts/x": 201,
		"GET /v1/accounts/acme": 403, "PUT /v1/accounts/acme/contacts/x": 403, "PUT /v1/users/bea": 403, "GET /v1/users/bea": 403,
	} {
		method, path, _ := strings.Cut(route, " ")
		if response, text := call(t, http.DefaultClient, method, url+path, `{"email":"x@y.example"}`, header); response.StatusCode != want {
			t.Errorf("%s: %s", route, fmt.Sprint(response.StatusCode, text))
		}
	}
}
