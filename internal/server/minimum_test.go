package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// R15: who has seen a position is answered from that or a later one, or not at all.
func TestMinimumRevision(t *testing.T) {
	url := start(t, local(t)).urls[0]
	first, _ := call(t, http.DefaultClient, "POST", url+"/access/v1/evaluation", question, asJSON)
	at := first.Header.Get("Doorward-Revision")
	revision, tag, _ := strings.Cut(at, ".")
	zeros := strings.Repeat("0", len(tag))
	for _, c := range []struct {
		name   string
		values []string
		status int
		code   string
	}{
		{"reached", []string{at}, 200, "r"},
		{"earlier", []string{"0." + zeros}, 200, "r"},
		{"later", []string{"9" + revision + "." + tag}, 503, "problem:revision_not_reached"},
		{"another history", []string{revision + "." + zeros}, 503, "problem:revision_not_reached"},
		{"a number", []string{revision}, 400, "problem:invalid_request"},
		{"empty", []string{""}, 400, "problem:invalid_request"},
		{"twice", []string{at, at}, 400, "problem:invalid_request"},
	} {
		for path, body := range map[string]string{
			"/access/v1/evaluation": question, "/access/v1/evaluations": `{"evaluations":[` + question + `]}`,
			"/access/v1/search/action": question,
		} {
			header := asJSON.Clone()
			header["Doorward-Min-Revision"] = c.values
			response, got := call(t, http.DefaultClient, "POST", url+path, body, header)
			if response.StatusCode != c.status || !strings.Contains(got, c.code) || c.status != 200 && strings.Contains(got, `decision"`) {
				t.Errorf("%s, %s: %d %s", c.name, path, response.StatusCode, got)
			}
		}
	}
}
