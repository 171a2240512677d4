package policytool_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/decision/casetest"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policytool"
	"doorward/internal/portal"
	"doorward/policies"
)

func shipped(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// judged is a question with its answer, as an explanation has it.
func judged(t interface{ Fatal(...any) }, p *policy.Policy, facts decision.Facts, q decision.Question) (*decision.Case, *decision.Judgement) {
	d := decision.New(p, facts, decision.Options{Timeout: 10 * time.Second})
	c, err := d.Case(contextOf(t), q)
	if err != nil {
		t.Fatal(err)
	}
	j, err := c.Explain(contextOf(t))
	if err != nil {
		t.Fatal(err)
	}
	return &c, &j
}

// Whatever was asked, the row written of it is read back, and gives the answer. Only
// what a table cannot say at all is left out, and that is seldom.
func TestRowsSayWhatWasAsked(t *testing.T) {
	p := shipped(t)
	written, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		q, facts := casetest.Draw(t, p, time.Now())
		c, j := judged(t, p, facts, q)
		row, err := policytool.WriteRow(contextOf(t), c, j)
		if err != nil {
			refused++
			if !errors.Is(err, policytool.ErrNoRow) || !inexpressible(c) {
				t.Fatalf("%+v\n%+v\n%v: %v", q, c.People, j.Decision.Reason, err)
			}
			return
		}
		written++
		folder := overlay{policies.FS, fstest.MapFS{"tests/x.yaml": {Data: []byte("rows:\n  " + row + "\n")}}}
		tables, err := policytool.ReadTables(folder)
		if err != nil || len(tables) != 1 || len(tables[0].Rows) != 1 {
			t.Fatalf("%s: %v", row, err)
		}
		want := string(j.Decision.Reason)
		if j.Decision.Allow {
			want = "allow"
		}
		if got := tables[0].Rows[0].Want; got != want || strings.Contains(row, "\n") {
			t.Fatalf("%s: wants %s, and the answer was %s", row, got, want)
		}
	})
	if written < 3*refused {
		t.Errorf("%d rows written, %d refused", written, refused)
	}
}

// inexpressible tells what rows cannot say: a thing of no account.
func inexpressible(c *decision.Case) bool { return c.Account == "" }

// What is written, by hand. Nothing of the question that does not count is in it.
func TestRowsAsWritten(t *testing.T) {
	p := shipped(t)
	now := time.Now()
	for _, c := range []struct {
		facts  portal.Facts
		change func(*decision.Question)
		want   string
	}{
		{member("support"), func(*decision.Question) {},
			`- {req: [], who: {presets: [support]}, do: invoice.view, want: category_missing}`},
		{member("billing"), func(q *decision.Question) { q.Context = object("account", "acme", "ip", "192.0.2.1") },
			`- {req: [], who: {presets: [billing]}, do: invoice.view, context: {account: "42"}, want: allow}`},
		{member("billing"), func(q *decision.Question) { q.Context = object("account", "else") },
			`- {req: [], who: {presets: [billing]}, do: invoice.view, context: {account: "43"}, want: switch_required}`},
		{portal.Facts{}, func(*decision.Question) {},
			`- {req: [], who: {user: none, state: none}, do: invoice.view, account: {status: unknown}, want: subject_unknown}`},
		{member("support"), func(q *decision.Question) {
			q.Action.Name, q.Resource = "ticket.view", decision.Entity{Ref: portal.Ref{Type: "ticket", ID: "9"}, Properties: object("account", "acme", "department", "billing", "title", "x")}
		}, `- {req: [], who: {presets: [support]}, do: ticket.view, on: "ticket:9", properties: {department: billing}, want: category_missing}`},
		{member("billing"), func(q *decision.Question) {
			q.Context = ijson.ObjectValue(ijson.Member{Name: "auth_time", Value: ijson.NumberValue(strconv.FormatInt(now.Unix(), 10))})
		}, `- {req: [], who: {presets: [billing]}, do: invoice.view, context: {auth_time: now}, want: allow}`},
		{ended(member("developer"), now.Add(-time.Hour)), func(*decision.Question) {},
			`- {req: [], who: {presets: [developer], not_after: "` + now.Add(-time.Hour).UTC().Format(time.RFC3339Nano) + `"}, do: invoice.view, want: expired}`},
		{ended(member("billing"), now.Add(time.Hour)), func(*decision.Question) {},
			`- {req: [], who: {presets: [billing]}, do: invoice.view, want: allow}`},
	} {
		q := decision.Question{
			Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: "ann"}},
			Action:   decision.Action{Name: "invoice.view"},
			Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: "acme"}},
		}
		c.change(&q)
		of, j := judged(t, p, only(c.facts), q)
		got, err := policytool.WriteRow(t.Context(), of, j)
		if err != nil || got != c.want {
			t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
		}
	}
}

func member(presets ...string) portal.Facts {
	return portal.Facts{
		Account:    portal.AccountFacts{Status: portal.AccountActive},
		User:       portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: presets}},
	}
}

func ended(f portal.Facts, at time.Time) portal.Facts {
	f.Membership.Grant.NotAfter = at
	return f
}

func object(pairs ...string) ijson.Value {
	var members []ijson.Member
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, ijson.Member{Name: pairs[i], Value: ijson.StringValue(pairs[i+1])})
	}
	return ijson.ObjectValue(members...)
}

// A row can say that the login is of this moment, which no number does for long, and
// null, which is no name.
func TestRowsOfThisMoment(t *testing.T) {
	for row, want := range map[string]string{
		`{req: [], who: owner, do: card.update, context: {auth_time: now}, want: allow}`:                            "allow",
		`{req: [], who: owner, do: card.update, context: {auth_time: 1}, want: allow}`:                              "step_up_required",
		`{req: [], who: owner, do: card.update, context: {auth_time: today}, want: allow}`:                          "bad_input",
		`{req: [], who: owner, do: invoice.view, on: "invoice:1", properties: {account: null}, want: allow}`:        "bad_input",
		`{req: [], who: owner, do: ticket.view, on: "ticket:1", properties: {department: null}, want: allow}`:       "allow",
		`{req: [], who: owner, do: ticket.view, on: "ticket:1", properties: {department: "null"}, want: allow}`:     "allow",
		`{req: [], who: {presets: [support]}, do: ticket.view, properties: {department: "billing"}, want: allow}`:   "category_missing",
		`{req: [], who: {presets: [support]}, do: ticket.view, properties: {department: [billing]}, want: allow}`:   "bad_input",
		`{req: [], who: {presets: [support]}, do: ticket.view, context: {account: null}, want: category_missing}`:   "bad_input",
		`{req: [], who: {presets: [support]}, do: ticket.view, context: {account: "null"}, want: category_missing}`: "switch_required",
	} {
		table := "provider: {step_up.mode: enforce}\nrows:\n  - " + row + "\n"
		results, err := policytool.RunTables(t.Context(), overlay{policies.FS, fstest.MapFS{"tests/x.yaml": {Data: []byte(table)}}})
		if err != nil || len(results) != 1 || results[0].Got != want {
			t.Errorf("%s: got %v, %v, want %s", row, results, err, want)
		}
	}
}
