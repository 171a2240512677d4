package server_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// canaryOf is the one canary of a directory.
func canaryOf(t *testing.T, store directory.Store) (name string) {
	t.Helper()
	accounts, err := store.IDs(t.Context(), directory.List{Kind: directory.ListAccounts}, "~doorward-canary~", 10)
	if err != nil || len(accounts) != 1 {
		t.Fatalf("the canaries are %q, %v", accounts, err)
	}
	return accounts[0]
}

// metric is what /metrics says of a metric; -1: nothing.
func metric(t *testing.T, r *running, name string) float64 {
	t.Helper()
	_, text := call(t, http.DefaultClient, "GET", r.urls[0]+"/metrics", "", nil)
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// R6, R7: the canary's membership comes and goes as people's do, with lines in the trail,
// until every gate has it in force, in SQLite and in PostgreSQL. One that is not switched on
// changes nothing.
func TestTheCanaryMeasuresRemovals(t *testing.T) {
	for name, set := range map[string]func(*testing.T, *config.Config){
		"SQLite": func(*testing.T, *config.Config) {}, "PostgreSQL": inPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			c := local(t)
			c.Decision.Timeout, c.Drain.Timeout = time.Minute, 100*time.Millisecond
			set(t, &c)
			quiet, gates := runDirectory(t, c)
			edge := runAs(t, config.Sidecar, sidecarOfOne(t, c, gates), io.Discard)
			answered(t, edge, evaluation, asking("invoice.view"))
			if metric(t, quiet, "doorward_canary_seconds_count") >= 0 {
				t.Error("a canary flies that nobody has asked for")
			}
			c.Gates.Canary = true
			d, _ := runDirectory(t, c)
			(&edited{t: t}).within(live, "the canary flies", func() bool { return metric(t, d, "doorward_canary_seconds_count") == 1 })
			(&edited{t: t}).within(live, "it is counted", func() bool { return metric(t, d, "doorward_canary_last_success_timestamp_seconds") > 0 })
			if failed, stale := metric(t, d, "doorward_canary_failures_total"), metric(t, d, "doorward_canary_stale_total"); failed != 0 || stale != 0 {
				t.Errorf("%v rounds failed, %v were stale", failed, stale)
			}
			store := elsewhere(t, c)
			canary := canaryOf(t, store)
			m, err := store.Membership(t.Context(), portal.AccountID(canary), portal.UserID(canary))
			if err != nil || m.State != portal.MembershipRemoved {
				t.Errorf("%+v, %v", m, err)
			}
			if got, want := trailOf(t, store, canary), "account.put membership.put membership.put membership.put"; got != want {
				t.Errorf("the trail has %s, want %s", got, want)
			}
			question := strings.ReplaceAll(`{"subject":{"type":"user","id":"CANARY"},"action":{"name":"audit.view"},"resource":{"type":"account","id":"CANARY"}}`, "CANARY", canary)
			if status, text := answered(t, edge, evaluation, question); status != http.StatusOK || !strings.Contains(text, `"reason":"removed"`) {
				t.Errorf("a sidecar: %d %s", status, text)
			}
		})
	}
}

// trailOf is what Doorward has done to an account, by the trail.
func trailOf(t *testing.T, store directory.Store, account string) string {
	t.Helper()
	var actions []string
	for l, err := range store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Actor == "doorward" && l.Object == "account:"+account {
			actions = append(actions, l.Action)
		}
	}
	return strings.Join(actions, " ")
}
