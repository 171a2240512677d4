package decision_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/decision/casetest"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policygen"
	"doorward/internal/portal"
	"doorward/policies"
)

// What rules see of entities is told by the obligation of every answer.
const tellingEntities = `package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": [{
	"id": "seen", "role": input.request.subject.properties.role, "team": input.request.subject.properties.team,
	"status": input.request.resource.properties.status, "size": input.request.resource.properties.size,
	"soft": input.request.action.properties.soft, "ip": input.request.context.ip,
	"type": input.subject.type, "kind": input.subject.kind, "is": input.subject.status, "mfa": input.session.mfa,
	"account": input.account.status, "state": input.grant.state,
}]}

default reason := "category_missing"

reason := "" if input.action.name == "read"

reason := "" if {
	input.action.name == "write"
	input.request.subject.properties.role == "admin"
}
`

// records is the policy folder of another domain: role counts as sent, else as stored,
// and team as stored only.
func records() fstest.MapFS {
	return fstest.MapFS{
		"catalogue.yaml": {Data: []byte("categories: {}\nmails: {}\nactions:\n  read: {entity: record, effect: read, scope: none}\n" +
			"  write: {entity: record, effect: write, scope: none}\n  note: {entity: note, unlisted: true, effect: write, scope: none}\n")},
		"inputs.yaml": {Data: []byte(`has: []
request:
  - {path: subject.properties.role, type: string, absent: "", for: [write, note]}
  - {path: subject.properties.team, type: string, absent: none, for: ["*"], stored: true}
  - {path: resource.properties.status, type: string, absent: "", for: [write, note]}
  - {path: resource.properties.size, type: number, absent: 0, for: ["*"], stored: true}
  - {path: action.properties.soft, type: boolean, absent: false, for: [write]}
  - {path: context.ip, type: string, absent: "", for: [write]}
`)},
		"entities.yaml": {Data: []byte(`subjects:
  user:
    alice: {team: blue}
    bob: {role: admin}
    carl: {}
  contact:
    alice: {role: guest}
resources:
  record:
    r1: {status: active, size: 1.0}
    r2: {status: archived}
  note: {}
`)},
		"rules/a.rego": {Data: []byte(tellingEntities)},
	}
}

func loaded(t testing.TB, files fs.FS) *policy.Policy {
	t.Helper()
	p, err := policy.Read(files).WithoutTests().Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// properties makes an object of names and values, without those that are absent.
func properties(pairs ...any) ijson.Value {
	var members []ijson.Member
	for i := 0; i < len(pairs); i += 2 {
		if v := pairs[i+1].(ijson.Value); v.Kind() != ijson.Absent {
			members = append(members, ijson.Member{Name: pairs[i].(string), Value: v})
		}
	}
	return ijson.ObjectValue(members...)
}

func entityQuestion(subject, action, resource string) decision.Question {
	ref := func(text string) portal.Ref {
		typ, id, _ := strings.Cut(text, ":")
		return portal.Ref{Type: typ, ID: id}
	}
	return decision.Question{Subject: decision.Entity{Ref: ref(subject)}, Action: decision.Action{Name: action}, Resource: decision.Entity{Ref: ref(resource)}}
}

// What a question says at a declared path counts, else what is stored there; at a path
// that is stored only nothing said counts, and no other path is read at all.
func TestSentBeatsStoredWhereDeclared(t *testing.T) {
	d := decision.New(loaded(t, records()), world{}, decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute})
	s, number := ijson.StringValue, ijson.NumberValue
	for name, c := range map[string]struct {
		subject, action, resource string
		change                    func(*decision.Question)
		want                      string // a reason, or what was seen
	}{
		"stored":              {"user:bob", "write", "record:r1", nil, `{"account":"none","id":"seen","ip":"","is":"active","kind":"stranger","mfa":false,"role":"admin","size":1.0,"soft":false,"state":"none","status":"active","team":"none","type":"user"}`},
		"sent":                {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("role", s("guest")) }, `"role":"guest"`},
		"sent and empty":      {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("role", s("")) }, `"role":""`},
		"sent as null":        {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("role", ijson.NullValue()) }, `"role":"admin"`},
		"sent wrongly":        {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("role", number("1")) }, "bad_input"},
		"neither":             {"user:carl", "write", "record:r1", nil, `"role":""`},
		"of another resource": {"user:bob", "write", "record:r2", nil, `"size":0,"soft":false,"state":"none","status":"archived"`},
		"of another type":     {"contact:alice", "write", "record:r1", nil, `"role":"guest"`},
		"a contact":           {"contact:alice", "write", "record:r1", nil, `"team":"none","type":"contact"`},
		"only stored":         {"user:alice", "read", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("team", s("red")) }, `"team":"blue"`},
		"only stored, wrong":  {"user:alice", "read", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("team", number("1")) }, `"team":"blue"`},
		"only stored, none":   {"user:bob", "read", "record:r2", func(q *decision.Question) { q.Resource.Properties = properties("size", number("9")) }, `"size":0`},
		"not for the action":  {"user:bob", "read", "record:r1", func(q *decision.Question) { q.Subject.Properties = properties("role", s("x"), "other", s("y")) }, `"role":""`},
		"of the action":       {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Action.Properties = properties("soft", ijson.BoolValue(true)) }, `"soft":true`},
		"of the context":      {"user:bob", "write", "record:r1", func(q *decision.Question) { q.Context = properties("ip", s("1"), "amr", ijson.ArrayValue(s("otp"))) }, `"ip":"1"`},
		"of what is unlisted": {"user:bob", "note", "note:n", func(q *decision.Question) { q.Resource.Properties = properties("status", s("new")) }, `"status":"new"`},
	} {
		q := entityQuestion(c.subject, c.action, c.resource)
		if c.change != nil {
			c.change(&q)
		}
		got, err := d.Decide(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		seen := string(got.Reason)
		if len(got.Obligations) > 0 {
			seen = string(got.Obligations[0].JSON)
		}
		if !strings.Contains(seen, c.want) {
			t.Errorf("%s: got %s, want %s", name, seen, c.want)
		}
	}
}

// Whom the policy does not list may do nothing, whatever the rules say, and nothing may
// be done to what it does not list. Whatever names an account or somebody who acts for
// another is no question of this kind.
func TestOnlyTheListedAreJudged(t *testing.T) {
	facts, counted := world{}.with("anna", "owner"), prometheus.NewRegistry() // who is somebody in the directory
	d := decision.New(loaded(t, records()), facts, decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute, Registerer: counted})
	questions := 0
	account := properties("account", ijson.StringValue("42"))
	actor := properties("actor", properties("type", ijson.StringValue("user"), "id", ijson.StringValue("bob"),
		"properties", properties("ticket", ijson.StringValue("T"), "expires_at", ijson.NumberValue("9999999999"))))
	for name, c := range map[string]struct {
		subject, action, resource string
		change                    func(*decision.Question)
		want                      decision.Reason
	}{
		"listed":                  {"user:alice", "read", "record:r1", nil, ""},
		"unlisted subject":        {"user:nobody", "read", "record:r1", nil, decision.SubjectUnknown},
		"the directory's user":    {"user:anna", "read", "record:r1", nil, decision.SubjectUnknown},
		"another type":            {"robot:alice", "read", "record:r1", nil, decision.SubjectUnknown},
		"another case":            {"user:Alice", "read", "record:r1", nil, decision.SubjectUnknown}, // S14
		"a resource as subject":   {"record:r1", "read", "record:r1", nil, decision.SubjectUnknown},
		"unlisted resource":       {"user:alice", "read", "record:r3", nil, decision.OutOfScope},
		"unlisted, said to be":    {"user:bob", "write", "record:r3", func(q *decision.Question) { q.Resource.Properties = properties("status", ijson.StringValue("active")) }, decision.OutOfScope},
		"a resource's other type": {"user:alice", "read", "page:r1", nil, decision.BadInput},
		"an account":              {"user:alice", "read", "account:42", nil, decision.BadInput},
		"nearly an account":       {"user:alice", "read", "Account:42", nil, decision.BadInput},
		"a subject as resource":   {"user:alice", "read", "user:alice", nil, decision.BadInput},
		"an account besides":      {"user:alice", "read", "record:r1", func(q *decision.Question) { q.Context = account }, decision.BadInput},
		"an account of it":        {"user:alice", "read", "record:r1", func(q *decision.Question) { q.Resource.Properties = account }, decision.BadInput},
		"somebody else acts":      {"user:alice", "read", "record:r1", func(q *decision.Question) { q.Context = actor }, decision.BadInput},
		"unlisted and allowed":    {"user:alice", "note", "note:n", nil, decision.CategoryMissing},
		"unlisted of no subject":  {"user:nobody", "note", "note:n", nil, decision.SubjectUnknown},
		"no such action":          {"user:alice", "reed", "record:r1", nil, decision.ActionUnknown},
	} {
		q := entityQuestion(c.subject, c.action, c.resource)
		if c.change != nil {
			c.change(&q)
		}
		for range 2 { // from the rules, and from the memo
			questions++
			got, err := d.Decide(t.Context(), q)
			if err != nil || got.Reason != c.want || got.Allow != (c.want == "") || got.Basis.Position != at || got.Filter != nil || got.Category != "" {
				t.Errorf("%s: got %+v, %v, want %q", name, got, err, c.want)
			}
		}
	}
	if got := total(t, counted, "doorward_decisions_total"); got != questions {
		t.Errorf("%d decisions counted, want %d", got, questions)
	}
}

// total adds up all counters of a name.
func total(t *testing.T, counted *prometheus.Registry, name string) int {
	t.Helper()
	families, err := counted.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return int(n)
}

// entityDraw draws a question of another domain.
func entityDraw(t *rapid.T) decision.Question {
	pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
	sent := func(what string, values ...ijson.Value) ijson.Value {
		return rapid.SampledFrom(append(values, ijson.Value{}, ijson.NullValue(), ijson.ArrayValue())).Draw(t, what)
	}
	s := ijson.StringValue
	q := entityQuestion(pick("subject", "user:alice", "user:bob", "user:carl", "user:dot", "contact:alice", "robot:bob"),
		pick("action", "read", "write", "note"), pick("resource", "record:r1", "record:r1", "record:r2", "record:r3", "note:n", "account:42"))
	q.Subject.Properties = properties("role", sent("role", s("admin"), s("guest")))
	q.Resource.Properties = properties("status", sent("status", s("active")))
	q.Action.Properties = properties("soft", sent("soft", ijson.BoolValue(true), ijson.BoolValue(false)))
	q.Context = properties("ip", sent("ip", s("1"), s("2")), "amr", sent("amr", ijson.ArrayValue(s("otp"))))
	return q
}

// What is remembered of entities is what a fresh judgement says, in any order (S12, S13).
func TestTheMemoOfEntities(t *testing.T) {
	p := loaded(t, records())
	allowed, denied := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := decision.New(p, world{}, decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute})
		for _, q := range rapid.SliceOfN(rapid.Custom(entityDraw), 4, 24).Draw(t, "questions") {
			c, err := d.Case(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			judged, err := c.Explain(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if judged.Input != nil && !p.Rules.Possible(judged.Input) {
				t.Fatalf("not possible: %+v", judged.Input)
			}
			want := judged.Decision
			for range 2 {
				got, err := d.Decide(t.Context(), q)
				got.Basis.Tier = want.Basis.Tier
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Fatalf("%+v: %v %s", q, err, diff)
				}
			}
			if want.Allow {
				allowed++
			} else {
				denied++
			}
		}
	})
	if allowed < 50 || denied < 50 {
		t.Errorf("%d allowed, %d denied", allowed, denied)
	}
}

// extended is the portal's folder with entities that are called like its people, with
// entity actions, and with properties that would let them do anything.
func extended(t testing.TB) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.FS, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, text string) { files[name] = &fstest.MapFile{Data: append(files[name].Data, text...)} }
	add("catalogue.yaml", "\n  record.read: {entity: service, effect: read, scope: none}\n")
	add("inputs.yaml", "\n  - {path: subject.properties.kind, type: string, absent: \"\", for: [record.read]}\n  - {path: resource.properties.account, type: string, absent: \"\", for: [record.read], stored: true}\n")
	files["entities.yaml"] = &fstest.MapFile{Data: []byte(`subjects:
  user: {ann: {kind: owner}, "7": {kind: owner}, "8": {}, stan: {kind: staff}, max: {}}
  contact: {ann: {kind: owner}, "7": {}}
  robot: {ann: {kind: owner}}
resources:
  service: {"5": {account: acme}, "6": {}}
`)}
	return files
}

// A policy with entities answers every question about the portal as it would without:
// to be listed gives a contact, a stranger or anybody else nothing in an account.
func TestEntitiesGiveNothingInThePortal(t *testing.T) {
	without, with := shipped(t), loaded(t, extended(t))
	allowed, denied := 0, 0
	policygen.Check(t, 1000, func(t *rapid.T) {
		q, w := casetest.Draw(t, without, now)
		if rapid.Bool().Draw(t, "says more") {
			q.Subject.Properties = properties("kind", ijson.StringValue("owner"))
		}
		answers := map[*policy.Policy]decision.Decision{}
		for _, p := range []*policy.Policy{without, with} {
			d, err := decision.New(p, w, decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute}).Decide(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			d.Basis.Policy = ""
			answers[p] = d
		}
		if diff := cmp.Diff(answers[without], answers[with]); diff != "" {
			t.Fatalf("%+v (-without +with entities): %s", q, diff)
		}
		if answers[with].Allow {
			allowed++
		} else {
			denied++
		}
	})
	if min(allowed, denied) < 40 {
		t.Errorf("%d allowed, %d denied", allowed, denied)
	}
	// And the portal's rules let nobody do what is about entities.
	for _, subject := range []string{"user:ann", "contact:ann", "robot:ann", "user:stan"} {
		d, err := decision.New(with, world{}, decision.Options{Timeout: time.Minute}).Decide(t.Context(), entityQuestion(subject, "record.read", "service:5"))
		if err != nil || d.Allow {
			t.Errorf("%s: %+v, %v", subject, d, err)
		}
	}
}
