package authzen

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
)

// records judges by the certification scenario's rules (authzen.md 7), plus a few
// actions of its own for what a decision can carry. It is deterministic and knows
// two users; everything else is denied.
type records struct {
	calls func(questions int) // told of every call; may be nil
}

var basis = decision.Basis{Policy: "sha256:0123", Position: portal.Position{Revision: 7, Tag: portal.Tag{0xab, 0xcd}}}

func (d records) Decide(_ context.Context, q decision.Question) (decision.Decision, error) {
	if d.calls != nil {
		d.calls(1)
	}
	a := judge(q)
	return a.Decision, a.Err
}

func (d records) DecideAll(_ context.Context, questions []decision.Question, stop func(decision.Answer) bool) ([]decision.Answer, error) {
	if d.calls != nil {
		d.calls(len(questions))
	}
	var answers []decision.Answer
	for _, q := range questions {
		if q.Action.Name == "break everything" {
			return nil, &decision.UnavailableError{Code: decision.NotReady}
		}
		a := judge(q)
		answers = append(answers, a)
		if stop != nil && stop(a) {
			break
		}
	}
	return answers, nil
}

func judge(q decision.Question) decision.Answer {
	d := decision.Decision{Basis: basis}
	sent := func(e decision.Entity, name string) string { return e.Properties.Get(name).Text() }
	known := q.Subject.Type == "user" && (q.Subject.ID == "alice" || q.Subject.ID == "bob")
	admin := sent(q.Subject, "role") == "admin"
	switch {
	case q.Subject.ID == "unjudged":
		return decision.Answer{Err: &decision.UnavailableError{Code: decision.FactsUnavailable}}
	case q.Subject.ID == "broken":
		return decision.Answer{Err: io.ErrClosedPipe}
	case !known:
		d.Reason = decision.SubjectUnknown
	case q.Action.Name == "read":
		d.Allow = true
	case q.Action.Name == "write" && sent(q.Resource, "status") == "archived":
		d.Allow = admin
	case q.Action.Name == "write" && q.Subject.ID == "alice":
		d.Allow = true
	case q.Action.Name == "delete":
		d.Allow = q.Action.Properties.Get("soft").True()
	case q.Action.Name == "echo": // allows when the context says so, for batches that differ in it alone
		d.Allow = q.Context.Get("allow").True()
	case q.Action.Name == "oblige":
		d.Allow, d.Obligations = true, []rules.Obligation{{ID: "notify", JSON: []byte(`{"id":"notify"}`)}}
	case q.Action.Name == "list":
		d.Allow, d.Filter = true, []portal.Ref{{Type: "service", ID: `5"`}, {Type: "service", ID: "6"}}
	case q.Action.Name == "step up":
		d.Reason, d.Category = decision.StepUpRequired, "security"
		d.Obligations = []rules.Obligation{{ID: "step_up", JSON: []byte(`{"id":"step_up","max_age":900}`)}, {ID: "x", JSON: []byte(`{"id":"x"}`)}}
	case q.Action.Name == "switch":
		d.Reason, d.SwitchTo = decision.SwitchRequired, `10"01`
	default:
		d.Reason, d.Category = decision.CategoryMissing, "invoices"
	}
	if !d.Allow && d.Reason == "" {
		d.Reason = decision.CategoryMissing
	}
	return decision.Answer{Decision: d}
}

// serve starts a real server around the decider, and returns its address and log.
func serve(t *testing.T, d Decider) (url string, log *bytes.Buffer) {
	t.Helper()
	log = new(bytes.Buffer)
	mux := http.NewServeMux()
	h := &Handler{Decider: d, Log: slog.New(slog.NewJSONHandler(log, nil))}
	h.Register(mux)
	server := httptest.NewServer(EchoRequestID(mux))
	t.Cleanup(server.Close)
	return server.URL, log
}

func post(t *testing.T, url, body string) (int, string, http.Header) {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// pointerOf returns a problem's pointer and fails if it carries a decision.
func pointerOf(t *testing.T, body string) string {
	t.Helper()
	var p struct {
		Type, Detail, Pointer string
		Decision              *bool
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Type == "" || p.Detail == "" || p.Decision != nil {
		t.Errorf("not a problem without a decision: %v: %s", err, body)
	}
	return p.Pointer
}

// ask writes a question with the members given, as JSON.
func ask(subject, action, resource string, more ...string) string {
	members := append([]string{`"subject":` + subject, `"action":` + action, `"resource":` + resource}, more...)
	return "{" + strings.Join(members, ",") + "}"
}

const (
	alice   = `{"type":"user","id":"alice"}`
	bob     = `{"type":"user","id":"bob"}`
	read    = `{"name":"read"}`
	write   = `{"name":"write"}`
	record1 = `{"type":"record","id":"record-1"}`
)
