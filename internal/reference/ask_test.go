package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// now is the time of every question in these tests.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is a directory of which both sides read the same facts. It may be
// changed between questions.
type world struct{ known Directory }

func (w *world) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	return w.known[key], portal.Position{Revision: 1}, nil
}

func (w *world) ReadAll(_ context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i] = w.known[key]
	}
	return all, portal.Position{Revision: 1}, nil
}

// A pair is the model and the shipped policy under one setting, asked together.
type pair struct {
	setting string
	model   *Model
	decider *decision.Decider
	world   *world
	differ  differences
	asked   int
}

func newPair(setting string, s Switches, p *policy.Policy, w *world) *pair {
	options := decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute}
	return &pair{setting: setting, model: New(s), decider: decision.New(p, w, options), world: w, differ: differences{}}
}

// asDecided is a question in the decider's form.
func asDecided(q Question) decision.Question {
	return decision.Question{
		Subject:  decision.Entity{Ref: q.Subject},
		Action:   decision.Action{Name: q.Action},
		Resource: decision.Entity{Ref: q.Resource, Properties: object(q.Properties)},
		Context:  object(q.Context),
	}
}

func object(members map[string]any) ijson.Value {
	if members == nil {
		return ijson.Value{}
	}
	return asJSON(members)
}

// asJSON puts a plain value in the decider's form.
func asJSON(value any) ijson.Value {
	switch v := value.(type) {
	case string:
		return ijson.StringValue(v)
	case bool:
		return ijson.BoolValue(v)
	case int64:
		return ijson.NumberValue(strconv.FormatInt(v, 10))
	case float64:
		return ijson.NumberValue(strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		items := make([]ijson.Value, len(v))
		for i, item := range v {
			items[i] = asJSON(item)
		}
		return ijson.ArrayValue(items...)
	case map[string]any:
		members := make([]ijson.Member, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, ijson.Member{Name: name, Value: asJSON(v[name])})
		}
		return ijson.ObjectValue(members...)
	}
	null, _ := ijson.ParseAny([]byte("null"))
	return null
}

// ask asks both and keeps what differs. It is false when they differ.
func (p *pair) ask(t testing.TB, q Question, asked decision.Question) (want Answer, got decision.Decision, same bool) {
	want = p.model.Judge(q, p.world.known, now)
	got, err := p.decider.Decide(t.Context(), asked)
	p.asked++
	if err != nil {
		t.Errorf("%s: %+v could not be judged: %v", p.setting, q, err)
		return want, got, false
	}
	if got.Allow != want.Allow || string(got.Reason) != want.Reason || !slices.Equal(got.Filter, want.Filter) {
		p.differ.add(p, q, want, got)
		return want, got, false
	}
	return want, got, true
}

// differences are the questions on which two answers differ: one example for each
// action, answer and wanted answer, and how many there are.
type differences map[string]*difference

type difference struct {
	count   int
	example string
}

func (d differences) add(p *pair, q Question, want Answer, got decision.Decision) {
	class := fmt.Sprintf("%s: got %s, want %s", q.Action, said(got.Allow, string(got.Reason)), said(want.Allow, want.Reason))
	if got.Allow && want.Allow {
		class = fmt.Sprintf("%s: another filter", q.Action)
	}
	if d[class] == nil {
		d[class] = &difference{example: p.describe(q, want, got)}
	}
	d[class].count++
}

// describe is a question with all that is known of it.
func (p *pair) describe(q Question, want Answer, got decision.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  setting %s\n  question %s\n", p.setting, show(q))
	account := named(q)
	for _, who := range []portal.Ref{q.Subject, q.Resource} {
		if who.Type == portal.TypeUser || who.Type == portal.TypeContact {
			fmt.Fprintf(&b, "  %s in %q: %s\n", who, account, show(p.world.known[portal.FactKey{Account: account, Subject: who}]))
		}
	}
	fmt.Fprintf(&b, "  filter got %v, want %v; category got %q", got.Filter, want.Filter, got.Category)
	return b.String()
}

// named is the account that a question names.
func named(q Question) portal.AccountID {
	s := situation{Question: q}
	s.readAccount()
	return portal.AccountID(s.account)
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func said(allow bool, reason string) string {
	if allow {
		return "allow"
	}
	return reason
}

// report fails with every class of differences.
func (d differences) report(t *testing.T) {
	t.Helper()
	for _, class := range slices.Sorted(maps.Keys(d)) {
		t.Errorf("%d times %s\n%s", d[class].count, class, d[class].example)
	}
}

// merge adds other's classes.
func (d differences) merge(other differences) {
	for class, o := range other {
		if d[class] == nil {
			d[class] = &difference{example: o.example}
		}
		d[class].count += o.count
	}
}
