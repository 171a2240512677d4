package policytool_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policytool"
	"doorward/internal/portal"
)

// records is the policy folder of another domain, with a table.
func records(table string) fstest.MapFS {
	return fstest.MapFS{
		"catalogue.yaml": {Data: []byte("categories: {}\nmails: {}\nactions:\n  read: {entity: record, effect: read, scope: none}\n  delete: {entity: record, effect: write, scope: none}\n")},
		"inputs.yaml": {Data: []byte(`has: []
request:
  - {path: subject.properties.role, type: string, absent: "", for: ["*"], samples: [admin]}
  - {path: subject.properties.team, type: string, absent: "", for: [read], samples: [blue], stored: true}
  - {path: action.properties.soft, type: boolean, absent: false, for: [delete]}
  - {path: context.ip, type: string, absent: "", for: [delete], samples: ["192.0.2.1"]}
`)},
		"entities.yaml": {Data: []byte("subjects: {user: {bob: {role: admin}, carl: {team: blue}}}\nresources: {record: {r1: {}}}\n")},
		"rules/a.rego": {Data: []byte(`package doorward

decision := {"allow": reason == "", "reason": reason, "obligations": []}

default reason := "category_missing"

reason := "" if {
	input.action.name == "read"
	input.request.subject.properties.team == "blue"
}

reason := "" if {
	input.request.subject.properties.role == "admin"
	input.request.context.ip == ""
}

reason := "" if {
	input.action.name == "delete"
	input.request.action.properties.soft == true
	input.request.subject.properties.role != "admin"
}
`)},
		"tests/x.yaml": {Data: []byte(table)},
	}
}

const recordRows = `rows:
  - {req: [x], who: "user:bob", do: [read, delete], on: "record:r1", want: allow}
  - {req: [x], who: "user:carl", do: read, on: "record:r1", want: allow}
  - {req: [x], who: {entity: "user:bob", properties: {role: guest}}, do: read, on: "record:r1", want: category_missing}
  - {req: [x], who: {entity: "user:carl", properties: {team: red}}, do: read, on: "record:r1", want: allow}
  - {req: [x], who: "user:carl", do: delete, with: {soft: true}, on: "record:r1", want: allow}
  - {req: [x], who: "user:carl", do: delete, with: {soft: "yes"}, on: "record:r1", want: bad_input}
  - {req: [x], who: "user:bob", do: delete, on: "record:r1", context: {ip: "192.0.2.1"}, want: category_missing}
  - {req: [x], who: "user:nobody", do: read, on: "record:r1", want: subject_unknown}
  - {req: [x], who: "user:bob", do: read, on: "record:r2", want: out_of_scope}
  - {req: [x], who: "user:bob", do: read, on: self, want: bad_input}
  - {req: [x], who: "user:bob", do: read, on: "record:r1", properties: {account: "42"}, want: bad_input}
  - {req: [x], who: stranger, do: read, on: "record:r1", want: bad_input}
`

// Rows say who of the policy's own asks about what, and what the question says of them.
func TestRowsAboutEntities(t *testing.T) {
	results, err := policytool.RunTables(t.Context(), records(recordRows))
	if err != nil || len(results) != 13 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, r := range results {
		if !r.OK() {
			t.Error(r)
		}
	}
}

func TestRowsAboutEntitiesAreReadStrictly(t *testing.T) {
	for row, want := range map[string]string{
		`who: {entity: "user:bob", presets: x}, do: read, on: "record:r1", want: allow`: `tests/x.yaml:2:`,
		`who: {entity: bob}, do: read, on: "record:r1", want: allow`:                    `"bob" does not name a thing`,
		`who: "user:bob", do: read, want: allow`:                                        `on: "" does not name a thing: write type:id`,
		`who: {entity: "user:bob", properties: x}, do: read, on: self, want: allow`:     "properties must be a mapping",
		`who: "user:bob", do: read, with: [x], on: self, want: allow`:                   "with must be a mapping",
		`who: {entity: [a]}, do: read, on: self, want: allow`:                           "entity must be a text",
	} {
		_, err := policytool.RunTables(t.Context(), records("rows:\n  - {req: [x], "+row+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", row, err, want)
		}
	}
}

// A folder of entities is checked like any other: it is sound, and nothing in it is
// without use.
func TestCheckOfEntities(t *testing.T) {
	report, err := policytool.Check(t.Context(), records(recordRows), time.Second)
	if err != nil || len(report.Warnings)+len(report.Notes) > 0 {
		t.Errorf("%v %+v %+v", err, report.Warnings, report.Notes)
	}
	_, err = policytool.Matrices(t.Context(), records(recordRows), policytool.MatrixOptions{})
	if want := "this policy has no presets: rules alone decide about its entities"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// Beside a portal, entity actions are no rows of its matrix: no preset gives them.
func TestMatrixBesideEntities(t *testing.T) {
	folder := without(edited(t, edit{"catalogue.yaml", "", "\n  record.read: {entity: record, effect: read, scope: none}\n"},
		edit{"entities.yaml", "", "subjects: {user: {bob: {}}}\nresources: {record: {r1: {}}}\n"}), "tests/")
	all, err := policytool.Matrices(t.Context(), folder, policytool.MatrixOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all[0].Groups {
		if slices.ContainsFunc(g.Rows, func(r policytool.MatrixRow) bool { return r.Action == "record.read" }) {
			t.Errorf("%+v", g)
		}
	}
}

// Whatever was asked about entities, the row written of it is read back and gives the
// answer.
func TestRowsOfEntitiesAsWritten(t *testing.T) {
	p, err := policy.Load(records(recordRows))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*decision.Question)
		want   string
	}{
		"plain":    {func(*decision.Question) {}, `- {req: [], who: "user:bob", do: delete, on: "record:r1", want: allow}`},
		"said":     {func(q *decision.Question) { q.Subject.Properties = object("role", "guest", "team", "red", "more", "x") }, `- {req: [], who: {entity: "user:bob", properties: {role: guest}}, do: delete, on: "record:r1", want: category_missing}`},
		"around":   {func(q *decision.Question) { q.Context = object("ip", "192.0.2.1", "time", "now") }, `- {req: [], who: "user:bob", do: delete, on: "record:r1", context: {ip: "192.0.2.1"}, want: category_missing}`},
		"unlisted": {func(q *decision.Question) { q.Subject.ID = "x y" }, `- {req: [], who: "user:x y", do: delete, on: "record:r1", want: subject_unknown}`},
		"how": {func(q *decision.Question) {
			q.Subject.ID, q.Action.Properties = "carl", ijson.ObjectValue(ijson.Member{Name: "soft", Value: ijson.BoolValue(true)})
		}, `- {req: [], who: "user:carl", do: delete, with: {soft: true}, on: "record:r1", want: allow}`},
		"an account": {func(q *decision.Question) { q.Resource.Properties = object("account", "acme") }, `- {req: [], who: "user:bob", do: delete, on: "record:r1", properties: {account: acme}, want: bad_input}`},
	} {
		q := decision.Question{
			Subject: decision.Entity{Ref: portal.Ref{Type: "user", ID: "bob"}}, Action: decision.Action{Name: "delete"},
			Resource: decision.Entity{Ref: portal.Ref{Type: "record", ID: "r1"}},
		}
		c.change(&q)
		of, j := judged(t, p, only{}, q)
		row, err := policytool.WriteRow(t.Context(), of, j)
		if errors.Is(err, policytool.ErrNoRow) || row != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, row, c.want)
		}
		folder := maps.Clone(records("rows:\n  " + strings.Replace(row, "[]", "[x]", 1) + "\n"))
		if results, err := policytool.RunTables(t.Context(), folder); err != nil || len(results) != 1 || !results[0].OK() {
			t.Errorf("%s: read back: %v, %v", name, results, err)
		}
	}
	if diff := cmp.Diff([]string(nil), p.Presets.Names()); diff != "" {
		t.Error(diff)
	}
}
