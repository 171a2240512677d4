package server_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/server"
	"doorward/internal/token"
)

// An explanation is for tokens that may decide and explain, and for nobody else; it is
// counted apart and nothing of it is remembered.
func TestExplanationsNeedTheirScope(t *testing.T) {
	c := local(t)
	c.Auth.Mode = config.AuthToken
	texts := tokens(t, c, map[string][]string{"both": {"decide", "explain"}, "decide": {"decide"}, "explain": {"explain"}})
	url := start(t, c).urls[0]
	evaluation := url + "/access/v1/evaluation"
	for name, want := range map[string]int{"both": 200, "decide": 403, "explain": 403, "": 401} {
		header := asJSON
		if name != "" {
			header = with(asJSON, "Authorization", "Bearer "+texts[name])
		}
		response, body := call(t, http.DefaultClient, "POST", evaluation+"?explain", question, header)
		if response.StatusCode != want || strings.Contains(body, "explanation") != (want == 200) {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
	may := with(asJSON, "Authorization", "Bearer "+texts["both"])
	_, metrics := call(t, http.DefaultClient, "GET", url+"/metrics", "", may)
	for _, want := range []string{`doorward_explanations_total{outcome="allow"} 1`, "doorward_memo_entries 0"} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(metrics, `doorward_decisions_total{outcome="allow",reason="",tier="rules"} 1`) {
		t.Error("an explanation was counted as a decision")
	}
	if response, body := call(t, http.DefaultClient, "POST", evaluation, question, may); response.StatusCode != 200 || body != `{"decision":true}` {
		t.Errorf("the plain answer is %d %s", response.StatusCode, body)
	}
	if response, _ := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluations?explain", question, may); response.StatusCode != 400 {
		t.Errorf("a batch explained: %d", response.StatusCode)
	}
}

// Where no tokens are wanted, which is on loopback only, explanations are open, but not
// to web pages nor to a token that may not.
func TestExplanationsWithoutTokens(t *testing.T) {
	c := local(t)
	texts := tokens(t, c, map[string][]string{"decide": {"decide"}})
	evaluation := start(t, c).urls[0] + "/access/v1/evaluation?explain"
	for name, at := range map[string]struct {
		header http.Header
		want   int
	}{
		"nobody":     {asJSON, 200},
		"a web page": {with(asJSON, "Origin", "http://x.example"), 403},
		"a token":    {with(asJSON, "Authorization", "Bearer "+texts["decide"]), 403},
	} {
		if response, body := call(t, http.DefaultClient, "POST", evaluation, question, at.header); response.StatusCode != at.want {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
}

// tokens makes tokens with scopes, before the server runs.
func tokens(t *testing.T, c config.Config, scopes map[string][]string) map[string]string {
	t.Helper()
	store, err := server.OpenDirectory(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	texts := make(map[string]string)
	for name, list := range scopes {
		made, err := (&token.Admin{Store: store, Now: time.Now, Actor: "test"}).Create(t.Context(), name, list)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = made.Text
	}
	return texts
}
