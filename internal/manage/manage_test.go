package manage

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// E3: what is put is shown, in the words of the import format; putting it again changes
// nothing.
func TestPutAndLook(t *testing.T) {
	s := open(t)
	s.must(t, 201, "PUT", "/v1/users/anna", `{"email":"anna@acme.example"}`)
	for _, c := range []struct{ path, body, shown, changed string }{
		{"/v1/users/7", `{"email":"dee@agency.example","first_name":"Dee","second_factor":"totp","last_login":"2026-01-01 00:00:00.000","source":"whmcs"}`,
			`{"kind":"user","id":"7","source":"whmcs","email":"dee@agency.example","first_name":"Dee","status":"active","second_factor":"yes","last_login":"2026-01-01T00:00:00Z"}`,
			`{"email":"dee@agency.example","status":"disabled","source":"whmcs"}`},
		{"/v1/accounts/42", `{"name":"Acme Ltd","status":"Active","owner":"anna"}`,
			`{"kind":"account","id":"42","name":"Acme Ltd","status":"active","mfa_required":false,"owner":"anna"}`, `{"name":"Acme","mfa_required":true}`},
		{"/v1/accounts/42/memberships/7", `{"presets":["developer"],"scope":["service:5"],"not_after":"2030-01-01T00:00:00Z","emails":{"domain":false}}`,
			`{"kind":"membership","account":"42","user":"7","owner":false,"state":"active","presets":["developer"],"scope":["service:5"],"not_after":"2030-01-01T00:00:00Z","emails":{"domain":false}}`,
			`{"state":"removed"}`},
		{"/v1/accounts/42/contacts/9", `{"email":"books@acme.example","emails":{"invoice":true},"scope":["domain:acme.example"]}`,
			`{"kind":"contact","id":"9","account":"42","email":"books@acme.example","status":"active","emails":{"invoice":true},"scope":["domain:acme.example"]}`,
			`{"status":"removed"}`},
	} {
		s.must(t, 404, "GET", c.path, "")
		put := s.call("PUT", c.path, c.body)
		if put.Code != 201 || strings.TrimSpace(put.Body.String()) != c.shown {
			t.Errorf("%s: got %d %s\nwant %s", c.path, put.Code, put.Body, c.shown)
		}
		at := s.head(t).String()
		for _, w := range []struct{ method, body string }{{"GET", ""}, {"PUT", c.body}, {"PUT", c.shown}, {"HEAD", ""}} {
			got := s.call(w.method, c.path, w.body)
			if got.Code != 200 || got.Body.String() != put.Body.String() && w.method != "HEAD" {
				t.Errorf("%s %s: got %d %s", w.method, c.path, got.Code, got.Body)
			}
			h := got.Header()
			headers := []string{h.Get("Doorward-Revision"), h.Get("Cache-Control"), h.Get("Content-Type"), h.Get("X-Content-Type-Options")}
			if diff := cmp.Diff([]string{at, "no-store", "application/json", "nosniff"}, headers); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", w.method, c.path, diff)
			}
		}
		if changed := s.must(t, 200, "PUT", c.path, c.changed); changed == c.shown || s.head(t).String() == at || s.must(t, 200, "GET", c.path, "") != changed {
			t.Errorf("%s: changed to %s", c.path, changed)
		}
	}
	// What is personal of a contact goes with it.
	if got := s.must(t, 200, "GET", "/v1/accounts/42/contacts/9", ""); strings.Contains(got, "books@") {
		t.Error(got)
	}
}

// A13.13
func TestSigninIsReported(t *testing.T) {
	s := open(t)
	s.fill(t)
	got := s.must(t, 200, "POST", "/v1/users/anna/signins", `{"account":"acme","ip":"192.0.2.7"}`)
	if got != `{"kind":"user","id":"anna","email":"anna@acme.example","status":"active","last_login":"2026-11-22T12:00:00Z"}` {
		t.Error(got)
	}
	if m := s.must(t, 200, "GET", "/v1/accounts/acme/memberships/anna", ""); !strings.Contains(m, `"last_login":"2026-11-22T12:00:00Z"`) {
		t.Error(m)
	}
	s.must(t, 404, "POST", "/v1/users/Anna/signins", `{}`) // S14
	s.must(t, 409, "POST", "/v1/users/dee/signins", `{"account":"acme"}`)
	s.must(t, 400, "POST", "/v1/users/dee/signins", `{"at":"tomorrow"}`)
	var line string
	for l, err := range s.store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Action == "user.signin" {
			line += fmt.Sprint(l.Actor, l.Client, l.Object, l.Detail["account"], len(l.Detail["ip_digest"]), strings.Contains(fmt.Sprint(l), "192.0"))
		}
	}
	if line != "client:t1t1user:annaacme32 false" {
		t.Errorf("the trail has %q", line)
	}
}

// The answer to a batch tells of each record, and what to look at; it is counted.
func TestBatch(t *testing.T) {
	s := open(t)
	s.fill(t)
	got := s.must(t, 200, "POST", "/v1/batch", `{"source":"whmcs","records":[
		{"kind":"membership","id":"311","account":"acme","user":"7","permissions":"invoices,teleport"},{"kind":"user","id":"7","email":"x@y.example","groupid":1},
		{"kind":"account","id":"shop","owner":"anna"},{"kind":"contact","id":"books","account":"shop","email":"books@shop.example","source":"blesta"},{"kind":"signin","user":"dee"}]}`)
	want := `{"records":[{"kind":"membership","account":"acme","user":"7","outcome":"new"},{"kind":"user","id":"7","outcome":"new"},` +
		`{"kind":"account","id":"shop","outcome":"changed"},{"kind":"contact","account":"shop","id":"books","outcome":"changed"},{"kind":"signin","user":"dee","outcome":"changed"}],` +
		`"warnings":[{"detail":"there is no permission \"teleport\"; it grants nothing","pointer":"/records/0"},` +
		`{"detail":"ignored, because it means nothing here: \"groupid\"","pointer":"/records/1"}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.must(t, 200, "POST", "/v1/batch", `{"records":[]}`); got != `{"records":[]}` {
		t.Error(got)
	}
	counted := 0.0
	for _, kind := range []string{"user", "account", "membership", "contact", "signin"} {
		for _, outcome := range []string{"new", "changed", "unchanged"} {
			counted += testutil.ToFloat64(s.Metrics.records.WithLabelValues(kind, outcome))
		}
	}
	if n := testutil.ToFloat64(s.Metrics.records.WithLabelValues("user", "new")); n != 3 || counted != 10 {
		t.Errorf("counted %v new users, %v records", n, counted)
	}
}

// What a person has to mend is told of each record, with its place.
func TestProblemsOfABatch(t *testing.T) {
	s := open(t)
	s.fill(t)
	before := s.head(t)
	w := s.call("POST", "/v1/batch", `{"records":[{"kind":"user","id":"8","email":"a@b@c.example"},{"kind":"user","id":"9","email":"x@y.example"},null,
		{"kind":"membership","account":"acme","user":"9","categories":["security"]}]}`)
	p := problemIn(t, w)
	if w.Code != 400 || p.Type != "invalid_request" || p.Pointer != "/records/0/email" || !strings.HasSuffix(p.Detail, "(and 2 more, see errors)") {
		t.Errorf("%+v", p)
	}
	var at []string
	for _, e := range p.Errors {
		at = append(at, e.Pointer)
	}
	if diff := cmp.Diff([]string{"/records/0/email", "/records/2", "/records/3/categories/0"}, at); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p = problemIn(t, s.call("POST", "/v1/batch", `{"records":[{"kind":"user","id":"9","email":"x@y.example"},{"kind":"account","id":"43"}]}`))
	if p.Status != 409 || p.Type != "conflict" || p.Pointer != "/records/1" || !strings.Contains(p.Detail, "account 43 would have no owner") || len(p.Errors) != 1 {
		t.Errorf("%+v", p)
	}
	p = problemIn(t, s.call("PUT", "/v1/accounts/43", `{"name":"x"}`))
	if p.Status != 409 || p.Pointer != "" || !strings.Contains(p.Detail, `"owner":"7"`) {
		t.Errorf("%+v", p)
	}
	if s.head(t) != before {
		t.Error("something was changed")
	}
}

// A token of some accounts, or of some kinds of things, sees and changes no others, and
// learns nothing of them; users reach beyond accounts.
func TestALimitedClientKeepsToItsAccounts(t *testing.T) {
	s := open(t)
	s.fill(t)
	acme := &portal.Limits{Accounts: []portal.AccountID{"acme"}}
	contacts := &portal.Limits{Types: []string{"contact"}}
	users := &portal.Limits{Types: []string{"user"}}
	const person, member = `{"email":"x@y.example"}`, `{"presets":["support"]}`
	for _, c := range []struct {
		limits             *portal.Limits
		status             int
		method, path, body string
	}{
		{acme, 200, "GET", "/v1/accounts/acme", ""},
		{acme, 200, "PUT", "/v1/accounts/acme", `{"name":"Acme"}`},
		{acme, 201, "PUT", "/v1/accounts/acme/memberships/dee", member},
		{acme, 201, "PUT", "/v1/accounts/acme/contacts/9", person},
		{acme, 404, "GET", "/v1/accounts/acme/contacts/books", ""},
		{acme, 409, "PUT", "/v1/accounts/acme/contacts/books", person},
		{acme, 403, "GET", "/v1/accounts/shop", ""},
		{acme, 403, "GET", "/v1/accounts/nowhere", ""},
		{acme, 403, "GET", "/v1/accounts/Acme", ""},
		{acme, 403, "PUT", "/v1/accounts/shop", `{`},
		{acme, 403, "PUT", "/v1/accounts/shop/memberships/dee", member},
		{acme, 403, "GET", "/v1/accounts/shop/memberships/anna", ""},
		{acme, 403, "GET", "/v1/accounts/shop/contacts/books", ""},
		{acme, 403, "GET", "/v1/users/anna", ""},
		{acme, 403, "PUT", "/v1/users/anna", person},
		{acme, 403, "POST", "/v1/users/anna/signins", `{"account":"acme"}`},
		{acme, 200, "POST", "/v1/batch", `{"records":[{"kind":"account","id":"acme","name":"Acme"}]}`},
		{acme, 403, "POST", "/v1/batch", `{"records":[{"kind":"account","id":"acme","name":"taken"},{"kind":"account","id":"shop","name":"taken"}]}`},
		{acme, 403, "POST", "/v1/batch", `{"records":[{"kind":"signin","user":"anna","account":"acme"}]}`},
		{acme, 403, "POST", "/v1/batch", `{"records":[{"kind":"user","id":"7","email":"x@y.example"}]}`},
		{contacts, 201, "PUT", "/v1/accounts/shop/contacts/10", person},
		{contacts, 403, "PUT", "/v1/accounts/shop/memberships/dee", member},
		{contacts, 403, "GET", "/v1/users/anna", ""},
		{users, 200, "GET", "/v1/users/anna", ""},
		{users, 200, "POST", "/v1/users/anna/signins", `{}`},
		{users, 403, "GET", "/v1/accounts/acme", ""},
	} {
		s.limited(c.limits)
		before := s.head(t)
		w := s.call(c.method, c.path, c.body)
		if w.Code != c.status || w.Code >= 400 && s.head(t) != before {
			t.Errorf("%s %s %s: got %d %s, want %d", c.method, c.path, c.body, w.Code, w.Body, c.status)
		}
		if c.limits == acme && strings.Contains(w.Body.String(), "shop") {
			t.Errorf("%s %s tells of the other account: %s", c.method, c.path, w.Body)
		}
	}
}

// What no guard has let pass is refused, whatever it is.
func TestNobodyIsNoClient(t *testing.T) {
	s := open(t)
	s.fill(t)
	s.Client = func(context.Context) string { return "" }
	before := s.head(t)
	for _, c := range []string{"GET /v1/users/anna", "PUT /v1/users/anna", "GET /v1/accounts/acme", "PUT /v1/accounts/acme/memberships/dee", "POST /v1/users/anna/signins", "POST /v1/batch"} {
		method, path, _ := strings.Cut(c, " ")
		if w := s.call(method, path, `{"records":[]}`); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: got %d %s", c, w.Code, w.Body)
		}
	}
	if s.head(t) != before {
		t.Error("something was changed")
	}
}

// A directory that cannot be written is 503 and tells why to the log alone.
func TestAClosedDirectory(t *testing.T) {
	s := open(t)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{"GET /v1/users/anna", "PUT /v1/users/anna", "POST /v1/users/anna/signins"} {
		method, path, _ := strings.Cut(c, " ")
		if p := problemIn(t, s.call(method, path, `{"email":"x@y.example"}`)); p.Status != 503 || p.Type != "directory_unavailable" {
			t.Errorf("%s: %+v", c, p)
		}
	}
	if !strings.Contains(s.log.String(), directory.ErrUnavailable.Error()) {
		t.Errorf("log: %s", s.log)
	}
}

// req 95, req 116: of a membership is shown on which day it was last used, and of nothing else.
// What is shown can be put, and that changes nothing.
func TestLastUseIsShown(t *testing.T) {
	s := open(t)
	s.fill(t)
	day := portal.DayOf(noon)
	if err := s.store.Used(t.Context(), []portal.Use{{Account: "acme", User: "anna", Day: day}}); err != nil {
		t.Fatal(err)
	}
	plain := s.must(t, 200, "GET", "/v1/accounts/acme/memberships/anna", "")
	s.LastUse = s.store.LastUse
	shown := s.must(t, 200, "GET", "/v1/accounts/acme/memberships/anna", "")
	if want := strings.TrimSuffix(plain, "}") + `,"last_used":"2026-11-22"}`; shown != want {
		t.Errorf("got %s\nwant %s", shown, want)
	}
	for _, path := range []string{"/v1/accounts/shop/memberships/anna", "/v1/users/anna", "/v1/accounts/acme"} {
		if got := s.must(t, 200, "GET", path, ""); strings.Contains(got, "last_used") {
			t.Errorf("%s: %s", path, got)
		}
	}
	s.must(t, 404, "GET", "/v1/accounts/acme/memberships/dee", "")
	before := s.head(t)
	if put := s.must(t, 200, "PUT", "/v1/accounts/acme/memberships/anna", shown); put != plain || s.head(t) != before {
		t.Errorf("put back: %s", put)
	}
	s.LastUse = func(context.Context, portal.AccountID, portal.UserID) (portal.Day, error) {
		return 0, directory.ErrUnavailable
	}
	s.must(t, 503, "GET", "/v1/accounts/acme/memberships/anna", "")
}
