package authzen

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// exchange sends raw bytes on a connection of its own and reads the answer. The
// path's host is the server's.
func exchange(t *testing.T, url, request string) (*http.Response, string) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// raw writes a request as it goes over the wire.
func raw(method, path, headers, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n%s", method, path, len(body), headers, body)
}

// c-2-4-3, authzen.md 5: the media type decides, compared without case; what is
// not JSON is 400.
func TestContentType(t *testing.T) {
	url, _ := serve(t, records{})
	question := ask(alice, read, record1)
	for header, want := range map[string]int{
		"Content-Type: application/json\r\n":                                   200,
		"content-type: Application/JSON\r\n":                                   200,
		"Content-Type: application/json; charset=utf-8\r\n":                    200,
		"Content-Type: application/json;charset=\"UTF-8\"; x=y\r\n":            200,
		"Content-Type:   application/json  \r\n":                               200,
		"Content-Type: application/json;\r\n":                                  200,
		"":                                                                     400,
		"Content-Type:\r\n":                                                    400,
		"Content-Type: text/plain\r\n":                                         400,
		"Content-Type: application/json-patch+json\r\n":                        400,
		"Content-Type: application/jsonx\r\n":                                  400,
		"Content-Type: application/problem+json\r\n":                           400,
		"Content-Type: text/json\r\n":                                          400,
		"Content-Type: json\r\n":                                               400,
		"Content-Type: application/x-www-form-urlencoded\r\n":                  400,
		"Content-Type: application/json, text/plain\r\n":                       400,
		"Content-Type: application/json; charset\r\n":                          400,
		"Content-Type: application/json\r\nContent-Type: text/plain\r\n":       400,
		"Content-Type: application/json\r\nContent-Type: application/json\r\n": 400,
	} {
		response, body := exchange(t, url, raw("POST", EvaluationPath, header+"X-Request-ID: r1\r\n", question))
		if response.StatusCode != want {
			t.Errorf("%q: got %d %s, want %d", header, response.StatusCode, body, want)
		}
		if want == 400 && !strings.Contains(body, "wrong_content_type") {
			t.Errorf("%q: %s", header, body)
		}
		if response.Header.Get("X-Request-ID") != "r1" {
			t.Errorf("%q: no request id", header)
		}
	}
}

// authzen.md 5: other methods are 405 with Allow.
func TestMethods(t *testing.T) {
	url, _ := serve(t, records{})
	question := ask(alice, read, record1)
	for _, path := range []string{EvaluationPath, EvaluationsPath} {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SEARCH", "post", "Post"} {
			response, body := exchange(t, url, raw(method, path, "Content-Type: application/json\r\nX-Request-ID: r2\r\n", question))
			if response.StatusCode != 405 || response.Header.Get("Allow") != "POST" || response.Header.Get("X-Request-ID") != "r2" {
				t.Errorf("%s %s: got %d, headers %v", method, path, response.StatusCode, response.Header)
			}
			if method != "HEAD" {
				pointerOf(t, body)
			}
		}
	}
}

// authzen.md 5, c-5 no. 4: the request id comes back unchanged on every answer.
func TestRequestID(t *testing.T) {
	url, _ := serve(t, records{})
	question := ask(alice, read, record1)
	const json = "Content-Type: application/json\r\n"
	for _, id := range []string{"bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "a b\t;,=\"\\<>", "é\xff", strings.Repeat("x", 5000), "{}", "-"} {
		for want, request := range map[int]string{
			200: raw("POST", EvaluationPath, json+"x-request-id: "+id+"\r\n", question),
			400: raw("POST", EvaluationPath, json+"X-REQUEST-ID: "+id+"\r\n", "{"),
			404: raw("POST", "/elsewhere", json+"X-Request-ID: "+id+"\r\n", question),
			405: raw("GET", EvaluationPath, "X-Request-ID: "+id+"\r\n", ""),
			413: raw("POST", EvaluationPath, json+"X-Request-ID: "+id+"\r\n", strings.Repeat(" ", maxBody+1)),
			503: raw("POST", EvaluationPath, json+"X-Request-ID: "+id+"\r\n", ask(`{"type":"user","id":"unjudged"}`, read, record1)),
		} {
			response, _ := exchange(t, url, request)
			if got := response.Header.Values("X-Request-ID"); response.StatusCode != want || len(got) != 1 || got[0] != id {
				t.Errorf("%.40q: got %d, want %d; request id %.40q", id, response.StatusCode, want, got)
			}
		}
	}
	response, _ := exchange(t, url, raw("POST", EvaluationPath, json, question))
	if got, sent := response.Header["X-Request-Id"]; sent {
		t.Errorf("no request id was sent, and %q came back", got)
	}
	response, _ = exchange(t, url, raw("POST", EvaluationPath, json+"X-Request-ID: a\r\nX-Request-ID: b\r\n", question))
	if got := response.Header.Values("X-Request-ID"); strings.Join(got, "|") != "a|b" {
		t.Errorf("two request ids came back as %q", got)
	}
}

// The middleware echoes around a server that refuses before the endpoints do.
func TestRequestIDOn401(t *testing.T) {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	w := newRecorder()
	r, err := http.NewRequest("POST", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-ID", "r3")
	EchoRequestID(refuse).ServeHTTP(w, r)
	if w.Code != 401 || w.Header().Get("X-Request-ID") != "r3" {
		t.Errorf("got %d, %v", w.Code, w.Header())
	}
}

// design 3: the headers of a decision.
func TestHeaders(t *testing.T) {
	url, _ := serve(t, records{})
	seen := map[string]bool{}
	id := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for _, path := range []string{EvaluationPath, EvaluationsPath, EvaluationPath} {
		_, _, header := post(t, url+path, ask(alice, read, record1))
		for name, want := range map[string]string{
			"Content-Type":      "application/json",
			"Cache-Control":     "no-store",
			"Doorward-Revision": "7.abcd0000000000000000000000000000",
			"Doorward-Policy":   "sha256:0123",
		} {
			if got := header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		got := header.Get("Doorward-Decision-Id")
		if !id.MatchString(got) || seen[got] {
			t.Errorf("decision id %q is no fresh one", got)
		}
		seen[got] = true
	}
}

// The headers follow the facts: a basis written before is not shown for another.
func TestHeadersFollowTheBasis(t *testing.T) {
	h := &Handler{}
	next := basis
	next.Position.Revision++
	other := next
	other.Policy = "sha256:4567"
	for range 2 {
		for _, b := range []struct{ revision, policy, got, gotPolicy string }{
			{basis.Position.String(), basis.Policy, h.textOf(basis).revision[0], h.textOf(basis).policy[0]},
			{next.Position.String(), next.Policy, h.textOf(next).revision[0], h.textOf(next).policy[0]},
			{other.Position.String(), other.Policy, h.textOf(other).revision[0], h.textOf(other).policy[0]},
		} {
			if b.got != b.revision || b.gotPolicy != b.policy {
				t.Errorf("got %s %s, want %s %s", b.got, b.gotPolicy, b.revision, b.policy)
			}
		}
	}
}

// c-2-6: the same request has the same answer, byte for byte, three times.
func TestRepetition(t *testing.T) {
	url, _ := serve(t, records{})
	batch := batchOf("", ask(alice, read, record1), ask(bob, write, record1), `{}`, ask(alice, named("step up"), record1), ask(`{"type":"user","id":"unjudged"}`, read, record1))
	for _, c := range [][2]string{
		{EvaluationPath, ask(alice, named("step up"), record1)},
		{EvaluationPath, ask(bob, write, record1)},
		{EvaluationPath, `{"a":1,"a":2}`},
		{EvaluationsPath, batch},
		{EvaluationsPath, `{"options":1}`},
	} {
		status, first, _ := post(t, url+c[0], c[1])
		for range 2 {
			if again, body, _ := post(t, url+c[0], c[1]); again != status || body != first {
				t.Errorf("%s: %d %s, then %d %s", c[1], status, first, again, body)
			}
		}
	}
}

// A connection lives on after a refusal, and after a body that was not chunked as
// promised it does not hang.
func TestConnections(t *testing.T) {
	url, _ := serve(t, records{})
	question := ask(alice, read, record1)
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	for i, c := range []struct {
		method, headers, body string
		want                  int
	}{
		{"POST", "Content-Type: application/json\r\n", question, 200},
		{"POST", "Content-Type: text/plain\r\n", question, 400},
		{"PUT", "Content-Type: application/json\r\n", question, 405},
		{"POST", "Content-Type: application/json\r\n", question + "x", 400},
		{"POST", "Content-Type: application/json\r\n", question, 200},
	} {
		request := strings.Replace(raw(c.method, EvaluationPath, c.headers, c.body), "Connection: close\r\n", "", 1)
		if _, err := io.WriteString(connection, request); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != c.want {
			t.Errorf("request %d: got %d, want %d; %v", i, response.StatusCode, c.want, err)
		}
	}
	broken := "POST " + EvaluationPath + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
	if response, body := exchange(t, url, broken); response.StatusCode != 400 {
		t.Errorf("a broken chunk: got %d %s", response.StatusCode, body)
	}
}
