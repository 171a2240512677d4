package decision_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/decision"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/policy/rules"
	"doorward/internal/policygen"
	"doorward/internal/portal"
	"doorward/policies"
)

// Tests of the memo against the rules: what is remembered is what a fresh
// evaluation says, in whichever order and by however many it is asked (S12, S13,
// S15). The policies are the shipped one under each profile, and random ones.

// A tally counts answers, so that a test cannot pass by asking nothing.
type tally struct{ loaded, refused, policies, allowed, denied, failed, remembered int }

// check tells when fewer than one answer in so many was an allow, a denial or a
// failure; 0: that there are none.
func (c *tally) check(t *testing.T, allowed, denied, failed int) {
	t.Helper()
	all := c.allowed + c.denied + c.failed
	if all == 0 || c.allowed*allowed < all || c.denied*denied < all || c.failed*failed < all && failed > 0 || failed == 0 && c.failed > 0 || c.remembered < all/4 {
		t.Errorf("too little was asked: %+v", *c)
	}
}

// An asked is a question and the answer of somebody who remembers nothing.
type asked struct {
	question decision.Question
	answer   decision.Answer
}

func newDecider(p *policy.Policy, w policygen.World) *decision.Decider {
	return decision.New(p, w, decision.Options{Now: func() time.Time { return policygen.Now }, Timeout: time.Minute})
}

// checkMemo asks p random questions and inputs, with and without a memo.
func checkMemo(t *rapid.T, p *policy.Policy, count *tally) {
	asker := policygen.For(p)
	w := asker.World(t)
	var all []asked
	for _, q := range rapid.SliceOfN(rapid.Custom(asker.Question), 8, 16).Draw(t, "questions") {
		all = append(all, asked{q, alone(t, p, w, q, count)})
	}
	d := newDecider(p, w)
	for range 2 {
		for _, one := range rapid.Permutation(all).Draw(t, "order") {
			checkAnswer(t, d, one, count)
		}
	}
	checkBatch(t, newDecider(p, w), all)
	checkTogether(t, newDecider(p, w), all)
	checkInputs(t, asker, p, d)
	checkHoldings(t, p, w, d)
}

// alone answers a question by a decider of its own, and compares that with what the
// rules say of the same input. Neither a failure nor an evaluation that was given up
// is remembered.
func alone(t *rapid.T, p *policy.Policy, w policygen.World, q decision.Question, count *tally) decision.Answer {
	d := newDecider(p, w)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	in, refusal, err := d.Reduced(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decide(cancelled, q); refusal == "" && code(err) != decision.Deadline || d.Remembered() != 0 {
		t.Fatalf("a question that was given up: %v, %d answers remembered", err, d.Remembered())
	}
	got, err := d.Decide(t.Context(), q)
	if refusal != "" {
		count.denied++
		if err != nil || got.Allow || got.Reason != refusal || d.Remembered() != 0 {
			t.Fatalf("refused for %s: got %+v, %v", refusal, got, err)
		}
		return decision.Answer{Decision: got}
	}
	want, wantErr := p.Rules.Eval(t.Context(), in)
	if (err == nil) != (wantErr == nil) || !sameFailure(err, wantErr) {
		t.Fatalf("decider %v, rules %v", err, wantErr)
	}
	if diff := cmp.Diff(want, rules.Outcome{Allow: got.Allow, Reason: string(got.Reason), Obligations: got.Obligations}); diff != "" {
		t.Fatalf("rules, decider: %s", diff)
	}
	switch {
	case err != nil:
		count.failed++
	case got.Allow:
		count.allowed++
	default:
		count.denied++
	}
	if remembered := d.Remembered(); (remembered == 1) != (err == nil) {
		t.Fatalf("%d answers remembered after %v", remembered, err)
	}
	return decision.Answer{Decision: got, Err: err}
}

// checkAnswer asks a decider that has a memo.
func checkAnswer(t *rapid.T, d *decision.Decider, one asked, count *tally) {
	got, err := d.Decide(t.Context(), one.question)
	if got.Basis.Tier == decision.TierMemo {
		count.remembered++
	}
	if problem := differs(one, decision.Answer{Decision: got, Err: err}); problem != "" {
		t.Fatal(problem)
	}
}

// checkBatch asks everything at once.
func checkBatch(t *rapid.T, d *decision.Decider, all []asked) {
	var questions []decision.Question
	for _, one := range all {
		questions = append(questions, one.question)
	}
	answers, err := d.DecideAll(t.Context(), questions, nil)
	if err != nil || len(answers) != len(all) {
		t.Fatalf("%d answers to a batch of %d, %v", len(answers), len(all), err)
	}
	for i, one := range all {
		if problem := differs(one, answers[i]); problem != "" {
			t.Fatalf("in a batch: %s", problem)
		}
	}
}

// checkTogether lets several ask everything at the same time, each in another order.
func checkTogether(t *rapid.T, d *decision.Decider, all []asked) {
	problems := make([]string, 4)
	var group sync.WaitGroup
	for i := range problems {
		group.Go(func() {
			mine := slices.Clone(all)
			rand.New(rand.NewPCG(uint64(i), 0)).Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			for _, one := range append(mine, mine...) {
				got, err := d.Decide(context.Background(), one.question)
				if problem := differs(one, decision.Answer{Decision: got, Err: err}); problem != "" {
					problems[i] = problem
				}
			}
		})
	}
	group.Wait()
	for _, problem := range problems {
		if problem != "" {
			t.Fatalf("several asking: %s", problem)
		}
	}
}

// checkHoldings compares what every member of the world is said to hold, for every
// action, with the presets' own answer, which is Casbin's (A13.6, C13).
func checkHoldings(t *rapid.T, p *policy.Policy, w policygen.World, d *decision.Decider) {
	for key, facts := range w {
		g := facts.Membership.Grant
		if g == nil || key.Account == "" {
			continue
		}
		held := p.Presets.Holds(g.Presets, slices.Concat(g.Categories, g.AccountWide))
		if !facts.Membership.Owner { // A13.2
			held = held.Minus(p.Catalogue.OwnersOnly())
		}
		for _, action := range p.Catalogue.Actions() {
			q := decision.Question{Subject: decision.Entity{Ref: key.Subject}, Action: decision.Action{Name: action.Name}}
			q.Resource.Ref = portal.Ref{Type: portal.TypeAccount, ID: string(key.Account)}
			in, refusal, err := d.Reduced(t.Context(), q)
			if err != nil || refusal != "" {
				t.Fatalf("%s by %v: %s, %v", action.Name, key, refusal, err)
			}
			if action.Class != catalogue.Guarded {
				continue
			}
			if want := in.Grant.State == "active" && held.Contains(action.Guard); in.Grant.Holds != want {
				t.Fatalf("%v with %+v holds what guards %s: %t, presets say %t", key, *g, action.Name, in.Grant.Holds, want)
			}
			for i, leaf := range p.Rules.Schema().Has {
				if in.Has[i] && !(leaf.For(action.Name) && held.Has(leaf.Bit)) {
					t.Fatalf("%v with %+v has %s for %s", key, *g, leaf.Category, action.Name)
				}
			}
		}
	}
}

// checkInputs asks about a random input and about those that differ from it in one
// leaf: the memo must keep apart what no question in the test need tell apart.
func checkInputs(t *rapid.T, asker *policygen.Asker, p *policy.Policy, d *decision.Decider) {
	base := asker.Input(t)
	for _, leaf := range asker.Leaves() {
		in := base
		in.Has, in.Request = slices.Clone(base.Has), slices.Clone(base.Request)
		asker.Set(&in, leaf, rapid.SampledFrom(asker.Values(leaf)).Draw(t, leaf.Path))
		checkInput(t, p, d, &in)
		checkInput(t, p, d, &base)
	}
}

// A failer is a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// checkInput asks about one input, twice. It returns what the rules say.
func checkInput(t failer, p *policy.Policy, d *decision.Decider, in *rules.Input) rules.Outcome {
	t.Helper()
	want, wantErr := p.Rules.Eval(t.Context(), in)
	for range 2 {
		got, tier, err := d.Outcome(t.Context(), in)
		if (err == nil) != (wantErr == nil) || !sameFailure(err, wantErr) {
			t.Fatalf("%+v: memo %v, rules %v", *in, err, wantErr)
		}
		if err != nil {
			if got != nil || tier != decision.TierRules {
				t.Fatalf("%+v: an outcome %+v beside an error, found by %s", *in, got, tier)
			}
			continue
		}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Fatalf("%+v (%s): rules, memo: %s", *in, tier, diff)
		}
	}
	return want
}

// differs tells how an answer is not the one that was wanted; "" when it is.
func differs(want asked, got decision.Answer) string {
	got.Decision.Basis.Tier = want.answer.Decision.Basis.Tier
	if diff := cmp.Diff(want.answer.Decision, got.Decision); diff != "" {
		return fmt.Sprintf("%s by %v: alone, now: %s", want.question.Action.Name, want.question.Subject.Ref, diff)
	}
	if code(want.answer.Err) != code(got.Err) || !sameFailure(want.answer.Err, got.Err) {
		return fmt.Sprintf("%s by %v: alone %v, now %v", want.question.Action.Name, want.question.Subject.Ref, want.answer.Err, got.Err)
	}
	return ""
}

// code is why a question could not be judged; "" without an error.
func code(err error) decision.Unavailability {
	var unavailable *decision.UnavailableError
	if errors.As(err, &unavailable) {
		return unavailable.Code
	}
	return ""
}

// sameFailure tells whether the rules decided nothing in both cases, or in none.
func sameFailure(a, b error) bool {
	return errors.Is(a, rules.ErrUndefined) == errors.Is(b, rules.ErrUndefined)
}

// S12, S13, S15, over random questions to the shipped policy.
func TestTheMemoAgreesWithTheShippedRules(t *testing.T) {
	profiles, err := fs.Glob(policies.FS, "profiles/*.yaml")
	if err != nil || len(profiles) != 5 {
		t.Fatalf("got %v, %v", profiles, err)
	}
	var all tally // one profile has too few answers to tell how many there ought to be
	for _, file := range profiles {
		name := strings.TrimSuffix(path.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			p, err := policy.LoadProfile(testless{policies.FS}, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			policygen.Check(t, 15, func(t *rapid.T) { checkMemo(t, p, &all) })
		})
	}
	t.Logf("%+v", all)
	all.check(t, 40, 2, 0)
}

// checkGenerated is checkMemo of a random policy.
func checkGenerated(t *rapid.T, source *policygen.Source, count *tally) {
	drawn := source.Policy(t)
	count.policies++
	p, err := policy.Load(drawn.Files)
	if err != nil {
		count.refused++
		return
	}
	t.Log(drawn) // shown when the property fails
	count.loaded++
	checkMemo(t, p, count)
}

// S12, S13, S15, over random policies.
func TestTheMemoAgreesWithRandomRules(t *testing.T) {
	var count tally
	source := openSource(t)
	policygen.Check(t, 30, func(t *rapid.T) { checkGenerated(t, source, &count) })
	t.Logf("%+v", count)
	if count.loaded*10 < count.policies*8 {
		t.Errorf("of %d policies %d load", count.policies, count.loaded)
	}
	count.check(t, 100, 4, 150)
}

func openSource(t testing.TB) *policygen.Source {
	t.Helper()
	source, err := policygen.Open(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// FuzzGeneratedPolicy draws policy, facts and questions from bytes, of which it takes
// many: run it with -fuzzminimizetime 20x, as .ci/fuzz does, or Go spends all its time
// on making inputs shorter.
func FuzzGeneratedPolicy(f *testing.F) {
	source := openSource(f)
	for seed := range byte(3) {
		data := make([]byte, 1<<16)
		rand.NewChaCha8([32]byte{seed}).Read(data)
		f.Add(data)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) { checkGenerated(t, source, new(tally)) }))
}

// Rules that tell every leaf of the input give another answer for each value of
// each leaf, and the memo must as well: whoever adds a leaf and forgets the key
// fails here (S12).
func TestTheMemoTellsEveryLeafApart(t *testing.T) {
	plain, err := policy.Load(policies.FS)
	if err != nil {
		t.Fatal(err)
	}
	p := telling(t, rules.Leaves(plain.Catalogue, plain.Rules.Schema()))
	asker := policygen.For(p)
	base := rapid.Custom(asker.Input).Example(1)
	for _, leaf := range asker.Leaves() {
		d := newDecider(p, nil)
		before := map[string]string{}
		for _, value := range asker.Values(leaf) {
			in := base
			in.Has, in.Request = slices.Clone(base.Has), slices.Clone(base.Request)
			asker.Set(&in, leaf, value)
			told := string(checkInput(t, p, d, &in).Obligations[0].JSON)
			if other, same := before[told]; same {
				t.Errorf("%s: %s and %s are told as %s", leaf.Path, value, other, told)
			}
			before[told] = value
		}
		if len(before) < 2 || d.Remembered() != len(before) {
			t.Errorf("%s: %d values, %d answers remembered", leaf.Path, len(before), d.Remembered())
		}
	}
}

// telling is the shipped policy with rules that only tell what they see.
func telling(t *testing.T, leaves []rules.Leaf) *policy.Policy {
	t.Helper()
	var told []string
	for _, leaf := range leaves {
		told = append(told, fmt.Sprintf("%q: %s", leaf.Path, leaf.Path))
	}
	files := fstest.MapFS{}
	for _, name := range []string{"catalogue.yaml", "inputs.yaml", "provider.yaml", "profiles/simple.yaml", "presets/model.conf", "presets/presets.csv"} {
		data, err := fs.ReadFile(policies.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	rule := "package doorward\n\ndecision := {\"allow\": true, \"reason\": \"\", \"obligations\": [{\"id\": \"told\", " + strings.Join(told, ", ") + "}]}\n"
	files["rules/telling.rego"] = &fstest.MapFile{Data: []byte(rule)}
	p, err := policy.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
