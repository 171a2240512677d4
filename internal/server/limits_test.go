package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/token"
)

// limited makes a token of the running server's directory.
func limited(t *testing.T, c config.Config, l portal.Limits) http.Header {
	t.Helper()
	store, err := server.OpenDirectory(t.Context(), c, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	made, err := (&token.Admin{Store: store, Now: time.Now, Actor: "cli:test"}).CreateLimited(t.Context(), "x", []string{"decide", "explain"}, l)
	if err != nil {
		t.Fatal(err)
	}
	return with(asJSON, "Authorization", "Bearer "+made.Text)
}

// A limited client learns nothing beyond its limits, neither by asking for one, nor in a
// batch, nor why, nor by searching.
func TestALimitedClient(t *testing.T) {
	c := local(t)
	c.Auth.Mode, c.Decision.Timeout = config.AuthToken, time.Minute
	reseller := limited(t, c, portal.Limits{Accounts: []portal.AccountID{"acme", "brewery"}, Types: []string{"account", "service"}})
	byType := limited(t, c, portal.Limits{Types: []string{"user"}})
	url := start(t, c).urls[0] + "/access/v1/"
	const carl, pay = `"subject":{"type":"user","id":"carl"}`, `"action":{"name":"invoice.pay"}`
	account := func(id string) string { return fmt.Sprintf(`"resource":{"type":"account","id":%q}`, id) }
	service := func(account string) string {
		return fmt.Sprintf(`"resource":{"type":"service","id":"1","properties":{"account":%q}}`, account)
	}
	const dora, list = `"subject":{"type":"user","id":"dora"}`, `"action":{"name":"service.list"}`
	for _, q := range []struct {
		header     http.Header
		path, body string
		status     int
		want       string
	}{
		{reseller, "evaluation", carl + "," + pay + "," + account("acme"), 200, `{"decision":true}`},
		{reseller, "evaluation", carl + "," + pay + "," + account("clinic"), 403, "urn:doorward:problem:forbidden"},
		{reseller, "evaluation", carl + "," + pay + "," + account("nonesuch"), 403, ""},
		{reseller, "evaluation", carl + "," + pay + "," + account("Acme"), 403, ""},
		{reseller, "evaluation", carl + "," + pay + "," + service("acme"), 200, `"decision":`},
		{reseller, "evaluation", carl + "," + pay + "," + service("clinic"), 403, ""},
		{reseller, "evaluation", carl + "," + pay + "," + service("clinic") + `,"context":{"account":"acme"}`, 403, ""},
		{reseller, "evaluation", carl + "," + pay + `,"resource":{"type":"service","id":"1"}`, 403, ""},
		{reseller, "evaluation", carl + "," + pay + `,"resource":{"type":"service","id":"1","properties":{"account":null}},"context":{"account":"acme"}`, 403, ""},
		{reseller, "evaluation", carl + "," + pay + `,"resource":{"type":"invoice","id":"1","properties":{"account":"acme"}}`, 403, ""},
		{reseller, "evaluation", carl + `,"action":{"name":"self.2fa.enable"},"resource":{"type":"user","id":"carl"}`, 403, ""},
		{reseller, "evaluation", carl + "," + pay + `,"resource":{"type":"Account","id":"acme"}`, 403, ""},
		{reseller, "evaluation?explain", carl + "," + pay + "," + account("acme"), 200, `"explanation":`},
		{reseller, "evaluation?explain", carl + "," + pay + "," + account("clinic"), 403, ""},
		{reseller, "evaluations", carl + "," + pay + `,"evaluations":[{` + account("clinic") + `},{` + account("acme") + `}]`, 200,
			`{"evaluations":[{"decision":false,"context":{"error":{"status":403,"message":"This token is limited`},
		{reseller, "evaluations", carl + "," + pay + `,"evaluations":[{` + account("clinic") + `},{` + account("acme") + `}]`, 200, `,{"decision":true}]}`},
		{reseller, "evaluations", carl + "," + pay + "," + account("clinic"), 403, ""},
		{reseller, "search/resource", dora + "," + list + `,"resource":{"type":"account"}`, 200,
			`{"results":[{"type":"account","id":"acme"},{"type":"account","id":"brewery"}]}`},
		{reseller, "search/resource", `"subject":{"type":"user","id":"tess"},"action":{"name":"invoice.list"},"resource":{"type":"account"}`, 200,
			`{"results":[{"type":"account","id":"acme"},{"type":"account","id":"brewery"}]}`},
		{reseller, "search/resource", dora + "," + list + `,"resource":{"type":"user"},"context":{"account":"acme"}`, 200, `{"results":[]}`},
		{reseller, "search/subject", `"subject":{"type":"user"},` + pay + "," + account("acme"), 200, `"carl"`},
		{reseller, "search/subject", `"subject":{"type":"user"},` + pay + "," + account("clinic"), 403, ""},
		{reseller, "search/action", carl + "," + account("acme"), 200, `"invoice.pay"`},
		{reseller, "search/action", carl + "," + account("clinic"), 403, ""},
		{byType, "evaluation", carl + `,"action":{"name":"self.2fa.enable"},"resource":{"type":"user","id":"carl"}`, 200, `"decision":true`},
		{byType, "evaluation", carl + "," + pay + "," + account("acme"), 403, ""},
		{byType, "search/resource", dora + "," + list + `,"resource":{"type":"account"}`, 200, `{"results":[]}`},
	} {
		response, text := call(t, http.DefaultClient, "POST", url+q.path, "{"+q.body+"}", q.header)
		if response.StatusCode != q.status || !strings.Contains(text, q.want) {
			t.Errorf("%s {%s}: got %d %s, want %d %s", q.path, q.body, response.StatusCode, text, q.status, q.want)
		}
	}
}
