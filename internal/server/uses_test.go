package server_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/portal"
)

// viewing asks for something that both of Acme's accountants, and the owner, may do.
func viewing(user string) string {
	return `{"subject":{"type":"user","id":"` + user + `"},"action":{"name":"invoice.view"},"resource":{"type":"account","id":"acme"}}`
}

// today is what a membership that is used now shows, also around midnight.
func today() []string {
	const hour = 60 * 60
	now := time.Now()
	return []string{
		`"last_used":"` + portal.DayOf(now.Add(-hour*time.Second)).String() + `"`, `"last_used":"` + portal.DayOf(now).String() + `"`,
	}
}

// usedToday tells whether a directory shows that a member of Acme was allowed something.
func usedToday(t *testing.T, url string, as http.Header, user string) bool {
	t.Helper()
	response, shown := call(t, http.DefaultClient, "GET", url+"/v1/accounts/acme/memberships/"+user, "", as)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", user, response.StatusCode, shown)
	}
	return slices.ContainsFunc(today(), func(member string) bool { return strings.Contains(shown, member) })
}

// req 95, req 116, R16: who is allowed something, at whatever process, is seen at the
// directory to have used the membership today, in SQLite and in PostgreSQL. What is
// explained, found or refused is no use.
func TestUsesReachTheDirectory(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *config.Config){
		"SQLite": func(*testing.T, *config.Config) {}, "PostgreSQL": inPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := local(t)
			c.Decision.Timeout = time.Minute
			set(t, &c)
			d, gates := runDirectory(t, c)
			as := manager(t, elsewhere(t, c), portal.Limits{})
			edge := runAs(t, config.Sidecar, sidecarOfOne(t, c, gates), io.Discard)
			for _, q := range []struct {
				at         *running
				path, body string
			}{
				{edge, evaluation + "?explain", viewing("anna")}, {edge, evaluation, viewing("sam")},
				{edge, "/access/v1/search/subject", `{"subject":{"type":"user"},"action":{"name":"invoice.view"},"resource":{"type":"account","id":"acme"}}`},
				{edge, evaluation, viewing("carl")}, {d, evaluations, `{"evaluations":[` + viewing("sam") + `,` + viewing("adam") + `]}`},
			} {
				if status, text := answered(t, q.at, q.path, q.body); status != http.StatusOK {
					t.Fatalf("%s: %d %s", q.path, status, text)
				}
			}
			before := head(t, c)
			edge.stop() // which sends what it knows
			if err := <-edge.ended; err != nil {
				t.Fatal(err)
			}
			for _, user := range []string{"carl", "adam"} {
				(&edited{t: t}).within(live, user+" is known", func() bool { return usedToday(t, d.urls[0], as, user) })
			}
			for _, user := range []string{"anna", "sam"} {
				if usedToday(t, d.urls[0], as, user) {
					t.Errorf("%s has used nothing", user)
				}
			}
			if now := head(t, c); now != before {
				t.Errorf("uses moved the head from %v to %v", before, now)
			}
		})
	}
}

func head(t *testing.T, c config.Config) portal.Position {
	t.Helper()
	at, err := elsewhere(t, c).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// req 95, req 116: doorward serve knows, too, also after it was stopped.
func TestUsesAtServe(t *testing.T) {
	c := local(t)
	c.Decision.Timeout = time.Minute
	r := start(t, c)
	as := manager(t, elsewhere(t, c), portal.Limits{})
	if status, text := answered(t, r, evaluation, viewing("carl")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	url := start(t, c).urls[0]
	if !usedToday(t, url, as, "carl") || usedToday(t, url, as, "anna") {
		t.Error("carl has used the membership, and anna has not")
	}
}

// R16: where uses find no room on the sidecar's disk they are not known, and that is all.
func TestAFullSpoolLosesUsesAlone(t *testing.T) {
	c := local(t)
	c.Decision.Timeout = time.Minute
	d, gates := runDirectory(t, c)
	as := manager(t, elsewhere(t, c), portal.Limits{})
	s := sidecarOfOne(t, c, gates)
	s.Gate.SpoolBytes = 600 // of a size that settings cannot have: room for a decision and for no use
	said := &spoken{}
	edge := runAs(t, config.Sidecar, s, said)
	if status, text := answered(t, edge, evaluation, viewing("carl")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	(&edited{t: t}).within(live, "the spool is full", func() bool {
		return strings.Contains(said.String(), "keeping when memberships were last used fails")
	})
	for _, body := range []string{asking("password.reveal"), viewing("carl"), viewing("anna")} {
		if status, text := answered(t, edge, evaluation, body); status != http.StatusOK {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	(&edited{t: t}).within(live, "the decision is kept", func() bool { return len(decided(t, c)) == 1 })
	_, metrics := call(t, http.DefaultClient, "GET", edge.urls[0]+"/metrics", "", nil)
	if !strings.Contains(metrics, "\ndoorward_uses_waiting 2\n") || !strings.Contains(metrics, `doorward_uses_total{outcome="kept"} 0`) {
		t.Error("the metrics do not tell")
	}
	if usedToday(t, d.urls[0], as, "carl") {
		t.Error("there was room")
	}
}
