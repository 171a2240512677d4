package search_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/search"
)

// records is another domain with n users, of whom every tenth may write.
func records(n int) fstest.MapFS {
	var users strings.Builder
	for i := range n {
		role := "{}"
		if i%10 == 0 {
			role = "{role: admin}"
		}
		fmt.Fprintf(&users, "    u%d: %s\n", i, role)
	}
	return fstest.MapFS{
		"catalogue.yaml": {Data: []byte("categories: {}\nmails: {}\nactions:\n  read: {entity: record, effect: read, scope: none}\n" +
			"  write: {entity: record, effect: write, scope: none}\n  note: {entity: note, unlisted: true, effect: write, scope: none}\n")},
		"inputs.yaml": {Data: []byte(`has: []
request:
  - {path: subject.properties.role, type: string, absent: "", for: ["*"]}
  - {path: resource.properties.status, type: string, absent: "", for: [write]}
  - {path: action.properties.soft, type: boolean, absent: false, for: [write]}
`)},
		"entities.yaml": {Data: []byte("subjects:\n  user:\n" + users.String() +
			"  robot: {r2: {}}\nresources:\n  record:\n    r1: {status: active}\n    R1: {status: archived}\n    r2: {}\n  note: {n1: {}}\n")},
		"rules/a.rego": {Data: []byte(`package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": []}

default reason := "category_missing"

reason := "" if input.action.name == "read"

reason := "" if {
	input.action.name == "note"
	input.request.subject.properties.role == "admin"
}

reason := "" if {
	input.action.name == "write"
	input.request.subject.properties.role == "admin"
	input.request.resource.properties.status == "active"
}

reason := "" if {
	input.action.name == "write"
	input.request.action.properties.soft == true
}
`)},
	}
}

// A domain is the names that can be asked about in one, known or not.
type domain struct {
	actions    []string
	subjects   []portal.Ref
	resources  []portal.Ref
	properties []ijson.Member
}

func (d dice) some(from []ijson.Member) ijson.Value {
	var members []ijson.Member
	for _, m := range from {
		if d.IntN(4) == 0 {
			members = append(members, m)
		}
	}
	return ijson.ObjectValue(members...)
}

// query asks something at random about entities.
func (u domain) query(d dice) search.Query {
	return search.Query{Kind: pick(d, search.Subjects, search.Resources, search.Actions), Question: decision.Question{
		Subject:  decision.Entity{Ref: pick(d, u.subjects...), Properties: d.some(u.properties)},
		Action:   decision.Action{Name: pick(d, u.actions...), Properties: d.some(u.properties)},
		Resource: decision.Entity{Ref: pick(d, u.resources...), Properties: d.some(u.properties)},
		Context:  d.some([]ijson.Member{{Name: "ip", Value: ijson.StringValue("192.0.2.1")}}),
	}}
}

// allowed asks about every name by itself. What is asked for brings no properties, as
// what is found has none but those that are stored.
func (u domain) allowed(t *testing.T, w *world, q search.Query) []string {
	t.Helper()
	found := []string{}
	try := func(id string, asked decision.Question) {
		d, err := w.decider.Decide(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if d.Allow {
			found = append(found, id)
		}
	}
	switch asked := q.Question; q.Kind {
	case search.Subjects:
		for _, ref := range u.subjects {
			asked.Subject = decision.Entity{Ref: portal.Ref{Type: asked.Subject.Type, ID: ref.ID}}
			try(ref.ID, asked)
		}
	case search.Resources:
		for _, ref := range u.resources {
			asked.Resource = decision.Entity{Ref: portal.Ref{Type: asked.Resource.Type, ID: ref.ID}}
			if _, listed := w.policy.Entities.Resource(asked.Resource.Ref); listed { // only what is listed is found
				try(ref.ID, asked)
			}
		}
	case search.Actions:
		for _, name := range u.actions {
			asked.Action = decision.Action{Name: name}
			try(name, asked)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// check searches at random and compares with asking one by one (S18).
func (u domain) check(t *testing.T, w *world, queries int) {
	t.Helper()
	d, reached := dice{rand.New(rand.NewPCG(1, 20261203))}, map[search.Kind]int{}
	for range queries {
		q := u.query(d)
		want := u.allowed(t, w, q)
		if q.Kind == search.Actions {
			q.Question.Action = decision.Action{}
		}
		q.Limit = pick(d, 1, 2, 3, 1000)
		if diff := cmp.Diff(want, w.walk(t, q)); diff != "" {
			t.Fatalf("%+v (-allowed +found):\n%s", q, diff)
		}
		if len(want) > 0 {
			reached[q.Kind]++
		}
	}
	for _, kind := range []search.Kind{search.Subjects, search.Resources, search.Actions} {
		if reached[kind] < 10 {
			t.Errorf("%s: only %d searches found something", kind, reached[kind])
		}
	}
}

// Entities are found exactly where asking one by one allows. Of those that are found only
// what is stored counts, of those that are given what is said of them too (c-4).
func TestFoundEntitiesAreAllowed(t *testing.T) {
	w := newWorldOf(t, records(25), "")
	w.put(t, func(tx directory.Tx) error { return owned(t.Context(), tx, "a1", "u3") }) // somebody else of that name
	u := domain{actions: []string{"read", "write", "note", "nothing.known"}, properties: []ijson.Member{
		{Name: "role", Value: ijson.StringValue("admin")}, {Name: "status", Value: ijson.StringValue("active")},
		{Name: "soft", Value: ijson.BoolValue(true)}, {Name: "more", Value: ijson.NullValue()},
	}}
	for i := range 26 {
		u.subjects = append(u.subjects, portal.Ref{Type: "user", ID: fmt.Sprintf("u%d", i)})
	}
	for _, typ := range []string{"robot", "robot", "robot", "spaceship", "contact"} {
		u.subjects = append(u.subjects, portal.Ref{Type: typ, ID: "r2"}, portal.Ref{Type: typ, ID: "u1"})
	}
	for _, id := range []string{"r1", "R1", "r2", "r3", "n1"} {
		u.resources = append(u.resources, portal.Ref{Type: "record", ID: id}, portal.Ref{Type: "note", ID: id})
	}
	u.resources = append(u.resources, portal.Ref{Type: "account", ID: "a1"}, portal.Ref{Type: "Record", ID: "r1"})
	u.check(t, w, 1000)
}

// Thousands are found page by page, in byte order, each judged once.
func TestManyEntities(t *testing.T) {
	w, want := newWorldOf(t, records(9000), ""), []string{}
	for i := 0; i < 9000; i += 10 {
		want = append(want, fmt.Sprintf("u%d", i))
	}
	slices.Sort(want)
	q := search.Query{Kind: search.Subjects, Limit: 7, Question: entityQuestion("user:", "write", "record:r1")}
	if diff := cmp.Diff(want, w.walk(t, q)); diff != "" {
		t.Error(diff)
	}
}

func entityQuestion(subject, action, resource string) decision.Question {
	ref := func(text string) decision.Entity {
		typ, id, _ := strings.Cut(text, ":")
		return decision.Entity{Ref: portal.Ref{Type: typ, ID: id}}
	}
	return decision.Question{Subject: ref(subject), Action: decision.Action{Name: action}, Resource: ref(resource)}
}

// A client that may ask about some accounts only finds no entities, which are in none:
// not even by naming one of them. One that may ask about some types finds those.
func TestLimitsLeaveOutEntities(t *testing.T) {
	w := newWorldOf(t, records(5), "")
	for _, c := range []struct {
		limits  portal.Limits
		account string
		want    []string
	}{
		{portal.Limits{Types: []string{"record"}}, "", []string{"R1", "r1", "r2"}},
		{portal.Limits{Types: []string{"note"}}, "", []string{}},
		{portal.Limits{Accounts: []portal.AccountID{"a1"}}, "", []string{}},
		{portal.Limits{Accounts: []portal.AccountID{"a1"}}, "a1", []string{}},
	} {
		q := search.Query{Kind: search.Resources, Limit: 10, Limits: &c.limits, Question: entityQuestion("user:u1", "read", "record:")}
		if c.account != "" {
			q.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(c.account)})
		}
		if diff := cmp.Diff(c.want, w.walk(t, q)); diff != "" {
			t.Errorf("%+v:\n%s", c, diff)
		}
	}
}
