package explain

import (
	"context"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/decision/casetest"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

// shipped is the shipped policy, and a preset that denies: it has none.
func shipped(t testing.TB) *policy.Policy {
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
	csv := files["presets/presets.csv"]
	csv.Data = append(csv.Data, "p, penniless, invoices, deny\np, penniless, mail:support, deny\ng, poor, penniless\np, poor, tickets, allow\n"...)
	p, err := policy.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// facts is the directory of a case.
type facts struct{ c *decision.Case }

func (f facts) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	people := &f.c.People
	switch {
	case key.Subject == f.c.Question.Subject.Ref && key.Account == "":
		return portal.Facts{User: people.Subject.User}, f.c.Position, nil
	case key.Subject == f.c.Question.Subject.Ref:
		return people.Subject, f.c.Position, nil
	case key.Subject == f.c.Actor:
		return portal.Facts{User: people.Actor}, f.c.Position, nil
	}
	return portal.Facts{Membership: people.Member}, f.c.Position, nil
}

func (f facts) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i], _, _ = f.Read(ctx, key)
	}
	return all, f.c.Position, nil
}

// servers are Deciders by the digest of their policies, each with a directory of one
// case at a time.
type servers map[string]*server

type server struct {
	*decision.Decider
	facts
	now time.Time
}

// decide asks a Decider of its own, as a server is asked.
func (all servers) decide(t *rapid.T, c *decision.Case) decision.Decision {
	s := all[c.Policy.Digest]
	if s == nil {
		s = new(server)
		s.Decider = decision.New(c.Policy, &s.facts, decision.Options{Now: func() time.Time { return s.now }, Timeout: 10 * time.Second})
		all[c.Policy.Digest] = s
	}
	s.c, s.now = c, c.Now
	d, err := s.Decide(context.Background(), c.Question)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Exactly the changes are listed with which a server that knows no explanations gives
// the other answer; and trying them changes nothing of what was read.
func TestEveryChangeListedFlipsTheAnswer(t *testing.T) {
	p, now := shipped(t), time.Now()
	seen, all := map[string]int{}, servers{}
	flips := func(t *rapid.T) {
		q, world := casetest.Draw(t, p, now)
		d := decision.New(p, world, decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second})
		s := considered(t, d, q)
		before, candidates := s.facts(), s.candidates()
		listed, incomplete := s.changes(context.Background(), candidates)
		var want []Change
		for _, candidate := range candidates {
			changed := *s.Case
			candidate.apply(&changed)
			if got := all.decide(t, &changed); got.Allow != s.judged.Decision.Allow && len(want) < maxChanges {
				want = append(want, Change{candidate.of, candidate.text, got.Reason})
				seen[candidate.of]++
			}
		}
		if diff := cmp.Diff(want, listed); diff != "" && len(want)+len(listed) > 0 {
			t.Errorf("%+v: (-decided +listed)\n%s", q, diff)
		}
		if incomplete && len(listed) < maxChanges {
			t.Error("incomplete, and nothing is missing")
		}
		if diff := cmp.Diff(before, s.facts()); diff != "" {
			t.Errorf("the facts were changed (-before +after)\n%s", diff)
		}
	}
	// Changes of the provider's are rare: one hundred cases may list none.
	kinds := []string{ofGrant, ofPerson, ofSession, ofAccount, ofProvider}
	unseen := func(of string) bool { return seen[of] == 0 }
	for round := 0; round < 20 && slices.ContainsFunc(kinds, unseen); round++ {
		rapid.Check(t, flips)
	}
	for _, of := range kinds {
		if unseen(of) {
			t.Errorf("no change of %s was ever listed", of)
		}
	}
}

func considered(t interface{ Fatal(...any) }, d *decision.Decider, q decision.Question) subject {
	c, err := d.Case(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	j, err := c.Explain(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return newSubject(&c, &j)
}

// What is said of a guard is what the engine held: where lines and gifts say it is
// held, it is, and the text begins with that.
func TestGuardsSayWhatWasHeld(t *testing.T) {
	p, now := shipped(t), time.Now()
	held := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		q, world := casetest.Draw(t, p, now)
		s := considered(t, decision.New(p, world, decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second}), q)
		for _, g := range s.guards {
			held[g.Held]++
			want := "not held: "
			if g.Held {
				want = "held: "
			}
			if len(g.Text) <= len(want) || g.Text[:len(want)] != want || g.Line == 0 {
				t.Errorf("%+v: %+v", q, g)
			}
		}
	})
	if held[true] == 0 || held[false] == 0 {
		t.Errorf("guards held %v", held)
	}
}

func BenchmarkExplain(b *testing.B) {
	p := shipped(b)
	w := facts{&decision.Case{People: decision.People{Subject: portal.Facts{
		Account: portal.AccountFacts{Status: portal.AccountActive}, User: portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"support"}}},
	}}}}
	q := decision.Question{
		Subject: decision.Entity{Ref: portal.Ref{Type: "user", ID: "sam"}}, Action: decision.Action{Name: "invoice.view"},
		Resource: decision.Entity{Ref: portal.Ref{Type: "account", ID: "acme"}},
	}
	w.c.Question = q
	e := New(decision.New(p, w, decision.Options{}), Options{})
	for b.Loop() {
		if _, err := e.Explain(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
