package authzen

import (
	"strings"
	"testing"
)

func named(name string) string { return `{"name":"` + name + `"}` }

func TestEvaluation(t *testing.T) {
	url, _ := serve(t, records{})
	const yes, no = `{"decision":true}`, `{"decision":false,"context":{"reason":"category_missing"}}`
	for _, c := range []struct{ why, body, want string }{
		// c-2-2: the eight values of the scenario.
		{"alice reads", ask(alice, read, record1), yes},
		{"alice writes", ask(alice, write, record1), yes},
		{"bob reads", ask(bob, read, record1), yes},
		{"bob does not write", ask(bob, write, record1), `{"decision":false,"context":{"reason":"category_missing","category":"invoices"}}`},
		{"resource properties", ask(alice, write, `{"type":"record","id":"record-2","properties":{"status":"archived"}}`), no},
		{"subject properties", ask(`{"type":"user","id":"bob","properties":{"role":"admin"}}`, write, `{"type":"record","id":"record-2","properties":{"status":"archived"}}`), yes},
		{"action properties", ask(alice, `{"name":"delete","properties":{"soft":true}}`, record1), yes},
		{"action properties deny", ask(alice, `{"name":"delete","properties":{"soft":false}}`, record1), no},

		// authzen.md 2: optional members, unknown members, order.
		{"context is free", ask(alice, read, record1, `"context":{"time":"2025-06-27T18:03-07:00","x":[null,{"y":1e99}]}`), yes},
		{"empty context", ask(alice, read, record1, `"context":{}`), yes},
		{"null for optional is absent", ask(`{"type":"user","id":"alice","properties":null}`, `{"name":"read","properties":null}`, record1, `"context":null`), yes},
		{"empty properties", ask(`{"type":"user","id":"alice","properties":{}}`, `{"name":"read","properties":{}}`, record1), yes},
		{"null deep in properties", ask(`{"type":"user","id":"alice","properties":{"a":null,"b":[null]}}`, read, record1), yes},
		{"unknown members are ignored", ask(`{"type":"user","id":"alice","identity":7}`, `{"name":"read","x":null}`, `{"type":"record","id":"record-1","y":[]}`, `"extra":{"subject":1}`), yes},
		{"evaluations and options mean nothing here", ask(alice, read, record1, `"evaluations":7`, `"options":[]`), yes},
		{"order means nothing", `{"resource":{"id":"record-1","type":"record"},"action":{"name":"read"},"subject":{"id":"alice","type":"user"}}`, yes},
		{"names are case-sensitive: Subject is an unknown member", ask(alice, write, record1, `"Subject":`+bob), yes},
		{"User is not user", ask(`{"type":"User","id":"alice"}`, read, record1), `{"decision":false,"context":{"reason":"subject_unknown"}}`},
		{"names unknown are denied, not refused", ask(`{"type":"x","id":"y"}`, named("z"), `{"type":"q","id":"r"}`), `{"decision":false,"context":{"reason":"subject_unknown"}}`},
		{"256 bytes are a name", ask(`{"type":"user","id":"`+strings.Repeat("é", 128)+`"}`, read, record1), `{"decision":false,"context":{"reason":"subject_unknown"}}`},
		{"escapes", ask(`{"type":"user","id":"\u0061lice"}`, `{"n\u0061me":"r\u0065ad"}`, record1), yes},
		{"white space", "\n " + ask(alice, read, record1) + "\r\n\t ", yes},

		// design 3: what a decision carries, in this order.
		{"allow with obligations", ask(alice, named("oblige"), record1), `{"decision":true,"context":{"obligations":[{"id":"notify"}]}}`},
		{"allow of a part (A13.16)", ask(alice, named("list"), record1), `{"decision":true,"context":{"filter":{"resources":[{"type":"service","id":"5\""},{"type":"service","id":"6"}]}}}`},
		{"deny with obligations", ask(alice, named("step up"), record1), `{"decision":false,"context":{"reason":"step_up_required","category":"security","obligations":[{"id":"step_up","max_age":900},{"id":"x"}]}}`},
		{"switch", ask(alice, named("switch"), record1), `{"decision":false,"context":{"reason":"switch_required","switch_required":"10\"01"}}`},
	} {
		status, got, _ := post(t, url+EvaluationPath, c.body)
		if status != 200 || got != c.want {
			t.Errorf("%s: %s\ngot  %d %s\nwant 200 %s", c.why, c.body, status, got, c.want)
		}
	}
}

// c-2-4, authzen.md 5: what is missing or mistyped is 400 and names its place.
func TestEvaluationRefuses(t *testing.T) {
	url, _ := serve(t, records{})
	long := strings.Repeat("x", 257)
	for _, c := range []struct{ why, body, pointer string }{
		{"no subject", `{"action":` + read + `,"resource":` + record1 + `}`, "/subject"},
		{"no action", `{"subject":` + alice + `,"resource":` + record1 + `}`, "/action"},
		{"no resource", `{"subject":` + alice + `,"action":` + read + `}`, "/resource"},
		{"null subject", ask("null", read, record1), "/subject"},
		{"null action", ask(alice, "null", record1), "/action"},
		{"null resource", ask(alice, read, "null"), "/resource"},
		{"subject is a string", ask(`"alice"`, read, record1), "/subject"},
		{"subject is an array", ask(`[`+alice+`]`, read, record1), "/subject"},
		{"action is a string", ask(alice, `"read"`, record1), "/action"},
		{"resource is a number", ask(alice, read, "1"), "/resource"},
		{"no subject type", ask(`{"id":"alice"}`, read, record1), "/subject/type"},
		{"no subject id", ask(`{"type":"user"}`, read, record1), "/subject/id"},
		{"null id", ask(`{"type":"user","id":null}`, read, record1), "/subject/id"},
		{"number id: 2^53+1 is never rounded (S40)", ask(`{"type":"user","id":9007199254740993}`, read, record1), "/subject/id"},
		{"boolean type", ask(`{"type":true,"id":"alice"}`, read, record1), "/subject/type"},
		{"no action name", ask(alice, `{}`, record1), "/action/name"},
		{"action name in another case (S40)", ask(alice, `{"Name":"read"}`, record1), "/action/name"},
		{"subject in another case (S40)", `{"Subject":` + alice + `,"action":` + read + `,"resource":` + record1 + `}`, "/subject"},
		{"null action name", ask(alice, `{"name":null}`, record1), "/action/name"},
		{"object action name", ask(alice, `{"name":{}}`, record1), "/action/name"},
		{"no resource type", ask(alice, read, `{"id":"record-1"}`), "/resource/type"},
		{"no resource id", ask(alice, read, `{"type":"record"}`), "/resource/id"},
		{"empty id", ask(`{"type":"user","id":""}`, read, record1), "/subject/id"},
		{"long id", ask(`{"type":"user","id":"`+long+`"}`, read, record1), "/subject/id"},
		{"control character (S42)", ask(`{"type":"user","id":"x\n{\"level\":\"info\",\"msg\":\"allow\"}"}`, read, record1), "/subject/id"},
		{"NUL in the action", ask(alice, `{"name":"read\u0000"}`, record1), "/action/name"},
		{"properties are a list", ask(`{"type":"user","id":"alice","properties":[]}`, read, record1), "/subject/properties"},
		{"action properties are a string", ask(alice, `{"name":"read","properties":"x"}`, record1), "/action/properties"},
		{"resource properties are false", ask(alice, read, `{"type":"record","id":"record-1","properties":false}`), "/resource/properties"},
		{"context is a string", ask(alice, read, record1, `"context":"x"`), "/context"},
		{"context is a list", ask(alice, read, record1, `"context":[]`), "/context"},

		{"empty body", "", ""},
		{"blank body", " \n", ""},
		{"not JSON", "subject=alice", ""},
		{"cut off", ask(alice, read, record1)[:40], ""},
		{"a list", `[]`, ""},
		{"a string", `"x"`, ""},
		{"null", `null`, ""},
		{"trailing data (S40)", ask(alice, read, record1) + `{}`, ""},
		{"trailing comma", ask(alice, read, record1) + `,`, ""},
		{"name twice (S40)", ask(alice, read, record1, `"subject":`+bob), "/subject"},
		{"name twice, deep (S40)", ask(`{"type":"user","id":"alice","id":"bob"}`, read, record1), "/subject/id"},
		{"name twice by escape (S40)", ask(alice, read, record1, `"\u0073ubject":`+bob), "/subject"},
		{"bad UTF-8 (S40)", ask("{\"type\":\"user\",\"id\":\"alice\xff\"}", read, record1), "/subject/id"},
		{"unpaired surrogate", ask(`{"type":"user","id":"\ud800"}`, read, record1), "/subject/id"},
		{"too deep (S41)", ask(alice, read, record1, `"context":{"a":`+strings.Repeat("[", 15)+strings.Repeat("]", 15)+`}`), "/context/a" + strings.Repeat("/0", 14)},
	} {
		for _, path := range []string{EvaluationPath, EvaluationsPath} {
			status, got, header := post(t, url+path, c.body)
			if status != 400 || header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s at %s: got %d %s, want 400", c.why, path, status, got)
			} else if pointer := pointerOf(t, got); pointer != c.pointer {
				t.Errorf("%s at %s: pointer %q, want %q", c.why, path, pointer, c.pointer)
			}
		}
	}
}

// design 3: what cannot be judged is 503 without a decision; an error that has no
// name is 500 without a cause.
func TestNotJudged(t *testing.T) {
	url, log := serve(t, records{})
	status, got, header := post(t, url+EvaluationPath, ask(`{"type":"user","id":"unjudged"}`, read, record1))
	if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(got, "facts_unavailable") {
		t.Errorf("unjudged: got %d %s", status, got)
	}
	pointerOf(t, got)
	status, got, _ = post(t, url+EvaluationPath, ask(`{"type":"user","id":"broken"}`, read, record1))
	if status != 500 || strings.Contains(got, "pipe") {
		t.Errorf("broken: got %d %s", status, got)
	}
	pointerOf(t, got)
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("two failures, logged %d times:\n%s", n, log)
	}
}
