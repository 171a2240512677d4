package manage

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Bad input is refused with its place, and changes nothing: S6 and dots in ids, S14, S38,
// S40, S41.
func TestBadInputChangesNothing(t *testing.T) {
	s := open(t)
	s.fill(t)
	const user, batch = "/v1/users/7", "/v1/batch"
	email := func(more string) string { return `{"email":"x@y.example"` + more + `}` }
	records := func(n int) string { return `{"records":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}` }
	before := s.head(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		code, pointer      string
	}{
		{"PUT", "/v1/users/a%2fb", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/a%252fb", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/%2e%2e", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/%2e", email(""), 400, "invalid_request", ""},
		{"GET", "/v1/accounts/acme/memberships/%2e%2e", "", 400, "invalid_request", ""},
		{"PUT", "/v1/users/a%00", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/a%0ab", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/%ff", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/a%20b", email(""), 400, "invalid_request", ""},
		{"PUT", "/v1/users/" + strings.Repeat("x", 129), email(""), 400, "invalid_request", ""},
		{"GET", "/v1/users/Anna", "", 404, "not_found", ""},
		{"PUT", "/v1/accounts/ACME/memberships/dee", `{"presets":["all"]}`, 409, "conflict", ""},
		{"PUT", "/v1/accounts/acme/memberships/Dee", `{"presets":["all"]}`, 409, "conflict", ""},
		{"PUT", user + "?source=whmcs", email(""), 400, "invalid_request", ""},
		{"GET", "/v1/users/anna?", "", 400, "invalid_request", ""},
		{"PUT", user, "", 400, "wrong_content_type", ""},
		{"PUT", user, " ", 400, "malformed_json", ""},
		{"PUT", user, "[]", 400, "malformed_json", ""},
		{"PUT", user, email("") + "{}", 400, "malformed_json", ""},
		{"PUT", user, email(`,"email":"y@y.example"`), 400, "malformed_json", "/email"},
		{"PUT", user, email(`,"\u0065mail":"y@y.example"`), 400, "malformed_json", "/email"},
		{"PUT", user, email(`,"first_name":"` + "\xff" + `"`), 400, "malformed_json", "/first_name"},
		{"PUT", user, email(`,"first_name":"\ud800"`), 400, "malformed_json", "/first_name"},
		{"PUT", user, email(`,"x":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)), 400, "malformed_json", "/x" + strings.Repeat("/0", 15)},
		{"PUT", user, email(`,"x":"` + strings.Repeat("x", maxBody) + `"`), 413, "body_too_large", ""},
		{"PUT", user, email(strings.Repeat(" ", 5<<20)), 413, "body_too_large", ""},
		{"PUT", user, email(`,"id":"8"`), 400, "invalid_request", "/id"},
		{"PUT", user, email(`,"id":7`), 400, "invalid_request", "/id"},
		{"PUT", user, email(`,"kind":"account"`), 400, "invalid_request", "/kind"},
		{"PUT", "/v1/accounts/acme/contacts/9", email(`,"account":"shop"`), 400, "invalid_request", "/account"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"user":"anna","owner":true}`, 400, "invalid_request", "/user"},
		{"PUT", user, `{"email":["x@y.example"]}`, 400, "invalid_request", "/email"},
		{"PUT", user, `{}`, 400, "invalid_request", "/email"},
		{"PUT", user, `{"emial":"x@y.example"}`, 400, "invalid_request", ""},
		{"PUT", user, `{"Email":"x@y.example"}`, 400, "invalid_request", ""},
		{"PUT", user, `{"email":"\"Bob\" <x@y.example>"}`, 400, "invalid_request", "/email"},
		{"PUT", user, `{"email":"x@y.example\r\nBcc: z@y.example"}`, 400, "invalid_request", "/email"},
		{"PUT", user, email(`,"source":"WHMCS"`), 400, "invalid_request", "/source"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"presets":["owner"]}`, 400, "invalid_request", "/presets/0"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"categories":["security"]}`, 400, "invalid_request", "/categories/0"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"categories":["tickets","ownership"]}`, 400, "invalid_request", "/categories/1"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"account_wide":["security"],"scope":["service:5"]}`, 400, "invalid_request", "/account_wide/0"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"presets":["all"],"scope":[]}`, 400, "invalid_request", "/scope"},
		{"PUT", "/v1/accounts/acme/memberships/dee", `{"presets":["all"],"expires_at":"2020-01-01T00:00:00Z"}`, 400, "invalid_request", ""},
		{"PUT", "/v1/accounts/acme/memberships/anna", `{"owner":true,"not_after":"2020-01-01T00:00:00Z"}`, 400, "invalid_request", "/not_after"},
		{"PUT", "/v1/accounts/acme/memberships/anna", `{"state":"removed"}`, 409, "conflict", ""},
		{"PUT", "/v1/accounts/acme", `{"owner":"dee"}`, 409, "conflict", ""},
		{"PUT", "/v1/accounts/acme", `{"owner":"nobody"}`, 409, "conflict", ""},
		{"PUT", "/v1/accounts/acme/contacts/books", email(""), 409, "conflict", ""},
		{"POST", batch, `{}`, 400, "invalid_request", "/records"},
		{"POST", batch, `{"records":{}}`, 400, "invalid_request", "/records"},
		{"POST", batch, `{"records":[[]]}`, 400, "invalid_request", "/records/0"},
		{"POST", batch, `{"records":[],"Source":"whmcs"}`, 400, "invalid_request", ""},
		{"POST", batch, `{"records":[],"source":"WHMCS"}`, 400, "invalid_request", "/source"},
		{"POST", batch, `{"records":[],"source":7}`, 400, "invalid_request", "/source"},
		{"POST", batch, `{"records":[{"kind":"history","id":"1"}]}`, 400, "invalid_request", "/records/0/kind"},
		{"POST", batch, records(100), 400, "invalid_request", "/records/0/kind"},
		{"POST", batch, records(101), 413, "batch_too_large", "/records"},
		{"POST", batch, records(10_000), 413, "batch_too_large", "/records"},
	} {
		p := problemIn(t, s.call(c.method, c.path, c.body))
		if p.Status != c.status || p.Type != c.code || p.Pointer != c.pointer || len(p.Errors) > 100 {
			t.Errorf("%s %s %.80s: got %d %s %q %s, want %d %s %q", c.method, c.path, c.body, p.Status, p.Type, p.Pointer, p.Detail, c.status, c.code, c.pointer)
		}
	}
	if s.head(t) != before {
		t.Error("something was changed")
	}
	if strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("log: %s", s.log)
	}
}

// Headers that would say who acts, or what the body is, are refused where they cannot be
// taken at their word (S9).
func TestStrangeHeaders(t *testing.T) {
	s := open(t)
	const body = `{"email":"x@y.example"}`
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{[]string{"Doorward-Actor", "user:anna"}, 400}, {[]string{"Doorward-Actor", ""}, 400},
		{[]string{"Content-Type", "application/json"}, 400}, // twice
		{nil, 201},
	} {
		if w := s.call("PUT", "/v1/users/7", body, c.headers...); w.Code != c.status {
			t.Errorf("%v: got %d %s", c.headers, w.Code, w.Body)
		}
	}
}

// S43: no address and no name is in the log, at any level.
func TestTheLogHasNothingPersonal(t *testing.T) {
	s := open(t)
	s.fill(t)
	for _, body := range []string{
		`{"email":"zoe@florist@example"}`, `{"email":"zoe@florist.example","first_name":"Zo\u0000e"}`, `{"email":"Zoe <zoe@florist.example>"}`,
		`{"email":"zoe@florist.example","first_name":["Zoe"]}`, `{"email":"zoe@florist.example","source":"x","emails":{"zoe":1}}`,
	} {
		s.call("PUT", "/v1/users/7", body)
		s.call("PUT", "/v1/accounts/acme/contacts/books", body)
		s.call("POST", "/v1/users/anna/signins", `{"account":"shop","ip":"198.51.100.7 zoe"}`)
	}
	if log := s.log.String(); log == "" || strings.Contains(log, "florist") || strings.Contains(log, "Zo") || strings.Contains(log, "198.51") {
		t.Errorf("log: %s", log)
	}
}

// S42: what the caller chose comes as one escaped record of the log.
func TestTheLogIsNotForged(t *testing.T) {
	s := open(t)
	s.call("PUT", "/v1/users/x%0a%1b", `{}`)
	s.call("PUT", "/v1/users/7", `{"email":"x\n{\"level\":\"INFO\"}\u001b[2J\u202e","x\u001b\u202e":1,"emial\u001b":2}`)
	s.call("POST", "/v1/batch", `{"x\u001b\u202e\n":[]}`)
	if strings.ContainsAny(s.log.String(), "\x1b\u202e") || strings.Count(s.log.String(), "\n") != 3 {
		t.Errorf("log: %q", s.log)
	}
}

// A13.19: who is staff cannot be said here, nor can they be changed; and S38, members that
// mean nothing change nothing.
func TestStaffAreNotMadeHere(t *testing.T) {
	s := open(t)
	s.fill(t)
	for _, staff := range []string{`"staff.login_as"`, `["staff.read"]`, `true`} {
		s.must(t, 200, "PUT", "/v1/users/dee", `{"email":"dee@agency.example","staff":`+staff+`,"rights":`+staff+`,"role":"owner"}`)
	}
	if u, err := s.store.User(t.Context(), "dee"); err != nil || u.Staff != "" {
		t.Errorf("%+v, %v", u, err)
	}
	_, err := s.store.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "test"})
		return tx.PutUser(t.Context(), portal.User{ID: "tess", Status: portal.UserActive, Staff: "staff.login_as", Person: portal.Person{Email: "tess@host.example"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.must(t, 200, "PUT", "/v1/users/tess", `{"email":"tess@host.example"}`)
	for _, body := range []string{`{"email":"mallory@x.example"}`, `{"email":"tess@host.example","status":"disabled"}`, `{"email":"tess@host.example","second_factor":"totp"}`} {
		if got := s.must(t, 409, "PUT", "/v1/users/tess", body); strings.Contains(got, "login_as") {
			t.Error(got)
		}
	}
	if u, err := s.store.User(t.Context(), "tess"); err != nil || u.Staff != "staff.login_as" || u.Person.Email != "tess@host.example" {
		t.Errorf("%+v, %v", u, err)
	}
}

// Item 57 of a hundred is wrong, by itself or by what the directory holds: nothing of the
// batch is there.
func TestABatchIsWholeOrNothing(t *testing.T) {
	s := open(t)
	s.fill(t)
	before := s.head(t)
	for bad, status := range map[string]int{`{"kind":"user","id":"x y","email":"x@y.example"}`: 400, `{"kind":"membership","account":"acme","user":"nobody"}`: 409} {
		items := make([]string, 100)
		for i := range items {
			items[i] = fmt.Sprintf(`{"kind":"user","id":"%d","email":"u%d@x.example"}`, i, i)
		}
		items[57] = bad
		p := problemIn(t, s.call("POST", "/v1/batch", `{"records":[`+strings.Join(items, ",")+`]}`))
		if p.Status != status || !strings.HasPrefix(p.Pointer, "/records/57") || s.head(t) != before {
			t.Errorf("%s: %+v", bad, p)
		}
		s.must(t, 404, "GET", "/v1/users/0", "")
	}
}

// S39: many at once, each handing the account to another; whoever comes last, there is one
// owner at the end, and the trail has every change.
func TestManyAtOnceLeaveOneOwner(t *testing.T) {
	s := open(t)
	s.fill(t)
	var all sync.WaitGroup
	for i := range 20 {
		pair := []string{"anna", "dee"}
		if i%2 == 1 {
			slices.Reverse(pair)
		}
		all.Go(func() {
			body := fmt.Sprintf(`{"records":[{"kind":"membership","account":"acme","user":%q,"owner":true},{"kind":"membership","account":"acme","user":%q,"presets":["all"]}]}`, pair[0], pair[1])
			if w := s.call("POST", "/v1/batch", body); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w := s.call("PUT", "/v1/accounts/acme/memberships/"+pair[0], `{"owner":true}`); w.Code != 200 && w.Code != 409 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	owners := 0
	members, err := s.store.Members(t.Context(), "acme")
	for _, m := range members {
		if m.Owner {
			owners++
		}
	}
	if _, bad := directory.Verify(t.Context(), s.store, nil); owners != 1 || err != nil || bad != nil {
		t.Errorf("%d owners, %v, %v", owners, err, bad)
	}
}

// FuzzBody: any body of any route gets an answer in time that is well-formed; nothing is a
// 500, nothing is changed where it is refused (S40, S41), and the trail stays sound.
func FuzzBody(f *testing.F) {
	s := open(f)
	s.fill(f)
	for _, seed := range []string{
		"", "{", `{"email":"x@y.example"}`, `{"name":"Acme","owner":"anna"}`, `{"presets":["billing"],"scope":["service:5"]}`, `{"owner":true}`,
		`{"email":"x@y.example","emails":{"invoice":true},"source":"whmcs"}`, `{"at":"2026-01-01T00:00:00Z","account":"acme","ip":"::1"}`,
		`{"source":"x","records":[{"kind":"user","id":"8","email":"x@y.example"},{"kind":"account","id":"8","owner":"8"},{"kind":"signin","user":"8"}]}`,
		`{"records":[{"kind":"membership","account":"acme","user":"anna","state":"removed"},null]}`, "{\"records\":[{\"kind\":\"\xff\"}]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, route := range []string{
			"PUT /v1/users/7", "PUT /v1/accounts/acme", "PUT /v1/accounts/42", "PUT /v1/accounts/acme/memberships/anna", "PUT /v1/accounts/acme/memberships/dee",
			"PUT /v1/accounts/acme/contacts/9", "POST /v1/users/anna/signins", "POST /v1/batch",
		} {
			before := s.head(t)
			method, path, _ := strings.Cut(route, " ")
			r := httptest.NewRequest(method, path, strings.NewReader(string(body)))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.mux.ServeHTTP(w, r)
			if w.Code >= 500 || w.Code == 422 || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s %q: %d %s", route, body, w.Code, w.Body)
			}
			if refused := w.Code >= 400; refused && s.head(t) != before {
				t.Fatalf("%s %q: %d, and changed", route, body, w.Code)
			}
		}
	})
}
