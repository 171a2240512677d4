package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory/pgtest"
	"doorward/internal/portal"
	"doorward/internal/server"
)

// Directories and sidecars together, as they are deployed: one directory on SQLite, and two
// on PostgreSQL.
func TestAFleet(t *testing.T) {
	postgres, err := pgtest.New("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { postgres.Close() })
	t.Run("SQLite", func(t *testing.T) { newFleet(t, "").whole(1).play(t) })
	t.Run("PostgreSQL", func(t *testing.T) {
		f := newFleet(t, postgres.DSN(postgres.Database(t)))
		f.c.Drain.Timeout = 100 * time.Millisecond
		f.whole(2).play(t)
		t.Run("a directory that ends in the middle of a call", f.directoryEnds)
	})
	t.Run("a database that is down", func(t *testing.T) { databaseDown(t, postgres) })
}

// play plays what any fleet does. The last two scenes cost it a sidecar each.
func (f *fleet) play(t *testing.T) {
	t.Run("a removal", f.removal)
	t.Run("an addition", f.addition)
	t.Run("batches and explanations", f.batches)
	t.Run("a token that is revoked", f.revocation)
	t.Run("limited tokens", f.limits)
	t.Run("searches", f.searches)
	t.Run("another token for the sidecars", f.rotation)
	t.Run("the gates' listener", f.strangers)
	t.Run("a policy that is promoted", f.promotion)
	t.Run("what operators see", f.operators)
	t.Run("a sidecar that stops", f.stops)
	t.Run("a sidecar that is lost", f.lost)
}

const (
	carlsPlace = "/v1/accounts/acme/memberships/carl"
	given      = `{"state":"active","presets":["billing"],"source":"demo"}`
	removed    = `{"state":"removed","source":"demo"}`
)

func (f *fleet) all() []*process { return slices.Concat(f.sidecars, f.directories) }

// req 97, R6: when the answer to a removal comes, every sidecar refuses, whichever
// directory was told. The answer counts them and the directories' own memories.
func (f *fleet) removal(t *testing.T) {
	gates := len(f.all())
	anybody := as(f.token(portal.Limits{}, "decide"))
	for n := range 3 * len(f.directories) {
		d := f.directories[n%len(f.directories)]
		for _, step := range []struct{ body, want string }{{given, `"decision":true`}, {removed, `"reason":"removed"`}} {
			_, c := f.put(t, d, carlsPlace, step.body)
			if e := c.Enforced; e == nil || e.Gates != gates || e.Acknowledged+e.Waited_for != gates || e.Left != 0 {
				t.Errorf("%s: %+v", step.body, e)
			}
			for _, p := range f.all() {
				if status, answer := reached(t, p, question, anybody); status != http.StatusOK || !strings.Contains(answer, step.want) {
					t.Errorf("after %s: %d %s", step.body, status, answer)
				}
			}
		}
	}
}

// R7, R15: what only adds waits for nobody; who shows the position of it is answered from
// that or a later one by every sidecar, or not at all.
func (f *fleet) addition(t *testing.T) {
	anybody := as(f.token(portal.Limits{}, "decide"))
	const owner = `{"subject":{"type":"user","id":"bea"},"action":{"name":"user.list"},"resource":{"type":"account","id":"florist"}}`
	put, text := call(t, http.DefaultClient, "PUT", f.directories[0].url+"/v1/accounts/florist", `{"owner":"bea"}`, f.manager)
	at := put.Header.Get("Doorward-Revision")
	if put.StatusCode != http.StatusCreated || strings.Contains(text, "enforced") {
		t.Fatalf("%d %s", put.StatusCode, text)
	}
	for _, p := range f.all() {
		if status, answer := reached(t, p, owner, with(anybody, "Doorward-Min-Revision", at)); status != http.StatusOK || !strings.HasPrefix(answer, `{"decision":true`) {
			t.Errorf("%d %s", status, answer)
		}
		for _, never := range []string{"9" + at, at[:len(at)-32] + strings.Repeat("0", 32)} {
			if status, answer := asked(t, p, owner, with(anybody, "Doorward-Min-Revision", never)); status != http.StatusServiceUnavailable || !strings.Contains(answer, "revision_not_reached") {
				t.Errorf("%s: %d %s", never, status, answer)
			}
		}
	}
}

// req 97: a batch and an explanation rest on the facts that a single question does.
func (f *fleet) batches(t *testing.T) {
	header := as(f.token(portal.Limits{}, "decide", "explain"))
	for body, want := range map[string]string{given: `{"evaluations":[{"decision":true},{"decision":true}]}`, removed: `"reason":"removed"`} {
		f.put(t, f.directories[0], carlsPlace, body)
		for _, p := range f.all() {
			reached(t, p, question, header) // so that there is a lease
			if response, text := call(t, http.DefaultClient, "POST", p.url+"/access/v1/evaluations", `{"evaluations":[`+question+","+question+"]}", header); response.StatusCode != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			response, text := call(t, http.DefaultClient, "POST", p.url+"/access/v1/evaluation?explain", question, header)
			if response.StatusCode != http.StatusOK || strings.Contains(text, `"decision":true`) != (body == given) || !strings.Contains(text, `"explanation"`) {
				t.Errorf("%d %s", response.StatusCode, text)
			}
		}
	}
}

// A token that another process revokes in the directory is refused by every sidecar from
// the moment on that its revocation is in force; in auth.mode token also what comes without.
func (f *fleet) revocation(t *testing.T) {
	made := f.token(portal.Limits{}, "decide")
	strict := f.sidecars[2] // in auth.mode token
	for _, p := range f.all() {
		if status, answer := reached(t, p, question, as(made)); status != http.StatusOK {
			t.Errorf("%d %s", status, answer)
		}
	}
	f.revoke(t, made)
	for _, p := range f.all() {
		if status, answer := reached(t, p, question, as(made)); status != http.StatusUnauthorized || strings.Contains(answer, "decision") {
			t.Errorf("revoked: %d %s", status, answer)
		}
	}
	for _, header := range []http.Header{asJSON, as(f.token(portal.Limits{}, "manage")), with(asJSON, "Authorization", "Bearer dw_x_y")} {
		if status, answer := reached(t, strict, question, header); status != http.StatusUnauthorized && status != http.StatusForbidden {
			t.Errorf("%v: %d %s", header, status, answer)
		}
	}
	if status, _ := reached(t, f.sidecars[0], question, asJSON); status != http.StatusOK {
		t.Errorf("in auth.mode none: %d", status)
	}
}

// A limited token is limited at a sidecar as it is at the directory.
func (f *fleet) limits(t *testing.T) {
	reseller := as(f.token(portal.Limits{Accounts: []portal.AccountID{"bakery"}, Types: []string{"account"}}, "decide"))
	const bea = `{"subject":{"type":"user","id":"bea"},"action":{"name":"invoice.pay"},"resource":{"type":"account","id":"bakery"}}`
	for _, p := range f.all() {
		if status, answer := reached(t, p, bea, reseller); status != http.StatusOK || answer != `{"decision":true}` {
			t.Errorf("its own account: %d %s", status, answer)
		}
		if status, answer := reached(t, p, question, reseller); status != http.StatusForbidden {
			t.Errorf("another account: %d %s", status, answer)
		}
	}
}

// R16, S18: a search at a sidecar finds what it finds at the directory, page by page, for
// every client; and what is refused there is refused here in the same words.
func (f *fleet) searches(t *testing.T) {
	f.put(t, f.directories[0], carlsPlace, given)
	header := map[string]http.Header{
		"anybody": as(f.token(portal.Limits{}, "decide")), "manager": f.manager, "gate": as(f.token(portal.Limits{}, "gate")),
		"limited": as(f.token(portal.Limits{Accounts: []portal.AccountID{"acme", "brewery"}}, "decide")),
		"nobody":  asJSON, "stranger": with(asJSON, "Authorization", "Bearer dw_x_y"),
	}
	const accounts = `{"subject":{"type":"user","id":"dora"},"action":{"name":"service.list"},"resource":{"type":"account"},"page":{"limit":3}}`
	for _, q := range []struct {
		client, path, body string
		status             int
	}{
		{"anybody", "resource", accounts, 200}, {"limited", "resource", accounts, 200}, {"nobody", "resource", accounts, 200},
		{"anybody", "action", `{"subject":{"type":"user","id":"carl"},"resource":{"type":"account","id":"acme"}}`, 200},
		{"limited", "subject", `{"subject":{"type":"user"},"action":{"name":"invoice.pay"},"resource":{"type":"account","id":"acme"}}`, 200},
		{"limited", "subject", `{"subject":{"type":"user"},"action":{"name":"invoice.pay"},"resource":{"type":"account","id":"clinic"}}`, 403},
		{"anybody", "resource?explain", accounts, 400}, {"anybody", "resource", `{`, 400}, {"anybody", "resource", strings.Repeat(" ", 70_000), 413},
		{"manager", "resource", accounts, 403}, {"gate", "resource", accounts, 403}, {"stranger", "resource", accounts, 401},
	} {
		there, want := call(t, http.DefaultClient, "POST", f.directories[0].url+"/access/v1/search/"+q.path, q.body, header[q.client])
		if there.StatusCode != q.status {
			t.Fatalf("%s, %s %s at the directory: %d %s", q.client, q.path, q.body, there.StatusCode, want)
		}
		here, got := call(t, http.DefaultClient, "POST", f.sidecars[0].url+"/access/v1/search/"+q.path, q.body, header[q.client])
		if here.StatusCode != q.status || maskPages(got) != maskPages(want) {
			t.Errorf("%s, %s %s: %d %s\nwant %s", q.client, q.path, q.body, here.StatusCode, got, want)
		}
		for _, name := range []string{"Content-Type", "Doorward-Revision", "Doorward-Policy", "Cache-Control", "Www-Authenticate"} {
			if here.Header.Get(name) != there.Header.Get(name) {
				t.Errorf("%s, %s: %s %q, want %q", q.client, q.path, name, here.Header.Get(name), there.Header.Get(name))
			}
		}
	}
	f.pages(t, accounts, header["anybody"])
	// The sidecar's own token is lent to nobody who has to have one.
	for p, page := range map[*process]http.Header{f.sidecars[2]: asJSON, f.sidecars[0]: with(asJSON, "Origin", "http://127.0.0.1:8080")} {
		if response, text := call(t, http.DefaultClient, "POST", p.url+"/access/v1/search/resource", accounts, page); response.StatusCode != 401 && response.StatusCode != 403 {
			t.Errorf("%v: %d %s", page, response.StatusCode, text)
		}
	}
	if response, text := call(t, http.DefaultClient, "GET", f.sidecars[0].url+"/access/v1/search/action", "", asJSON); response.StatusCode != 405 || response.Header.Get("Allow") != "POST" {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
	}
}

// maskPages leaves out the token of the next page, which is another one each time.
func maskPages(answer string) string {
	if from, to, found := strings.Cut(answer, `"next_token":"`); found {
		_, rest, _ := strings.Cut(to, `"`)
		return from + rest
	}
	return answer
}

// pages goes through a search, each page at another process, and finds what one page has.
func (f *fleet) pages(t *testing.T, search string, header http.Header) {
	t.Helper()
	search, _, _ = strings.Cut(search, `,"page"`)
	page := func(p *process, ask string) (ids []string, next string) {
		response, text := call(t, http.DefaultClient, "POST", p.url+"/access/v1/search/resource", search+ask+"}", header)
		var got found
		if err := json.Unmarshal([]byte(text), &got); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %s, %v", response.StatusCode, text, err)
		}
		for _, r := range got.Results {
			ids = append(ids, r.ID)
		}
		return ids, got.Page.Next_token
	}
	want, _ := page(f.directories[0], "")
	got, next := page(f.sidecars[0], `,"page":{"limit":3}`)
	for n := 1; next != ""; n++ {
		var more []string
		more, next = page(f.all()[n%len(f.all())], `,"page":{"token":"`+next+`"}`)
		got = append(got, more...)
	}
	if len(want) < 7 || !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// The sidecars' token is replaced by replacing its file. Nothing is restarted, and no sidecar
// is lost when the old one is revoked.
func (f *fleet) rotation(t *testing.T) {
	old := f.gate
	f.gate = f.token(portal.Limits{}, "gate")
	f.write(f.tokenFile, f.gate.Text)
	f.revoke(t, old)
	f.put(t, f.directories[0], carlsPlace, given)
	_, c := f.put(t, f.directories[0], carlsPlace, removed)
	if e := c.Enforced; e == nil || e.Acknowledged != len(f.all()) {
		t.Errorf("%+v", e)
	}
}

// The listener for sidecars answers tokens of their scope alone, on loopback too, and
// nothing that is not theirs.
func (f *fleet) strangers(t *testing.T) {
	gates := "http://" + f.directories[0].gates
	gate := as(f.token(portal.Limits{}, "gate"))
	for _, path := range []string{"ask", "facts", "leave", "tokens"} {
		for want, headers := range map[int][]http.Header{
			401: {asJSON, with(asJSON, "Authorization", "Bearer dw_x_y")},
			403: {as(f.token(portal.Limits{}, "decide", "explain", "manage")), as(f.token(portal.Limits{Accounts: []portal.AccountID{"acme"}}, "gate"))},
			400: {gate},
		} {
			for _, header := range headers {
				if response, text := call(t, http.DefaultClient, "POST", gates+"/gates/v1/"+path, "{}", header); response.StatusCode != want {
					t.Errorf("%s: %d %s, want %d", path, response.StatusCode, text, want)
				}
			}
		}
	}
	for path, want := range map[string]int{
		"/access/v1/evaluation": 404, "/v1/gates": 404, "/metrics": 404, "/gates/v1/": 404, "//gates/v1/ask": 404,
		"/access/v1/search/action": 400,
	} {
		if response, text := call(t, http.DefaultClient, "POST", gates+path, "{}", gate); response.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, response.StatusCode, text, want)
		}
	}
	if response, text := call(t, http.DefaultClient, "POST", gates+"/access/v1/search/action", "{}", asJSON); response.StatusCode != 401 {
		t.Errorf("a search without a token: %d %s", response.StatusCode, text)
	}
	for _, path := range []string{"/gates/v1/ask", "/v1/gates", carlsPlace} { // and sidecars answer none of it
		if response, text := call(t, http.DefaultClient, "GET", f.sidecars[0].url+path, "", f.manager); response.StatusCode != 404 {
			t.Errorf("%s of a sidecar: %d %s", path, response.StatusCode, text)
		}
	}
}

// A gate is a line of /v1/gates.
type gateLine struct {
	Label, Policy string
	Trusted_until *time.Time
	Behind        int
	Silent        bool
}

func (f *fleet) listed(t *testing.T, d *process) (all map[string]gateLine) {
	t.Helper()
	response, text := call(t, http.DefaultClient, "GET", d.url+"/v1/gates", "", f.manager)
	var list struct{ Gates []gateLine }
	if err := json.Unmarshal([]byte(text), &list); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, %v", response.StatusCode, text, err)
	}
	all = map[string]gateLine{}
	for _, g := range list.Gates {
		all[g.Label] = g
	}
	return all
}

// Operators see every sidecar by its label, ready and in step, and how long removals took.
func (f *fleet) operators(t *testing.T) {
	d := f.directories[0]
	all, policy := f.listed(t, d), readiness(t, f.sidecars[0]).Policy
	for _, label := range []string{"sidecar-0", "sidecar-1", "sidecar-2"} {
		if g, there := all[label]; !there || g.Policy != policy || policy == "" {
			t.Errorf("%s: %+v of %+v", label, g, all)
		}
	}
	_, metrics := call(t, http.DefaultClient, "GET", d.url+"/metrics", "", nil)
	for _, want := range []string{
		`doorward_revocation_seconds_count{outcome="enforced"}`, `doorward_revocation_seconds_count{outcome="failed"} 0`,
		`doorward_gates{state="current"}`, `doorward_directory_asks_total{result="answered"}`, `doorward_gate_leased `,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the directory's /metrics lacks %s", want)
		}
	}
	_, metrics = call(t, http.DefaultClient, "GET", f.sidecars[0].url+"/metrics", "", nil)
	for _, want := range []string{"doorward_gate_leased ", "doorward_gate_revision_lag ", "doorward_gate_lease_age_seconds ", `doorward_gate_asks_total{result="answered"}`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the sidecar's /metrics lacks %s", want)
		}
	}
	eventually(t, "it says that it is well", func() bool {
		r := readiness(t, f.sidecars[0])
		return r.Lease != nil && r.Lease.Held && len(r.Warnings) == 0 && r.Revision > 0
	})
}

// R6: a sidecar that was stopped has given its lease back, and no removal waits for it.
func (f *fleet) stops(t *testing.T) {
	last := f.sidecars[2]
	last.stop()
	if err := <-last.ended; err != nil {
		t.Errorf("a clean stop is an error: %v", err)
	}
	f.sidecars = f.sidecars[:2]
	f.put(t, f.directories[0], carlsPlace, given)
	_, c := f.put(t, f.directories[0], carlsPlace, removed)
	if e := c.Enforced; e == nil || e.Gates != len(f.all()) || e.Waited_for != 0 {
		t.Errorf("%+v", e)
	}
	if _, there := f.listed(t, f.directories[0])["sidecar-2"]; there {
		t.Error("it is listed")
	}
}

// R6: one that no directory hears from is waited for until nothing that it knows can count
// any more. It says so itself by then, and is shown to operators.
func (f *fleet) lost(t *testing.T) {
	f.put(t, f.directories[0], carlsPlace, given)
	gone := f.sidecars[1]
	for _, l := range gone.links {
		l.lead("")
	}
	_, c := f.put(t, f.directories[0], carlsPlace, removed)
	if e := c.Enforced; e == nil || e.Gates != len(f.all()) || e.Waited_for != 1 || e.Acknowledged != e.Gates-1 {
		t.Errorf("%+v", e)
	}
	if status, answer := asked(t, gone, question, asJSON); status != http.StatusServiceUnavailable || strings.Contains(answer, "decision") {
		t.Errorf("the lost sidecar: %d %s", status, answer)
	}
	if status, answer := reached(t, f.sidecars[0], question, asJSON); status != http.StatusOK || !strings.Contains(answer, "removed") {
		t.Errorf("another one: %d %s", status, answer)
	}
	if g := f.listed(t, f.directories[0])["sidecar-1"]; !g.Silent {
		t.Errorf("%+v", g)
	}
	f.sidecars = f.sidecars[:1]
}

// R6, R11: a directory that ends in the middle of a call has committed the change. The
// other one brings it into force, and sidecars go on with that one.
func (f *fleet) directoryEnds(t *testing.T) {
	dying, other, witness := f.directories[0], f.directories[1], f.sidecars[0]
	f.put(t, dying, carlsPlace, given)
	f.sidecar(t, func(c *config.Config) { c.Gate.Label = "lost" })
	f.ready(t, f.sidecars[1])
	for _, l := range f.sidecars[1].links {
		l.lead("")
	}
	call := f.inTheMiddle(t, dying)
	dying.stop()
	if a := <-call; a.err == nil {
		t.Errorf("the call was answered: %+v", a)
	}
	if err := <-dying.ended; !errors.Is(err, server.ErrCut) {
		t.Errorf("it ended with %v", err)
	}
	f.enforced(t, other)
	if status, answer := reached(t, witness, question, asJSON); status != http.StatusOK || !strings.Contains(answer, "removed") {
		t.Errorf("%d %s", status, answer)
	}
	f.directories = f.directories[1:]
	if _, c := f.put(t, other, carlsPlace, given); c.Enforced == nil {
		t.Errorf("%+v", c)
	}
}
