package server_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A published is a request of the Todo interop scenario and what it expects: a decision,
// or those of a batch.
type published struct {
	Request  json.RawMessage
	Expected json.RawMessage
}

// The Todo interop scenario of the AuthZEN working group: the published users get the
// published decisions, single and in batches, from a running server over TLS. The file
// is the working group's own (policies/examples/todo).
func TestTheTodoScenario(t *testing.T) {
	text, err := os.ReadFile("../../policies/examples/todo/decisions.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Evaluation, Evaluations []published }
	if err := json.Unmarshal(text, &all); err != nil || len(all.Evaluation) != 40 || len(all.Evaluations) != 3 {
		t.Fatalf("%d and %d requests, %v", len(all.Evaluation), len(all.Evaluations), err)
	}
	p := startExample(t, "todo")
	for _, c := range all.Evaluation {
		var want bool
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if wrong := decides(want)(t, p, p.post(t, evaluation, string(c.Request), nil)); wrong != "" {
			t.Errorf("%s: %s", c.Request, wrong)
		}
	}
	for _, c := range all.Evaluations {
		var items []struct{ Decision bool }
		if err := json.Unmarshal(c.Expected, &items); err != nil {
			t.Fatal(err)
		}
		var want []bool
		for _, item := range items {
			want = append(want, item.Decision)
		}
		if wrong := decidesEach(want...)(t, p, p.post(t, evaluations, string(c.Request), nil)); wrong != "" {
			t.Errorf("%s: %s", c.Request, wrong)
		}
	}
}

const (
	rick  = `"subject":{"type":"user","id":"CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"}`
	morty = `"subject":{"type":"user","id":"CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"}`
	beth  = `"subject":{"type":"user","id":"CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"}`
)

// The payloads of the scenario's page (docs/scenarios/todo-1.1) that the file lacks: an
// empty default and context, a user by address or PID, and a todo that is not stored.
// And what searches make of its users.
func TestTheTodoScenariosPayloads(t *testing.T) {
	p := startExample(t, "todo")
	const update = `"action":{"name":"can_update_todo"}`
	owned := func(id, owner string) string {
		return `"resource":{"type":"todo","id":"` + id + `","properties":{"ownerID":"` + owner + `"}}`
	}
	certify(t, p, []section{
		{"boxcar", evaluations, body(morty, update, `"resource":{}`, `"context":{}`, `"evaluations":[{`+owned("7240d0db-8ff0-41ec-98b2-34a096273b9f", "rick@the-citadel.com")+
			`},{`+owned("7240d0db-8ff0-41ec-98b2-34a096273b9e", "morty@the-citadel.com")+`}]`), decidesEach(false, true)},
		{"a user by PID", evaluation, body(beth, `"action":{"name":"can_read_user"}`, `"resource":{"type":"user","id":"CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"}`, `"context":{}`), decides(true)},
		{"roles are not sent", evaluation, body(`"subject":{"type":"user","id":"CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs","properties":{"roles":{"admin":true}}}`,
			`"action":{"name":"can_delete_todo"}`, owned("x", "rick@the-citadel.com")), decides(false)},
		{"as whom nobody knows", evaluation, body(`"subject":{"type":"user","id":"rick@the-citadel.com"}`, `"action":{"name":"can_read_todos"}`, `"resource":{"type":"todo","id":"todo-1"}`), decides(false)},
		{"mortys todos", searchResource, body(morty, update, `"resource":{"type":"todo"}`), finds(entity("todo", "7240d0db-8ff0-41ec-98b2-34a096273b91"))},
		{"beths menu", searchAction, body(beth, `"resource":{"type":"todo","id":"7240d0db-8ff0-41ec-98b2-34a096273b94"}`), finds(named("can_read_todos"))},
		{"who changes ricks", searchSubject, body(`"subject":{"type":"user"}`, update, `"resource":{"type":"todo","id":"7240d0db-8ff0-41ec-98b2-34a096273b92"}`),
			finds(entity("user", "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"))},
	})
	a := p.post(t, searchResource, body(rick, `"action":{"name":"can_read_user"}`, `"resource":{"type":"user"}`), nil)
	want := []string{entity("user", "beth@the-smiths.com"), entity("user", "jerry@the-smiths.com"), entity("user", "morty@the-citadel.com"),
		entity("user", "rick@the-citadel.com"), entity("user", "summer@the-smiths.com")}
	if got, _ := resultsOf(a); cmp.Diff(want, got) != "" {
		t.Errorf("%s", a.text)
	}
}
