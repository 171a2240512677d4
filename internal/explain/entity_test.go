package explain

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// records is another domain: admins write, and what is archived nobody else does.
func records(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Load(fstest.MapFS{
		"catalogue.yaml": {Data: []byte("categories: {}\nmails: {}\nactions:\n  write: {entity: record, effect: write, scope: none}\n")},
		"inputs.yaml": {Data: []byte("has: []\nrequest:\n" +
			"  - {path: subject.properties.role, type: string, absent: \"\", for: [write], stored: true}\n" +
			"  - {path: resource.properties.status, type: string, absent: active, for: [write], samples: [active, archived]}\n")},
		"entities.yaml": {Data: []byte("subjects: {user: {bob: {role: admin}, ann: {}}}\nresources: {record: {r1: {status: archived}}}\n")},
		"rules/a.rego": {Data: []byte("package doorward\n\ndecision := {\"allow\": reason == \"\", \"reason\": reason, \"obligations\": []}\n\n" +
			"reason := \"out_of_scope\" if {\n\tinput.request.subject.properties.role != \"admin\"\n\tinput.request.resource.properties.status == \"archived\"\n} else := \"\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Why a question about entities was answered so: what was seen of them, and what might
// be said of them. The directory knows nothing of them, and nothing is told as if it did.
func TestExplainingEntities(t *testing.T) {
	account := ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue("acme")})
	for name, c := range map[string]struct {
		subject, resource string
		change            func(*decision.Question)
		reason            decision.Reason
		before            string
		changes           []string
	}{
		"refused": {"ann", "record:r1", nil, decision.OutOfScope, "", []string{"send resource.properties.status: active"}},
		"allowed": {"bob", "record:r1", nil, "", "", nil},
		"said so": {"ann", "record:r1", func(q *decision.Question) {
			q.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "status", Value: ijson.StringValue("active")})
		}, "", "", []string{"leave out resource.properties.status out_of_scope", "send resource.properties.status: archived out_of_scope"}},
		"unlisted":   {"zoe", "record:r1", nil, decision.SubjectUnknown, "entities.yaml has no subject user:zoe", nil},
		"of nothing": {"ann", "record:r9", nil, decision.OutOfScope, "entities.yaml has no resource record:r9, and write is done to listed ones only", nil},
		"of a page":  {"ann", "page:r1", nil, decision.BadInput, "write is done to a record, and the resource is a page", nil},
		"mistyped": {"ann", "record:r1", func(q *decision.Question) {
			q.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "status", Value: ijson.BoolValue(true)})
		}, decision.BadInput, "resource.properties.status has another type or form than it must have", []string{"send resource.properties.status: active"}},
		"an account":  {"bob", "record:r1", func(q *decision.Question) { q.Context = account }, decision.BadInput, "write is about no account, and the question names acme", nil},
		"its account": {"bob", "record:r1", func(q *decision.Question) { q.Resource.Properties = account }, decision.BadInput, "write is about no account, and the question names acme", nil},
	} {
		typ, id, _ := strings.Cut(c.resource, ":")
		q := decision.Question{
			Subject: decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: c.subject}}, Action: decision.Action{Name: "write"},
			Resource: decision.Entity{Ref: portal.Ref{Type: typ, ID: id}},
		}
		if c.change != nil {
			c.change(&q)
		}
		d := decision.New(records(t), facts{&decision.Case{}}, decision.Options{Timeout: 10 * time.Second})
		x, err := New(d, Options{Timeout: time.Minute}).Explain(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var changes []string
		for _, change := range x.Changes {
			changes = append(changes, strings.TrimSpace(change.Text+" "+string(change.Then)))
		}
		if x.Decision.Reason != c.reason || x.BeforeRules != c.before || x.Facts.Unknown != nil || x.Facts.User != nil || x.Row == "" {
			t.Errorf("%s: %s, %s, %+v, %s", name, x.Decision.Reason, x.BeforeRules, x.Facts, x.NoRow)
		}
		if diff := cmp.Diff(c.changes, changes); diff != "" {
			t.Errorf("%s (-want +got): %s", name, diff)
		}
		if want := "write is decided by rules alone: it is done to a record of the policy's own (catalogue.yaml:4)"; x.Action.Text != want {
			t.Errorf("%s: %s", name, x.Action.Text)
		}
	}
}
