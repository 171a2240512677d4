package reference

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/policy/rules"
)

// randomQuestions is how many questions the random comparison asks, in 65 to 90
// seconds of processor.
const randomQuestions = 1_000_000

// seedVariable is the environment variable that chooses other questions.
const seedVariable = "DOORWARD_REFERENCE_SEED"

// settingsAsked is how many settings of the switches the questions are asked under:
// the shipped one, the profiles, and the profiles with some switches set otherwise.
const settingsAsked = 18

// worldLasts is how many questions are asked of one world.
const worldLasts = 250

// A reached counts what was answered by one side: "allow", a reason, "filter", or
// an invariant whose condition was met.
type reached map[string]int

// A random comparison collects from its settings.
type comparison struct {
	mu            sync.Mutex
	differ        differences
	model, policy reached
	broken        differences // invariants
	asked         int
	guardrails    []string
}

// Questions by chance over everything that decisions depend on: scopes,
// account-wide categories, times, choices of mail, contacts, staff, who acts for
// whom, managed members, departments, values of the wrong type, unknown actions,
// acting accounts, and every switch that is a word or yes or no. The answers,
// reasons and filters are the model's, and both keep part D's invariants.
//
// req 16, req 22, req 26, req 52, req 55, req 69, req 70, req 73, req 104, req 109,
// req 110, C2, C4, C5, C6, C10, C12, C13, A13.5, A13.7, A13.8, A13.14, A13.16,
// A13.18, A13.19, invariant 1, invariant 2, invariant 3, invariant 4, invariant 6,
// invariant 7, invariant 9, invariant 10, invariant 11, invariant 12, invariant 13.
func TestRandomQuestionsAreAnsweredAsRequired(t *testing.T) {
	seed := uint64(20261122)
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("%s=%d asks these questions again", seedVariable, seed)
	c := &comparison{differ: differences{}, broken: differences{}, model: reached{}, policy: reached{}}
	t.Run("settings", func(t *testing.T) {
		for i := range settingsAsked {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				c.run(t, dice{rand.New(rand.NewPCG(seed, uint64(i)))}, i, randomQuestions/settingsAsked)
			})
		}
	})
	c.differ.report(t)
	c.broken.report(t)
	c.enough(t)
}

// run asks questions under one setting.
func (c *comparison) run(t *testing.T, d dice, i, questions int) {
	profile := settings[i%len(settings)]
	name, switches, changed := profile, Switches{}, map[string]string(nil)
	if i < len(settings) {
		switches, _ = Profile(profile)
	} else {
		name, switches, changed = d.newSetting(profile, i-len(settings))
	}
	policy := load(t, profile, changed)
	changes := reached{}
	for _, w := range words {
		if value, is := changed[w.name]; is {
			changes[w.name+": "+value] = questions
		}
	}
	w := &world{}
	p := newPair(name, switches, policy, w)
	o := &observer{pair: p, model: reached{}, policy: reached{}, broken: differences{}}
	for n := range questions {
		if n%worldLasts == 0 {
			w.known = d.newWorld()
		}
		o.observe(t, d, d.newQuestion(w.known))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.differ.merge(p.differ)
	c.broken.merge(o.broken)
	c.model.merge(o.model)
	c.policy.merge(o.policy)
	c.model.merge(changes)
	c.policy.merge(changes)
	c.asked += questions
	c.guardrails = policy.Rules.Guardrails()
}

func (r reached) merge(other reached) {
	for what, n := range other {
		r[what] += n
	}
}

// An observer asks a pair and looks at the answers.
type observer struct {
	*pair
	model, policy reached
	broken        differences
}

// observe asks a question and checks the invariants on both answers.
func (o *observer) observe(t *testing.T, d dice, q Question) {
	asked := asDecided(q)
	want, got, _ := o.ask(t, q, asked)
	decided := Answer{Allow: got.Allow, Reason: string(got.Reason), Filter: got.Filter}
	o.model.count(want)
	o.policy.count(decided)
	k := o.knowledge(q)
	k.check(want, o.model, func(what string) { o.violated("the model", what, q, want, got) })
	k.check(decided, o.policy, func(what string) { o.violated("the policy", what, q, want, got) })
	if got.Allow && k.sensitive && !slices.ContainsFunc(got.Obligations, func(ob rules.Obligation) bool { return ob.ID == "audit" }) {
		o.violated("the policy", "invariant 13: a sensitive action is allowed without audit", q, want, got)
	}
	if (want.Allow || got.Allow) && k.class == "guarded" && k.isUser && !k.staffReader && d.one(8) {
		o.takeAway(t, q, asked, k)
		o.spellOut(t, q, asked, k, want, got.Allow)
	}
}

func (r reached) count(a Answer) {
	if a.Allow {
		r["allow"]++
	} else {
		r[a.Reason]++
	}
	if a.Filter != nil {
		r["filter"]++
	}
}

func (o *observer) violated(who, what string, q Question, want Answer, got decision.Decision) {
	class := who + " breaks " + what
	if o.broken[class] == nil {
		o.broken[class] = &difference{example: o.describe(q, want, got)}
	}
	o.broken[class].count++
}

// enough fails unless every reason, every guardrail and every invariant was reached
// often on both sides: a comparison can agree by reaching nothing.
func (c *comparison) enough(t *testing.T) {
	t.Helper()
	needed := map[string]int{"allow": c.asked / 5, "filter": c.asked / 2000}
	for _, reason := range decision.Reasons {
		needed[string(reason)] = c.asked / 500
	}
	for _, name := range c.guardrails {
		needed[name] = c.asked / 8000
	}
	for _, name := range invariants {
		needed[name] = c.asked / 1000
	}
	for _, w := range words {
		for _, value := range w.values {
			needed[w.name+": "+value] = 1
		}
	}
	if len(c.guardrails) != 5 {
		t.Errorf("the guardrails are %v", c.guardrails)
	}
	for side, got := range map[string]reached{"model": c.model, "policy": c.policy} {
		for what, n := range needed {
			if got[what] < n {
				t.Errorf("the %s reached %s %d times of %d, fewer than %d", side, what, got[what], c.asked, n)
			}
		}
	}
	t.Logf("%d questions; the policy: %v", c.asked, c.policy)
	if most := c.asked * 3 / 5; c.policy["allow"] > most {
		t.Errorf("%d allows are more than %d", c.policy["allow"], most)
	}
}
