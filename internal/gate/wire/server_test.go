package wire

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
	"doorward/internal/token"
)

// Nobody is answered without a token for gates, also on loopback.
func TestOnlyGatesAreAnswered(t *testing.T) {
	w := newWorld(t)
	server := w.serve(w.keeper, nil, false)
	body, err := encodeLeave("i")
	leave := string(must(t, body, err))
	for name, c := range map[string]struct {
		secret string
		header http.Header
		status int
	}{
		"a gate":          {w.secret.Text, nil, 200},
		"nobody":          {"", nil, 401},
		"a web page":      {"", http.Header{"Origin": {"http://127.0.0.1"}}, 401},
		"an unknown":      {strings.Replace(w.secret.Text, "dw_", "dw_a", 1), nil, 401},
		"a portal":        {w.token(portal.Limits{}, token.Decide, token.Explain).Text, nil, 403},
		"a limited gate":  {w.token(portal.Limits{Accounts: []portal.AccountID{"acme"}}, token.Gate).Text, nil, 403},
		"two credentials": {"", http.Header{"Authorization": {"Bearer " + w.secret.Text, "Bearer x"}}, 401}, // S9
	} {
		for _, path := range []string{pathAsk, pathLeave, pathFacts} {
			status, text := w.post(server.URL+path, c.secret, leave, c.header)
			if want := c.status; status != want && !(want == 200 && path != pathLeave && status == 400) {
				t.Errorf("%s at %s: %d %s", name, path, status, text)
			}
		}
	}
}

// What is malformed is a 400 with its place, and what is too large a 413 (S40, S41).
func TestCallsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	server := w.serve(w.keeper, nil, false)
	body, err := encodeAsk(gate.Ask{Instance: "i", Term: time.Hour})
	long := string(must(t, body, err))
	key := `{"account":"a","subject":["user","u"]}`
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{pathAsk, long, 400, `"pointer":"/term_ns"`},
		{pathAsk, strings.Replace(long, "3600000000000", `1,"term_ns":1`, 1), 400, "malformed_json"}, // S40
		{pathAsk, long + "{}", 400, "malformed_json"},                                                // S40
		{pathAsk, `{"x":` + strings.Repeat("[", 10_001), 400, "malformed_json"},                      // S41
		{pathAsk, `{"x":"` + strings.Repeat("x", maxBody-5), 413, "body_too_large"},                  // S41
		{pathAsk, "", 400, "malformed_json"},
		{pathAsk, strings.Replace(long, `"wait_ns":0`, `"wait_ns":null`, 1), 400, `"pointer":"/wait_ns"`},
		{pathLeave, `{"instance":"a\u0000"}`, 400, `"pointer":"/instance"`},
		{pathFacts, `{"call":"c","confirmed":false,"keys":[` + strings.Repeat(key+",", maxKeys) + key + `]}`, 400, `"pointer":"/keys"`},
		{pathFacts, `{"call":"c","confirmed":false,"keys":[` + key + `],"requires":["more"]}`, 400, "invalid_request"},
	} {
		status, text := w.post(server.URL+c.path, w.secret.Text, c.body, nil)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%.60s: %d %s", c.body, status, text)
		}
	}
	if status, text := w.post(server.URL+pathAsk, w.secret.Text, long, http.Header{"Content-Type": {"text/plain"}}); status != 400 {
		t.Error(status, text)
	}
	if status, _ := w.post(server.URL+"/gates/v2/ask", w.secret.Text, long, nil); status != 404 {
		t.Error("there is a version 2")
	}
}

// Why a directory cannot answer is told in words that were written for it.
func TestWhatGoesWrong(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: 40s", barrier.ErrTerm), "invalid_request"},
		{fmt.Errorf("secret: %w", barrier.ErrUnconfirmed), "directory_unavailable"},
		{fmt.Errorf("secret: %w", errDirectory), "directory_unavailable"},
		{errors.New("secret"), "internal"},
	} {
		reg := prometheus.NewRegistry()
		server := w.serve(failing(c.err), reg, false)
		client := w.client(nil, server)
		_, err := client.Ask(t.Context(), asked)
		_, unread := client.Facts(t.Context(), one.keys, true)
		for _, err := range []error{err, unread, client.Leave(t.Context(), "i")} {
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v: %v", c.err, err)
			}
		}
		want := fmt.Sprintf("# HELP doorward_directory_asks_total Asks of gates, by result: answered, or the code of the problem.\n"+
			"# TYPE doorward_directory_asks_total counter\ndoorward_directory_asks_total{result=%q} 1\n", c.want)
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	}
}
