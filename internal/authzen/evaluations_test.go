package authzen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shorthand returns a batch's decisions, T and F, an error's status in its place.
func shorthand(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Decision    *bool
		Evaluations []struct {
			Decision *bool
			Context  struct {
				Error *struct {
					Status  int
					Message string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if answer.Decision != nil { // c-3-4-2, and spec 7.2: never both
		return fmt.Sprintf("single %t", *answer.Decision)
	}
	words := []string{}
	for _, e := range answer.Evaluations {
		switch {
		case e.Decision == nil:
			t.Fatalf("an item without a decision: %s", body)
		case e.Context.Error != nil && !*e.Decision && e.Context.Error.Message != "":
			words = append(words, fmt.Sprint(e.Context.Error.Status))
		case *e.Decision:
			words = append(words, "T")
		default:
			words = append(words, "F")
		}
	}
	return strings.Join(words, " ")
}

func batchOf(defaults string, items ...string) string {
	return "{" + defaults + `"evaluations":[` + strings.Join(items, ",") + "]}"
}

func TestEvaluations(t *testing.T) {
	url, _ := serve(t, records{})
	const (
		aliceDefault = `"subject":` + alice + `,`
		allDefault   = aliceDefault + `"action":` + read + `,"resource":` + record1 + `,`
		archived     = `{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	)
	semantic := func(s string) string { return `"options":{"evaluations_semantic":"` + s + `"},` }
	full := func(who, what string) string { return ask(who, what, record1) }
	unjudged := full(`{"type":"user","id":"unjudged"}`, read)
	broken := full(`{"type":"user","id":"broken"}`, read)
	for _, c := range []struct{ why, body, want string }{
		// c-3-2: items and defaults.
		{"whole items (c-3-2-1)", batchOf("", full(alice, read), full(bob, write), full(bob, read)), "T F T"},
		{"one item", batchOf("", full(bob, write)), "F"},
		{"default subject (c-3-2-2)", batchOf(aliceDefault, `{"action":`+read+`,"resource":`+record1+`}`), "T"},
		{"default action and resource", batchOf(`"action":`+write+`,"resource":`+record1+`,`, `{"subject":`+alice+`}`, `{"subject":`+bob+`}`), "T F"},
		{"an empty item inherits all (c-3-2-5)", batchOf(allDefault, `{}`, `{}`), "T T"},
		{"an item replaces (c-3-2-6)", batchOf(allDefault, `{"subject":`+bob+`,"action":`+write+`}`, `{}`), "F T"},
		{"whole, without merging: the default's properties are gone (c-3-2-7)", batchOf(aliceDefault+`"action":`+write+`,"resource":`+archived+`,`, `{}`, `{"resource":{"type":"record","id":"record-2"}}`), "F T"},
		{"whole, without merging: the default's type is not inherited (c-3-2-7)", batchOf(allDefault, `{"resource":{"id":"record-1"}}`), "400"},
		{"whole, without merging: the default's context is gone", batchOf(aliceDefault+`"action":{"name":"echo"},"resource":`+record1+`,"context":{"allow":true},`, `{}`, `{"context":{"x":1}}`, `{"context":{}}`, `{"context":null}`), "T F F T"},
		{"an item does not leak into the next", batchOf(allDefault, `{"subject":`+bob+`}`, `{"action":`+write+`}`, `{}`), "T T T"},
		{"null default is absent", batchOf(`"subject":null,"context":null,`, full(alice, read)), "T"},
		{"null item member is not inherited", batchOf(allDefault, `{"subject":null}`, `{"action":null}`, `{"resource":null}`), "400 400 400"},
		{"unknown members are ignored", batchOf(allDefault+`"extra":1,`, `{"x":1,"evaluations":[],"options":7}`), "T"},
		{"a broken default hurts only who inherits it", batchOf(`"subject":{"type":"user"},`, full(alice, read), `{"action":`+read+`,"resource":`+record1+`}`), "T 400"},

		// c-3-4-1, spec 7.2.1: errors of items.
		{"an item without subject (c-3-4-1)", batchOf("", full(alice, read), `{"action":`+read+`,"resource":`+record1+`}`, full(bob, write)), "T 400 F"},
		{"the only item is wrong", batchOf("", `{}`), "400"},
		{"items that are no objects", batchOf(allDefault, `1`, `"x"`, `null`, `[]`, `{}`), "400 400 400 400 T"},
		{"mistyped in an item", batchOf(allDefault, `{"subject":"alice"}`, `{"context":[]}`, `{"action":{"name":"a\nb"}}`, `{"resource":{"type":"record","id":"x","properties":1}}`), "400 400 400 400"},
		{"not judged", batchOf("", full(alice, read), unjudged, full(bob, write), broken), "T 503 F 500"},

		// c-3-4-2, c-3-4-3: no items.
		{"evaluations absent (c-3-4-2)", full(alice, read), "single true"},
		{"evaluations empty (c-3-4-3)", `{` + allDefault + `"evaluations":[]}`, "single true"},
		{"evaluations null", `{` + allDefault + `"evaluations":null}`, "single true"},
		{"empty, denied", batchOf(`"subject":` + bob + `,"action":` + write + `,"resource":` + record1 + `,`), "single false"},

		// options.
		{"options without semantic", batchOf(`"options":{"other":1},`, full(bob, write), full(alice, read)), "F T"},
		{"options empty or null", batchOf(`"options":null,`, full(bob, write), full(alice, read)), "F T"},
		{"semantic null", batchOf(`"options":{"evaluations_semantic":null},`, full(bob, write), full(alice, read)), "F T"},
		{"execute_all", batchOf(semantic("execute_all"), full(bob, write), `{}`, full(alice, read)), "F 400 T"},

		{"deny_on_first_deny ends with the deny", batchOf(semantic("deny_on_first_deny"), full(alice, read), full(bob, write), full(alice, read)), "T F"},
		{"deny_on_first_deny without a deny", batchOf(semantic("deny_on_first_deny"), full(alice, read), full(bob, read)), "T T"},
		{"deny_on_first_deny ends with a failed item", batchOf(semantic("deny_on_first_deny"), full(alice, read), `{}`, full(bob, write), full(alice, read)), "T 400"},
		{"deny_on_first_deny: a deny before the failed item", batchOf(semantic("deny_on_first_deny"), full(bob, write), `{}`), "F"},
		{"deny_on_first_deny: the first item failed", batchOf(semantic("deny_on_first_deny"), `{}`, full(alice, read)), "400"},
		{"deny_on_first_deny ends with what was not judged", batchOf(semantic("deny_on_first_deny"), full(alice, read), unjudged, full(alice, read)), "T 503"},

		{"permit_on_first_permit ends with the permit", batchOf(semantic("permit_on_first_permit"), full(bob, write), full(alice, read), full(bob, write)), "F T"},
		{"permit_on_first_permit without a permit", batchOf(semantic("permit_on_first_permit"), full(bob, write), full(bob, write)), "F F"},
		{"permit_on_first_permit passes failed items", batchOf(semantic("permit_on_first_permit"), `{}`, unjudged, full(bob, write), full(alice, read), `{}`), "400 503 F T"},
		{"permit_on_first_permit: failed items after the last question", batchOf(semantic("permit_on_first_permit"), full(bob, write), `{}`, `{}`), "F 400 400"},
	} {
		status, got, _ := post(t, url+EvaluationsPath, c.body)
		if status != 200 {
			t.Errorf("%s: got %d %s", c.why, status, got)
			continue
		}
		if word := shorthand(t, got); word != c.want {
			t.Errorf("%s: got %s, want %s\n%s\n%s", c.why, word, c.want, c.body, got)
		}
	}
}

// spec 7.2, exactly: order, members, and nothing beside evaluations.
func TestEvaluationsBytes(t *testing.T) {
	url, log := serve(t, records{})
	body := batchOf("", ask(alice, read, record1), ask(bob, write, record1), `{"subject":7}`, ask(`{"type":"user","id":"unjudged"}`, read, record1), ask(alice, named("oblige"), record1))
	_, got, header := post(t, url+EvaluationsPath, body)
	want := `{"evaluations":[{"decision":true},` +
		`{"decision":false,"context":{"reason":"category_missing","category":"invoices"}},` +
		`{"decision":false,"context":{"error":{"status":400,"message":"/evaluations/2/subject: subject must be an object with type and id, not a number"}}},` +
		`{"decision":false,"context":{"error":{"status":503,"message":"The facts about this question could not be read."}}},` +
		`{"decision":true,"context":{"obligations":[{"id":"notify"}]}}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if header.Get("Doorward-Revision") != basis.Position.String() || header.Get("Doorward-Policy") != basis.Policy {
		t.Errorf("headers %v", header)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "facts_unavailable") {
		t.Errorf("one item was not judged, logged %d times:\n%s", n, log)
	}
	_, _, header = post(t, url+EvaluationsPath, `{"evaluations":[{}]}`)
	if header.Get("Doorward-Revision") != "" || header.Get("Doorward-Decision-Id") == "" {
		t.Errorf("nothing was decided, yet headers %v", header)
	}
}

// authzen.md 3: errors of the payload are 400 for the whole batch.
func TestEvaluationsRefuses(t *testing.T) {
	url, _ := serve(t, records{})
	whole := ask(alice, read, record1)
	for _, c := range []struct {
		body    string
		status  int
		pointer string
	}{
		{`{"evaluations":{}}`, 400, "/evaluations"},
		{`{"evaluations":"x"}`, 400, "/evaluations"},
		{`{"evaluations":false}`, 400, "/evaluations"},
		{batchOf(`"subject":"alice",`, whole), 400, "/subject"},
		{batchOf(`"action":["read"],`, whole), 400, "/action"},
		{batchOf(`"resource":7,`, whole), 400, "/resource"},
		{batchOf(`"context":true,`, whole), 400, "/context"},
		{batchOf(`"options":[],`, whole), 400, "/options"},
		{batchOf(`"options":"execute_all",`, whole), 400, "/options"},
		{batchOf(`"options":{"evaluations_semantic":"first"},`, whole), 400, "/options/evaluations_semantic"},
		{batchOf(`"options":{"evaluations_semantic":"Execute_All"},`, whole), 400, "/options/evaluations_semantic"},
		{batchOf(`"options":{"evaluations_semantic":""},`, whole), 400, "/options/evaluations_semantic"},
		{batchOf(`"options":{"evaluations_semantic":1},`, whole), 400, "/options/evaluations_semantic"},
		{`{}`, 400, "/subject"},                 // c-3-4-2: missing members of the one question
		{`{"evaluations":[]}`, 400, "/subject"}, // c-3-4-3
		{ask(alice, read, record1, `"options":7`), 400, "/options"},
		{batchOf("", slices.Repeat([]string{`{}`}, 101)...), 413, "/evaluations"},
	} {
		status, got, _ := post(t, url+EvaluationsPath, c.body)
		if status != c.status {
			t.Errorf("%.80s: got %d %s, want %d", c.body, status, got, c.status)
		} else if pointer := pointerOf(t, got); pointer != c.pointer {
			t.Errorf("%.80s: pointer %q, want %q", c.body, pointer, c.pointer)
		}
	}
	status, got, _ := post(t, url+EvaluationsPath, batchOf("", slices.Repeat([]string{`{}`}, 100)...))
	if status != 200 || strings.Count(got, `"status":400`) != 100 {
		t.Errorf("100 items: %d %.200s", status, got)
	}
}

// A batch is one call, so one policy and one position; what the semantic never
// reaches is not even asked.
func TestBatchIsOneCall(t *testing.T) {
	var calls []int
	url, _ := serve(t, records{calls: func(n int) { calls = append(calls, n) }})
	yes := ask(alice, read, record1)
	post(t, url+EvaluationsPath, batchOf("", yes, `{}`, yes, yes))
	post(t, url+EvaluationsPath, batchOf(`"options":{"evaluations_semantic":"deny_on_first_deny"},`, yes, `{}`, yes, yes))
	post(t, url+EvaluationsPath, batchOf("", `{}`))
	if diff := cmp.Diff([]int{3, 1}, calls); diff != "" {
		t.Errorf("questions asked in each call (-want +got):\n%s", diff)
	}
}

// A batch that could not be judged at all is a problem.
func TestBatchNotJudged(t *testing.T) {
	url, _ := serve(t, records{})
	status, got, _ := post(t, url+EvaluationsPath, batchOf("", ask(alice, named("break everything"), record1)))
	if status != 503 || !strings.Contains(got, "not_ready") {
		t.Errorf("got %d %s", status, got)
	}
	pointerOf(t, got)
}
