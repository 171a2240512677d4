package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// longest is the longest term that the directory of these tests allows. Time is virtual.
const longest = 33 * time.Second

// A guarded surface is one whose changes wait for gates.
type guarded struct {
	*surface
	rows   *sqlite.Gates
	keeper *barrier.Keeper
}

// withGates runs a test in virtual time on a new directory.
func withGates(t *testing.T, test func(t *testing.T, s *guarded)) {
	t.Helper()
	if _, err := shipped(); err != nil { // outside: it outlives the bubble
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &guarded{surface: open(t)}
		s.rows = rowsOf(t, s.store)
		s.keep(t, keeperOf(t, s.rows))
		s.fill(t)
		test(t, s)
	})
}

func rowsOf(t *testing.T, store *sqlite.Store) *sqlite.Gates {
	t.Helper()
	rows, err := store.Gates(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	return rows
}

// keeperOf makes another directory process's keeper of the same rows.
func keeperOf(t *testing.T, rows *sqlite.Gates) *barrier.Keeper {
	t.Helper()
	k, err := barrier.New(barrier.Config{Store: rows, Clock: gate.NewClock(), Longest: longest})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keep has changes wait for the gates of a keeper from now on.
func (s *guarded) keep(t *testing.T, k *barrier.Keeper) {
	t.Helper()
	s.keeper, s.Gates = k, k
	s.remount()
}

// follow runs a gate until the test ends.
func (s *guarded) follow(t *testing.T, label string) *gate.Gate {
	t.Helper()
	g, err := gate.New(gate.Config{Directory: s.keeper, Clock: gate.NewClock(), Label: label, Staleness: gate.DefaultStaleness})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for t.Context().Err() == nil {
			_ = g.Step(t.Context()) // whatever it is, it is tried again
		}
	}()
	t.Cleanup(func() { <-ended })
	return g
}

// asks has a gate ask once, and never again.
func (s *guarded) asks(t *testing.T, who gate.Instance, term time.Duration) {
	t.Helper()
	_, err := s.keeper.Ask(t.Context(), gate.Ask{Instance: who, Number: 1, Label: "old " + string(who), Term: term})
	if err != nil {
		t.Fatal(err)
	}
}

// A concluded is what an answer says of the gates.
type concluded struct{ Enforced, Pending *counts }

type counts struct{ Milliseconds, Gates, Acknowledged, Waited_for, Left int }

func conclusion(t *testing.T, w *httptest.ResponseRecorder) (c concluded) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return c
}

const deesPlace = "/v1/accounts/acme/memberships/dee"

// req 97, R6: after "enforced" every gate refuses who was removed.
func TestWhoIsRemovedIsRefusedByEveryGate(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		gates := []*gate.Gate{s.follow(t, "one"), s.follow(t, "two")}
		key := portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: "dee"}}
		for _, step := range []struct {
			body   string
			status int
			state  portal.MembershipState
		}{
			{`{"presets":["support"]}`, 201, portal.MembershipActive}, {`{"state":"removed"}`, 200, portal.MembershipRemoved},
		} {
			w := s.call("PUT", deesPlace, step.body)
			c := conclusion(t, w)
			if w.Code != step.status || c.Pending != nil || c.Enforced == nil || w.Header().Get("Location") != "" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			c.Enforced.Milliseconds = 0
			if diff := cmp.Diff(&counts{Gates: 2, Acknowledged: 2}, c.Enforced); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, g := range gates {
				reply, err := g.Read(t.Context(), gate.Query{Keys: []portal.FactKey{key}})
				if err != nil || reply.Facts[0].Membership.State != step.state || reply.Position.String() != w.Header().Get("Doorward-Revision") {
					t.Errorf("%+v, %v", reply, err)
				}
			}
		}
	})
}

// R6: the gates that may have answered from memory are counted by how they were dealt with.
func TestGatesAreCounted(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		s.follow(t, "well")
		s.asks(t, "silent", 5*time.Second)
		s.asks(t, "leaving", 5*time.Second)
		go func() {
			time.Sleep(2 * time.Second)
			_ = s.keeper.Leave(context.WithoutCancel(t.Context()), "leaving")
		}()
		w := s.call("PUT", deesPlace, `{"presets":["support"]}`)
		c := conclusion(t, w)
		if c.Enforced == nil || c.Enforced.Milliseconds < 5300 || c.Enforced.Milliseconds > 6000 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		c.Enforced.Milliseconds = 0
		if diff := cmp.Diff(&counts{Gates: 3, Acknowledged: 1, Waited_for: 1, Left: 1}, c.Enforced); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// R7: what provably only adds is answered at once and promises nothing. Everything else
// waits, also what finds the right gone.
func TestWhatWaits(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		s.asks(t, "silent", longest)
		for _, c := range []struct {
			method, path, body string
			waits              bool
		}{
			{"PUT", "/v1/users/zoe", `{"email":"zoe@acme.example"}`, false},
			{"PUT", "/v1/users/zoe", `{"email":"zoe@acme.example"}`, true},
			{"PUT", "/v1/users/zoe", `{"email":"zoe@acme.example","status":"disabled"}`, true},
			{"PUT", "/v1/accounts/bakery", `{"owner":"anna"}`, false},
			{"PUT", "/v1/accounts/bakery", `{"owner":"anna","status":"closed"}`, true},
			{"PUT", "/v1/accounts/acme/contacts/9", `{"email":"books@acme.example"}`, false},
			{"PUT", "/v1/accounts/acme/contacts/9", `{"status":"removed"}`, true},
			{"POST", "/v1/users/anna/signins", `{"account":"acme"}`, false},
			{"PUT", deesPlace, `{"presets":["support"]}`, true},
			{"PUT", deesPlace, `{"presets":["support"]}`, true},
			{"POST", "/v1/batch", `{"records":[]}`, false},
			{"POST", "/v1/batch", `{"records":[{"kind":"user","id":"yan","email":"yan@acme.example"},{"kind":"account","id":"florist","owner":"yan"},
				{"kind":"contact","id":"10","account":"florist","email":"books@florist.example"},{"kind":"signin","user":"yan"}]}`, false},
			{"POST", "/v1/batch", `{"records":[{"kind":"user","id":"xia","email":"xia@acme.example"},{"kind":"membership","account":"acme","user":"xia","presets":["support"]}]}`, true},
			{"POST", "/v1/batch", `{"records":[{"kind":"user","id":"wu","email":"wu@acme.example"},{"kind":"user","id":"xia","email":"xia@acme.example","status":"disabled"}]}`, true},
		} {
			began := time.Now()
			w := s.call(c.method, c.path, c.body)
			got := conclusion(t, w)
			if w.Code >= 300 || (w.Code == 202) != c.waits || (got.Pending != nil) != c.waits || got.Enforced != nil || (time.Since(began) > 0) != c.waits {
				t.Errorf("%s %s: %d %s after %v", c.path, c.body, w.Code, w.Body, time.Since(began))
			}
			s.asks(t, "silent", longest) // its term begins anew
		}
	})
}

// R6: what takes long is pending, with the place to wait on, at any directory.
func TestPendingIsWaitedForAtItsLocation(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		s.asks(t, "silent", longest)
		began := time.Now()
		w := s.call("PUT", deesPlace, `{"presets":["support"]}`)
		location := w.Header().Get("Location")
		if c := conclusion(t, w); w.Code != 202 || c.Enforced != nil || c.Pending == nil || *c.Pending != (counts{10000, 1, 0, 0, 0}) ||
			!strings.Contains(w.Body.String(), `"user":"dee"`) || w.Header().Get("Doorward-Revision") != s.head(t).String() {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if want := enforcements + string(s.head(t).AppendWhole(nil)); location != want {
			t.Errorf("Location %q, want %q", location, want)
		}
		first := s.call("GET", location, "")
		if c := conclusion(t, first); first.Code != 202 || c.Pending == nil || first.Header().Get("Location") != location {
			t.Errorf("asked again: %d %s", first.Code, first.Body)
		}
		s.limited(&portal.Limits{Accounts: []portal.AccountID{"acme"}}) // who may make a change may ask about it
		for w = first; w.Code == 202; {
			w = s.call("GET", location, "")
		}
		if c := conclusion(t, w); w.Code != 200 || c.Enforced == nil || c.Enforced.Waited_for != 1 || time.Since(began) < longest {
			t.Errorf("%d %s after %v", w.Code, w.Body, time.Since(began))
		}
		s.keep(t, keeperOf(t, s.rows)) // another directory, which has just started, goes on with it
		if w := s.call("GET", location, ""); w.Code != 202 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// R11: a position that the history does not have is not found, and what is none is told so.
func TestPositionsThatCannotBeWaitedFor(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		whole := string(s.head(t).AppendWhole(nil))
		revision, tag, _ := strings.Cut(whole, ".")
		for at, want := range map[string]int{
			whole: 200, "0." + strings.Repeat("0", 64): 200,
			revision + "." + strings.Repeat("0", 64): 404, "9" + revision + "." + tag: 404,
			s.head(t).String(): 400, revision: 400, whole + "0": 400, "x." + tag: 400, whole + "?now": 400,
		} {
			if w := s.call("GET", enforcements+at, ""); w.Code != want || want != 200 && problemIn(t, w).Detail == "" {
				t.Errorf("%s: %d %s, want %d", at, w.Code, w.Body, want)
			}
		}
		s.Client = func(context.Context) string { return "" }
		for _, path := range []string{enforcements + whole, "/v1/gates"} {
			if w := s.call("GET", path, ""); w.Code != 401 {
				t.Errorf("%s for nobody: %d %s", path, w.Code, w.Body)
			}
		}
	})
}

// An error after the commit says that there was one.
func TestErrorsAfterTheCommitSaySo(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *guarded)
		want  string
	}{
		"rows that cannot be read": {func(t *testing.T, s *guarded) { s.rows.Close() }, "The change was made."},
		"a history without the commit": {func(t *testing.T, s *guarded) {
			s.keep(t, keeperOf(t, rowsOf(t, open(t).store)))
		}, "has lost this change"},
	} {
		t.Run(name, func(t *testing.T) {
			withGates(t, func(t *testing.T, s *guarded) {
				c.spoil(t, s)
				before := s.head(t)
				p := problemIn(t, s.call("PUT", deesPlace, `{"presets":["support"]}`))
				if p.Status != 503 || p.Type != "directory_unavailable" || !strings.Contains(p.Detail, c.want) || s.head(t).Revision != before.Revision+1 {
					t.Errorf("%+v", p)
				}
				s.must(t, 200, "GET", deesPlace, "")
			})
		})
	}
}

// A client that goes away leaves its change made, and the next call finds it in force.
func TestAClientThatGoesAway(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		s.asks(t, "silent", 5*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, "PUT", deesPlace, strings.NewReader(`{"presets":["support"]}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		if p := problemIn(t, w); p.Status != 503 || !strings.Contains(p.Detail, "The change was made.") {
			t.Errorf("%+v", p)
		}
		again := s.call("PUT", deesPlace, `{"presets":["support"]}`)
		if c := conclusion(t, again); again.Code != 200 || c.Enforced == nil || c.Enforced.Waited_for != 1 {
			t.Errorf("%d %s", again.Code, again.Body)
		}
	})
}

// Operators see each gate, and of its name only the beginning: the whole is a secret.
func TestGatesAreListed(t *testing.T) {
	withGates(t, func(t *testing.T, s *guarded) {
		const long = "0123456789abcdef0123456789abcdef"
		elsewhere := keeperOf(t, s.rows)
		if _, err := elsewhere.Ask(t.Context(), gate.Ask{Instance: "abc", Number: 1, Label: "far", Policy: "p1", After: s.head(t), Term: 5 * time.Second}); err != nil {
			t.Fatal(err)
		}
		s.asks(t, long, 5*time.Second)
		time.Sleep(2 * time.Second)
		line := func(label, id, policy string, acknowledged, behind uint64, ago, until string, silent bool) string {
			return fmt.Sprintf(`{"label":%q,"instance":%q,"policy":%q,"acknowledged":%d,"behind":%d,"asked_ms_ago":%s,"trusted_until":%s,"silent":%t}`,
				label, id, policy, acknowledged, behind, ago, until, silent)
		}
		head := uint64(s.head(t).Revision)
		here := line("old "+long, "01234567", "", 0, head, "2000", `"2026-11-22T12:00:03Z"`, false)
		far := func(behind uint64, silent bool) string {
			return line("far", "abc", "p1", head, behind, "null", "null", silent)
		}
		w := s.call("GET", "/v1/gates", "")
		if got := strings.TrimSpace(w.Body.String()); got != `{"gates":[`+here+","+far(0, false)+`]}` || w.Header().Get("Doorward-Revision") != s.head(t).String() {
			t.Errorf("%v\n%s", w.Header(), got)
		}
		s.must(t, 201, "PUT", deesPlace, `{"presets":["support"]}`)
		if got := s.must(t, 200, "GET", "/v1/gates", ""); !strings.Contains(got, far(1, true)) {
			t.Errorf("after a wait in vain: %s", got)
		}
		if p := problemIn(t, s.call("GET", "/v1/gates?all", "")); p.Status != 400 {
			t.Errorf("%+v", p)
		}
		s.limited(&portal.Limits{Accounts: []portal.AccountID{"acme"}})
		if p := problemIn(t, s.call("GET", "/v1/gates", "")); p.Status != 403 || p.Type != "forbidden" {
			t.Errorf("%+v", p)
		}
	})
}

// Where there are no gates nothing waits, and there is nowhere to ask about them.
func TestWithoutGatesNothingIsSaidOfThem(t *testing.T) {
	s := open(t)
	s.fill(t)
	if got := s.must(t, 201, "PUT", deesPlace, `{"presets":["support"]}`); strings.Contains(got, "enforced") {
		t.Error(got)
	}
	for _, path := range []string{enforcements + string(s.head(t).AppendWhole(nil)), "/v1/gates"} {
		if w := s.call("GET", path, ""); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
