// Package casetest draws questions and the facts of everybody in them, for tests of
// what must hold of every answer.
//
// It knows what a portal can send and a directory can hold, likely things more often,
// and not what the answer is. Its invariant: the same draw gives the same case.
package casetest

import (
	"context"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// A World is the directory of one question.
type World struct {
	question decision.Question
	people   decision.People
}

// Position is where every fact of a World was read.
var Position = portal.Position{Revision: 7, Tag: portal.Tag{7}}

// Read returns what is known of whom the question names, and of others nothing.
func (w World) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	switch key.Subject {
	case w.question.Subject.Ref:
		if key.Account == "" {
			return portal.Facts{User: w.people.Subject.User}, Position, nil
		}
		return w.people.Subject, Position, nil
	case actor:
		return portal.Facts{User: w.people.Actor}, Position, nil
	case member:
		return portal.Facts{Membership: w.people.Member}, Position, nil
	}
	return portal.Facts{}, Position, nil
}

// ReadAll reads each key.
func (w World) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i], _, _ = w.Read(ctx, key)
	}
	return all, Position, nil
}

// The people that questions name besides their subject.
var (
	member = portal.Ref{Type: portal.TypeUser, ID: "max"}
	actor  = portal.Ref{Type: portal.TypeUser, ID: "stan"}
)

// Draw draws a question about an action of p and what there is to know for it.
func Draw(t *rapid.T, p *policy.Policy, now time.Time) (decision.Question, World) {
	d := drawer{t, p, now}
	q := d.question()
	w := World{question: q, people: decision.People{Actor: d.user(), Member: d.membership()}}
	w.people.Subject = portal.Facts{Account: d.account()}
	if q.Subject.Type == portal.TypeContact {
		w.people.Subject.Contact = d.contact()
		return q, w
	}
	w.people.Subject.User, w.people.Subject.Membership = d.user(), d.membership()
	return q, w
}

type drawer struct {
	t   *rapid.T
	p   *policy.Policy
	now time.Time
}

// rarely is true once in n times.
func (d drawer) rarely(n int) bool { return rapid.IntRange(1, n).Draw(d.t, "rarely") == 1 }

func pick[T any](d drawer, what string, from ...T) T { return rapid.SampledFrom(from).Draw(d.t, what) }

func some(d drawer, what string, from []string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID).Draw(d.t, what)
}

func (d drawer) question() decision.Question {
	action := pick(d, "action", d.p.Catalogue.Actions()...)
	q := decision.Question{Action: decision.Action{Name: action.Name}}
	q.Subject.Ref = portal.Ref{Type: portal.TypeUser, ID: pick(d, "subject", "ann", "7", "8")}
	if d.rarely(6) {
		q.Subject.Type = pick(d, "type", portal.TypeContact, "User", "robot")
	}
	q.Resource.Ref = portal.Ref{Type: portal.TypeAccount, ID: "acme"}
	switch {
	case action.AboutMember || d.rarely(12):
		q.Resource.Ref = pick(d, "who", member, member, q.Subject.Ref)
	case action.Self == portal.TypeUser:
		q.Resource.Ref = q.Subject.Ref
	case action.Category == "tickets", d.rarely(4):
		q.Resource.Ref = pick(d, "what", portal.Ref{Type: "service", ID: "5"}, portal.Ref{Type: "domain", ID: "a.example"}, portal.Ref{Type: "ticket", ID: "yes"})
	}
	q.Resource.Properties, q.Context = d.properties(q.Subject.ID), d.context(q.Subject.Ref)
	return q
}

func (d drawer) properties(subject string) ijson.Value {
	var members []ijson.Member
	add := func(name string, values ...ijson.Value) {
		if d.rarely(2) {
			members = append(members, ijson.Member{Name: name, Value: pick(d, name, values...)})
		}
	}
	s := ijson.StringValue
	add("account", s("acme"), s("acme"), s("acme"), s("other"), ijson.NullValue())
	add("department", s("billing"), s("true"), s("billing: \"x\"\n\u2028é"), ijson.NumberValue("1.50"), ijson.NullValue())
	add("contact", s(subject), s("7"), ijson.BoolValue(true))
	add("colour", s("red"))
	return ijson.ObjectValue(members...)
}

func (d drawer) context(subject portal.Ref) ijson.Value {
	var members []ijson.Member
	add := func(name string, values ...ijson.Value) {
		if d.rarely(2) {
			members = append(members, ijson.Member{Name: name, Value: pick(d, name, values...)})
		}
	}
	s := ijson.StringValue
	add("account", s("acme"), s("acme"), s("acme"), s("other"), ijson.BoolValue(false))
	add("amr", ijson.ArrayValue(s("pwd"), s("otp")), ijson.ArrayValue(s("pwd"), s("mfa")), ijson.ArrayValue(), ijson.NullValue(), s("otp"))
	add("auth_time", d.seconds(-time.Minute), d.seconds(-time.Hour), d.seconds(time.Hour), ijson.NumberValue("1.5"), ijson.NullValue())
	if d.rarely(6) {
		add("actor", d.acts(actor, time.Hour), d.acts(actor, -time.Hour), d.acts(subject, 0), d.acts(portal.Ref{Type: "robot", ID: "r"}, time.Hour), s("stan"))
	}
	add("ip", s("192.0.2.1"))
	return ijson.ObjectValue(members...)
}

func (d drawer) seconds(from time.Duration) ijson.Value {
	return ijson.NumberValue(strconv.FormatInt(d.now.Add(from).Unix(), 10))
}

func (d drawer) acts(who portal.Ref, until time.Duration) ijson.Value {
	member := func(name string, v ijson.Value) ijson.Member { return ijson.Member{Name: name, Value: v} }
	return ijson.ObjectValue(
		member("type", ijson.StringValue(who.Type)), member("id", ijson.StringValue(who.ID)),
		member("properties", ijson.ObjectValue(member("ticket", ijson.StringValue("T-9")), member("expires_at", d.seconds(until)))))
}
