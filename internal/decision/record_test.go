package decision_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// ledger keeps records in memory, in as many goes as it was asked to.
type ledger struct {
	goes [][]decision.Record
	err  error
}

func (l *ledger) keep(_ context.Context, all []decision.Record) error {
	if l.err != nil {
		return l.err
	}
	l.goes = append(l.goes, all)
	return nil
}

func (l *ledger) decider(t *testing.T, w world) *decision.Decider {
	return decision.New(shipped(t), w, decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second, Record: l.keep})
}

// invariant 13, R16: what is decided about a sensitive action is kept before it is given:
// reads and denials too, also what no rule was asked about. Of other actions, and of
// explanations and searches, nothing is.
func TestSensitiveDecisionsAreRecorded(t *testing.T) {
	w := world{}.with("bo", "billing").with("ann", "owner")
	for name, c := range map[string]struct {
		question decision.Question
		want     string // "": nothing is kept
	}{
		"an allow":           {question("ann", "user.remove", on("user", "bo", text("account", "42"))), "user:ann user.remove user:bo in 42: true "},
		"a denial":           {question("bo", "user.remove", on("user", "ann", text("account", "42"))), "user:bo user.remove user:ann in 42: false category_missing"},
		"a read":             {question("bo", "password.reveal", on("service", "7", text("account", "42"))), "user:bo password.reveal service:7 in 42: false category_missing"},
		"refused before":     {question("bo", "user.remove", on("user", "ann", number("account", "42"))), "user:bo user.remove user:ann in : false bad_input"},
		"not sensitive":      {question("bo", "invoice.view"), ""},
		"no action":          {question("bo", "no.such"), ""},
		"a stranger's guess": {question("eve", "no.such.user.remove"), ""},
	} {
		l := &ledger{}
		d := l.decider(t, w)
		for _, ask := range []func() (decision.Decision, error){
			func() (decision.Decision, error) { return d.Decide(t.Context(), c.question) },
			func() (decision.Decision, error) {
				all, err := d.DecideAll(t.Context(), []decision.Question{c.question}, nil)
				return all[0].Decision, errors.Join(err, all[0].Err)
			},
		} {
			l.goes = nil
			got, err := ask()
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(l.goes) != 0 {
					t.Errorf("%s: kept %+v", name, l.goes)
				}
				continue
			}
			if len(l.goes) != 1 || len(l.goes[0]) != 1 {
				t.Fatalf("%s: kept %+v", name, l.goes)
			}
			r := l.goes[0][0]
			text := fmt.Sprintf("%s:%s %s %s:%s in %s: %v %s", r.Subject.Type, r.Subject.ID, r.Action, r.Resource.Type, r.Resource.ID, r.Account, r.Decision.Allow, r.Decision.Reason)
			if diff := cmp.Diff(got, r.Decision); text != c.want || !r.Time.Equal(now) || diff != "" {
				t.Errorf("%s: kept %q of %v, want %q\n%s", name, text, r.Time, c.want, diff)
			}
		}
		l.goes = nil
		_, err := d.Case(t.Context(), c.question)
		_, searched := decision.Unrecorded{Decider: d}.DecideAll(t.Context(), []decision.Question{c.question}, nil)
		if err := errors.Join(err, searched); err != nil || len(l.goes) > 0 {
			t.Errorf("%s: not asked for: %v, %+v", name, err, l.goes)
		}
	}
}

// Who acts in somebody's name is kept with it (A13.19).
func TestTheActorIsRecorded(t *testing.T) {
	l := &ledger{}
	q := question("ann", "user.remove", on("user", "bo", text("account", "42")), by("tess"))
	if _, err := l.decider(t, world{}.with("ann", "owner")).Decide(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if len(l.goes) != 1 || l.goes[0][0].Actor != (portal.Ref{Type: "user", ID: "tess"}) {
		t.Errorf("%+v", l.goes)
	}
}

// R16: what cannot be kept is not given. The other questions of a batch are answered, and
// where the batch ends goes by the answers that are given.
func TestWhatCannotBeRecordedIsNotGiven(t *testing.T) {
	w := world{}.with("ann", "owner")
	sensitive, plain := question("ann", "service.cancel", on("service", "7", text("account", "42"))), question("ann", "invoice.view")
	l := &ledger{}
	d := l.decider(t, w)
	if got, err := d.Decide(t.Context(), sensitive); err != nil || !got.Allow {
		t.Fatalf("the question has to be an allow: %+v, %v", got, err)
	}
	l.err = errors.New("full")
	got, err := d.Decide(t.Context(), sensitive)
	if u, ok := errors.AsType[*decision.UnavailableError](err); !ok || u.Code != decision.NotRecorded || !errors.Is(err, l.err) || got.Allow {
		t.Errorf("%+v, %v", got, err)
	}
	permitted := func(a decision.Answer) bool { return a.Err == nil && a.Decision.Allow }
	for name, c := range map[string]struct {
		stop       func(decision.Answer) bool
		full, room string // what is answered with a full spool, and with room in it
	}{
		"all":          {nil, "?+?+", "++++"},
		"first deny":   {func(a decision.Answer) bool { return !permitted(a) }, "?", "++++"},
		"first permit": {permitted, "?+", "+"},
	} {
		batch := []decision.Question{sensitive, plain, sensitive, plain}
		for _, full := range []bool{true, false} {
			want := c.room
			if l.err, l.goes = nil, nil; full {
				l.err, want = errors.New("full"), c.full
			}
			answers, err := d.DecideAll(t.Context(), batch, c.stop)
			if err != nil {
				t.Fatal(err)
			}
			signs := ""
			for _, a := range answers {
				signs += map[bool]string{true: "+", false: "?"}[permitted(a)]
			}
			if signs != want || !full && len(l.goes) != 1 {
				t.Errorf("%s, full %v: answered %s, want %s, kept in %d goes", name, full, signs, want, len(l.goes))
			}
		}
	}
}
