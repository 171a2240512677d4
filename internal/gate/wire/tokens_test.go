package wire

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

var listed = []directory.Token{
	{ID: "a", Digest: [32]byte{1}, Scopes: []string{"decide"}, Limits: &portal.Limits{Accounts: []portal.AccountID{"acme"}, Types: []string{"service"}}},
	{ID: "b", Digest: [32]byte{31: 1}, Scopes: []string{"decide", "explain"}},
}

// A gate knows the tokens that are in force, and of them only what requests are judged by.
func TestTokensAreCarried(t *testing.T) {
	w := newWorld(t)
	revoked := directory.Token{ID: "c", Digest: [32]byte{2}, Scopes: []string{"decide"}, RevokedAt: time.Now()}
	named := listed[1]
	named.Name, named.CreatedAt = "edge", time.Now()
	w.listed = []directory.Token{listed[0], revoked, named}
	c := w.client(nil, w.serve(w.keeper, nil, false))
	got, err := c.Tokens(t.Context())
	if diff := cmp.Diff(listed, must(t, got, err)); diff != "" {
		t.Error(diff)
	}
	w.failed = directory.ErrUnavailable
	if got, err := c.Tokens(t.Context()); !errors.Is(err, directory.ErrUnavailable) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// A token that lost its limit or its digest is not believed, nor one of another call.
func TestTokensThatAreNotBelieved(t *testing.T) {
	body, err := encodeTokens("call", listed)
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"call":"call"`:                 `"call":"other"`,
		`"version":1`:                   `"version":2`,
		`"limits":null`:                 `"limit":null`,
		`"limits":{`:                    `"limits":{"requires":["hours"],`,
		`["acme"],"types":["service"]`:  `[],"types":[]`,
		`"digest":"01`:                  `"digest":"`,
		`"scopes":["decide"]`:           `"scopes":null`,
		`"id":"a"`:                      `"id":""`,
		`"accounts":["acme"]`:           `"account":["acme"]`,
		`{"id":"b"`:                     `{"requires":["x"],"id":"b"`,
		strings.Repeat("0", 60) + `01"`: strings.Repeat("0", 60) + `011"`,
		`"tokens":[`:                    `"tokens":[null,`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if got, err := decodeTokens([]byte(changed), "call"); changed == text || err == nil || got != nil {
			t.Errorf("%s is read", is)
		}
	}
}

func FuzzTokens(f *testing.F) {
	body, err := encodeTokens("call", listed)
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeTokens(body, "call")
		if err != nil {
			return
		}
		again, err := encodeTokens("call", got)
		same, err := decodeTokens(must(t, again, err), "call")
		if diff := cmp.Diff(got, same); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

// echo answers a forwarded search with what came.
func echo(status int, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Doorward-Revision", r.Header.Get("Authorization")+" "+r.RequestURI+" "+r.Header.Get("Doorward-Min-Revision")+r.Header.Get("Cookie"))
		w.Header().Set("Retry-After", "1")
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.Header().Set("Set-Cookie", "x=y")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("{}"))
	}
}

// R16: a search is answered by a directory, for the client that asks, or for the gate where
// clients need no token. A directory that cannot answer is passed by, and one that says
// no is not.
func TestSearchesAreForwarded(t *testing.T) {
	w := newWorld(t)
	garbage, down := w.start(echo(200, "text/html"), false), w.start(echo(503, problemType), false)
	for name, c := range map[string]struct {
		servers []*httptest.Server
		own     string
		status  int
		revison string
	}{
		"with its token":  {[]*httptest.Server{w.start(echo(200, jsonType), false)}, "Bearer dw_x_y", 200, "Bearer dw_x_y /access/v1/search/subject?x=1 5.00"},
		"without one":     {[]*httptest.Server{w.start(echo(200, jsonType), false)}, "", 200, "Bearer " + w.secret.Text + " /access/v1/search/subject?x=1 5.00"},
		"refused":         {[]*httptest.Server{w.start(echo(403, problemType), false), garbage}, "Bearer x", 403, "Bearer x /access/v1/search/subject?x=1 5.00"},
		"one is down":     {[]*httptest.Server{garbage, down, w.start(echo(200, jsonType), false)}, "Bearer x", 200, "Bearer x /access/v1/search/subject?x=1 5.00"},
		"none can answer": {[]*httptest.Server{down, garbage}, "Bearer x", 503, "Bearer x /access/v1/search/subject?x=1 5.00"},
		"there is none":   {[]*httptest.Server{garbage}, "Bearer x", 0, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/access/v1/search/subject?x=1", strings.NewReader("{}"))
		r.Header = http.Header{"Content-Type": {jsonType}, "Doorward-Min-Revision": {"5.00"}, "Cookie": {"secret"}}
		if c.own != "" {
			r.Header.Set("Authorization", c.own)
		}
		got := httptest.NewRecorder()
		err := w.client(nil, c.servers...).Forward(got, r)
		if c.status == 0 {
			if !errors.Is(err, directory.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || got.Code != c.status || got.Body.String() != "{}" || got.Header().Get("Doorward-Revision") != c.revison || got.Header().Get("Set-Cookie") != "" ||
			got.Header().Get("Retry-After") != "1" || got.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %v, %d %s %v", name, err, got.Code, got.Body, got.Header())
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/access/v1/search/subject", strings.NewReader(strings.Repeat("x", maxForwarded+1)))
	var tooLarge *http.MaxBytesError
	if err := w.client(nil, garbage).Forward(httptest.NewRecorder(), r); !errors.As(err, &tooLarge) {
		t.Error(err)
	}
}

// A connection that the directory has closed as idle costs a search nothing but a new one.
func TestASearchOnAnIdleConnectionThatWasClosed(t *testing.T) {
	w := newWorld(t)
	server := w.start(echo(200, jsonType), false)
	c := w.client(nil, server)
	for range 50 {
		got := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/access/v1/search/subject", strings.NewReader("{}"))
		if err := c.Forward(got, r); err != nil || got.Code != 200 {
			t.Errorf("%d, %v", got.Code, err)
		}
		server.CloseClientConnections()
	}
}

// tokensOf is what a world's directory says of tokens.
func (w *world) tokensOf(context.Context) ([]directory.Token, error) { return w.listed, w.failed }
