package decision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/rules"
	"doorward/internal/portal"
	"doorward/policies"
)

// now is the time of every question in these tests.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// at is the position of every fact in these tests.
var at = portal.Position{Revision: 5, Tag: portal.Tag{1, 2, 3}}

// world is a small directory in memory.
type world map[portal.FactKey]portal.Facts

func (w world) Read(_ context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	return w[key], at, nil
}

func (w world) ReadAll(_ context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all := make([]portal.Facts, len(keys))
	for i, key := range keys {
		all[i] = w[key]
	}
	return all, at, nil
}

func user(id string) portal.Ref { return portal.Ref{Type: portal.TypeUser, ID: id} }

// with puts a user with presets into account 42, and knows the user elsewhere.
func (w world) with(id string, presets ...string) world {
	w[portal.FactKey{Account: "42", Subject: user(id)}] = portal.Facts{
		Account: portal.AccountFacts{Status: portal.AccountActive},
		User:    portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{
			State: portal.MembershipActive, Owner: len(presets) == 1 && presets[0] == "owner",
			Grant: &portal.Grant{Presets: presets},
		},
	}
	stranger := portal.Facts{User: portal.UserFacts{Status: portal.UserActive}}
	w[portal.FactKey{Subject: user(id)}] = stranger
	stranger.Account = portal.AccountFacts{Status: portal.AccountActive}
	w[portal.FactKey{Account: "43", Subject: user(id)}] = stranger
	return w
}

func decider(t testing.TB, w world) *decision.Decider {
	return decision.New(shipped(t), w, decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second})
}

// question asks whether a user may do something to account 42.
func question(id, action string, changes ...func(*decision.Question)) decision.Question {
	q := decision.Question{
		Subject:  decision.Entity{Ref: user(id)},
		Action:   decision.Action{Name: action},
		Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: "42"}},
	}
	for _, change := range changes {
		change(&q)
	}
	return q
}

func on(typ, id string, properties ...ijson.Member) func(*decision.Question) {
	return func(q *decision.Question) {
		q.Resource = decision.Entity{Ref: portal.Ref{Type: typ, ID: id}, Properties: ijson.ObjectValue(properties...)}
	}
}

func in(members ...ijson.Member) func(*decision.Question) {
	return func(q *decision.Question) { q.Context = ijson.ObjectValue(members...) }
}

func text(name, value string) ijson.Member {
	return ijson.Member{Name: name, Value: ijson.StringValue(value)}
}

func number(name, literal string) ijson.Member {
	return ijson.Member{Name: name, Value: ijson.NumberValue(literal)}
}

func null(t *testing.T) ijson.Value {
	t.Helper()
	v, err := ijson.ParseAny([]byte("null"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verdict asks one question and tells the answer in one word.
func verdict(t *testing.T, d *decision.Decider, q decision.Question) string {
	t.Helper()
	got, err := d.Decide(t.Context(), q)
	switch {
	case err != nil:
		return err.Error()
	case got.Allow && got.Reason == "":
		return "allow"
	case got.Allow:
		return "allow with a reason"
	}
	return string(got.Reason)
}

// Design 3.2, req 104: which account is asked about, and which is acted on.
func TestEveryQuestionNamesItsAccount(t *testing.T) {
	d := decider(t, world{}.with("bo", "billing"))
	for _, c := range []struct {
		name string
		q    decision.Question
		want string
	}{
		{"the resource is the account", question("bo", "invoice.list"), "allow"},
		{"a property of the resource names it", question("bo", "invoice.view", on("invoice", "9", text("account", "42"))), "allow"},
		{"the context names it", question("bo", "invoice.view", on("invoice", "9"), in(text("account", "42"))), "allow"},
		{"the resource wins over the context", question("bo", "invoice.view", on("invoice", "9", text("account", "43")), in(text("account", "42"))), "not_member"},
		{"nothing names one", question("bo", "invoice.view", on("invoice", "9")), "account_required"},
		{"acting on it already", question("bo", "invoice.list", in(text("account", "42"))), "allow"},
		{"acting on another, a member here", question("bo", "invoice.list", in(text("account", "43"))), "switch_required"},
		{"acting on another, no member here", question("bo", "invoice.list", on("account", "43"), in(text("account", "42"))), "not_member"},
		{"the account is no string", question("bo", "invoice.view", on("invoice", "9", number("account", "42"))), "bad_input"},
		{"the acting account is no string", question("bo", "invoice.list", in(number("account", "42"))), "bad_input"},
		{"the account is no name", question("bo", "invoice.view", on("invoice", "9", text("account", "4\n2"))), "bad_input"},
		{"ids differ by case (S14)", question("Bo", "invoice.list"), "subject_unknown"},
		{"the type differs by case (S14)", question("bo", "invoice.list", on("Account", "43"), in(text("account", "42"))), "bad_input"},
		{"the type differs by a space", question("bo", "invoice.list", on("account ", "43"), in(text("account", "42"))), "bad_input"},
		{"the account was looked up and not found", question("bo", "invoice.view", on("invoice", "9", ijson.Member{Name: "account", Value: null(t)}), in(text("account", "42"))), "bad_input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := verdict(t, d, c.q); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// invariant 6: the answer names the account to switch to.
func TestSwitchRequiredNamesTheAccount(t *testing.T) {
	d := decider(t, world{}.with("bo", "billing"))
	got, err := d.Decide(t.Context(), question("bo", "invoice.list", in(text("account", "43"))))
	if err != nil || got.Allow || got.SwitchTo != "42" {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = d.Decide(t.Context(), question("bo", "ticket.open"))
	if err != nil || got.SwitchTo != "" {
		t.Errorf("%s names account %q to switch to, %v", got.Reason, got.SwitchTo, err)
	}
}

// invariant 4: an action outside the catalogue is refused.
func TestUnknownActionsAreRefused(t *testing.T) {
	d := decider(t, world{}.with("ow", "owner"))
	for _, action := range []string{"invoice.burn", "Invoice.list", "invoice", "", "*"} {
		if got := verdict(t, d, question("ow", action)); got != "action_unknown" {
			t.Errorf("%q: %s", action, got)
		}
	}
}

// invariant 1, req 90, 97: a grant counts only while it is in force.
func TestAGrantCountsOnlyInItsTime(t *testing.T) {
	w := world{}.with("bo", "billing")
	key := portal.FactKey{Account: "42", Subject: user("bo")}
	for _, c := range []struct {
		state         portal.MembershipState
		before, after time.Duration // of NotBefore and NotAfter from now; 0: unset
		want          string
	}{
		{portal.MembershipActive, 0, 0, "allow"},
		{portal.MembershipActive, -time.Hour, time.Hour, "allow"},
		{portal.MembershipActive, 0, time.Nanosecond, "allow"},
		{portal.MembershipActive, 0, -time.Nanosecond, "expired"},
		{portal.MembershipActive, time.Nanosecond, 0, "pending"},
		{portal.MembershipPending, 0, 0, "pending"},
		{portal.MembershipRemoved, 0, 0, "removed"},
		{portal.MembershipRemoved, 0, time.Hour, "removed"},
		{"", 0, 0, "not_member"},
		{"sleeping", 0, 0, "not_member"},
	} {
		f := w[key]
		f.Membership = portal.MembershipFacts{State: c.state, Grant: &portal.Grant{Presets: []string{"billing"}}}
		if c.before != 0 {
			f.Membership.Grant.NotBefore = now.Add(c.before)
		}
		if c.after != 0 {
			f.Membership.Grant.NotAfter = now.Add(c.after)
		}
		w[key] = f
		if got := verdict(t, decider(t, w), question("bo", "invoice.list")); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
	// The end is exclusive.
	f := w[key]
	f.Membership = portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: []string{"billing"}, NotAfter: now}}
	w[key] = f
	if got := verdict(t, decider(t, w), question("bo", "invoice.list")); got != "expired" {
		t.Errorf("at its end a grant is %s", got)
	}
}

// A13.16: "none" is the word for actions without a scope and no type of resource:
// whoever is limited to none:1 must not pay invoices.
func TestNoneIsNoScope(t *testing.T) {
	w := world{}.with("bo", "billing")
	f := w[portal.FactKey{Account: "42", Subject: user("bo")}]
	f.Membership.Grant.Scope = []portal.Ref{{Type: "none", ID: "1"}, {Type: "service", ID: "5"}}
	if got := verdict(t, decider(t, w), question("bo", "invoice.pay", on("none", "1", text("account", "42")))); got != "out_of_scope" {
		t.Errorf("got %s", got)
	}
}

// A13.5: the ticket's department is the one request path the rules read; a value
// of another type is refused rather than ignored.
func TestDeclaredPathsAreTyped(t *testing.T) {
	d := decider(t, world{}.with("su", "support"))
	ticket := func(m ...ijson.Member) decision.Question {
		return question("su", "ticket.view", on("ticket", "9", append(m, text("account", "42"))...))
	}
	for _, c := range []struct {
		q    decision.Question
		want string
	}{
		{ticket(), "allow"},
		{ticket(text("department", "technical")), "allow"},
		{ticket(text("department", "billing")), "category_missing"},
		{ticket(ijson.Member{Name: "department", Value: ijson.ArrayValue(ijson.StringValue("billing"))}), "bad_input"},
		{ticket(number("department", "1")), "bad_input"},
		{ticket(ijson.Member{Name: "department", Value: ijson.BoolValue(true)}), "bad_input"},
		{ticket(text("department", string(make([]byte, 300)))), "bad_input"},
	} {
		if got := verdict(t, d, c.q); got != c.want {
			t.Errorf("%v: got %s, want %s", c.q.Resource.Properties, got, c.want)
		}
	}
	got, err := d.Decide(t.Context(), ticket(text("department", "billing")))
	if err != nil || got.Category != "invoices" {
		t.Errorf("the missing category is called %q, %v", got.Category, err)
	}
}

// S12: two questions that differ only in context are two questions, whichever is
// asked first and however often.
func TestTheMemoKeepsQuestionsApart(t *testing.T) {
	w := world{}.with("bo", "billing").with("su", "support").with("ow", "owner")
	questions := map[string]decision.Question{}
	for _, who := range []string{"bo", "su", "ow"} {
		for _, action := range []string{"invoice.list", "ticket.view", "ticket.open", "user.invite", "service.cancel"} {
			questions[who+action] = question(who, action)
			questions[who+action+"billing"] = question(who, action, on("ticket", "1", text("account", "42"), text("department", "billing")))
			questions[who+action+"other"] = question(who, action, in(text("account", "43")))
		}
	}
	want := map[string]string{}
	for name, q := range questions {
		want[name] = verdict(t, decider(t, w), q) // each by a decider of its own
	}
	d := decider(t, w)
	for range 3 {
		for name, q := range questions {
			if got := verdict(t, d, q); got != want[name] {
				t.Errorf("%s: got %s, alone %s", name, got, want[name])
			}
		}
	}
}

// The tier says how an answer was found, and nothing else differs.
func TestARememberedAnswerIsTheSameAnswer(t *testing.T) {
	d := decider(t, world{}.with("bo", "billing"))
	for _, action := range []string{"invoice.list", "ticket.open", "card.update"} {
		first, err := d.Decide(t.Context(), question("bo", action))
		if err != nil || first.Basis.Tier != decision.TierRules {
			t.Fatalf("%s: %+v, %v", action, first, err)
		}
		second, err := d.Decide(t.Context(), question("bo", action))
		if err != nil || second.Basis.Tier != decision.TierMemo {
			t.Fatalf("%s: %+v, %v", action, second, err)
		}
		second.Basis.Tier = first.Basis.Tier
		if diff := cmp.Diff(first, second); diff != "" {
			t.Error(action, diff)
		}
		if first.Basis.Position != at || first.Basis.Policy != d.Policy().Digest {
			t.Errorf("%s rests on %+v", action, first.Basis)
		}
	}
}

// S15: every question of a batch is judged alone, in order, on one position.
func TestABatchIsItsQuestions(t *testing.T) {
	d := decider(t, world{}.with("bo", "billing").with("su", "support"))
	var questions []decision.Question
	for i := range 50 {
		department := []string{"billing", "technical"}[i%2]
		questions = append(questions, question("su", "ticket.view", on("ticket", "1", text("account", "42"), text("department", department))))
	}
	questions = append(questions, question("bo", "nothing.known"), question("bo", "invoice.list"))
	answers, err := d.DecideAll(t.Context(), questions, nil)
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, a := range answers {
		want := verdict(t, d, questions[i])
		got := string(a.Decision.Reason)
		if a.Decision.Allow {
			got = "allow"
		}
		if a.Err != nil || got != want || a.Decision.Basis.Position != at {
			t.Errorf("%d: got %+v, want %s", i, a, want)
		}
	}
	stopped, err := d.DecideAll(t.Context(), questions, func(a decision.Answer) bool { return a.Decision.Allow })
	if err != nil || len(stopped) != 2 {
		t.Errorf("%d answers up to the first allow, %v", len(stopped), err)
	}
}

type brokenFacts struct{ err error }

func (f brokenFacts) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts{}, portal.Position{}, f.err
}

func (f brokenFacts) ReadAll(context.Context, []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	return nil, portal.Position{}, f.err
}

// What cannot be judged is an error that says why, and denies.
func TestWithoutFactsNothingIsJudged(t *testing.T) {
	for _, c := range []struct {
		err  error
		want decision.Unavailability
	}{
		{fmt.Errorf("read: %w", directory.ErrUnavailable), decision.FactsUnavailable},
		{errors.New("anything else"), decision.FactsUnavailable},
		{context.DeadlineExceeded, decision.Deadline},
	} {
		d := decision.New(shipped(t), brokenFacts{c.err}, decision.Options{})
		got, err := d.Decide(t.Context(), question("ow", "invoice.list"))
		var unavailable *decision.UnavailableError
		if !errors.As(err, &unavailable) || unavailable.Code != c.want || got.Allow || !errors.Is(err, c.err) {
			t.Errorf("%v: got %+v, %v", c.err, got, err)
		}
		if answers, err := d.DecideAll(t.Context(), []decision.Question{question("ow", "invoice.list")}, nil); !errors.As(err, &unavailable) || answers != nil {
			t.Errorf("%v: a batch got %+v, %v", c.err, answers, err)
		}
	}
}

// An evaluation that runs into its deadline is an error, and is not remembered.
func TestAnEvaluationOutOfTimeIsNotRemembered(t *testing.T) {
	d := decider(t, world{}.with("bo", "billing"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Decide(cancelled, question("bo", "invoice.list"))
	var unavailable *decision.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Code != decision.Deadline {
		t.Fatalf("got %v", err)
	}
	got, err := d.Decide(t.Context(), question("bo", "invoice.list"))
	if err != nil || !got.Allow || got.Basis.Tier != decision.TierRules {
		t.Errorf("afterwards %+v, %v", got, err)
	}
}

// A policy is swapped whole: with its memo, and never half.
func TestASwappedPolicyAnswersTheNextQuestion(t *testing.T) {
	w := world{}.with("bo", "billing")
	d := decider(t, w)
	old := shipped(t)
	strict, err := policy.LoadWith(policies.FS, map[string]string{"billing.pay": "false"})
	if err != nil {
		t.Fatal(err)
	}
	if strict.Digest == old.Digest {
		t.Error("another switch, the same digest")
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := d.Decide(context.Background(), question("bo", "invoice.pay"))
				if err != nil || got.Allow != (got.Basis.Policy == old.Digest) {
					t.Errorf("got %+v, %v", got, err)
					return
				}
			}
		})
	}
	for range 200 {
		d.Use(strict)
		if got := verdict(t, d, question("bo", "invoice.pay")); got != "category_missing" {
			t.Errorf("under the strict policy: %s", got)
		}
		d.Use(old)
		if got := verdict(t, d, question("bo", "invoice.pay")); got != "allow" {
			t.Errorf("under the old policy: %s", got)
		}
	}
	close(done)
	readers.Wait()
}

// The list of reasons is closed, and the same for rules and for askers.
func TestReasonsAreThoseOfTheRules(t *testing.T) {
	var mine []string
	for _, reason := range decision.Reasons {
		mine = append(mine, string(reason))
	}
	theirs := rules.Reasons()
	slices.Sort(mine)
	slices.Sort(theirs)
	if diff := cmp.Diff(theirs, mine); diff != "" {
		t.Error(diff)
	}
}
