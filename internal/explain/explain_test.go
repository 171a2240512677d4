package explain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// ann asks to do something to account acme, holding presets there.
func ann(action string, presets ...string) *decision.Case {
	return &decision.Case{
		Question: decision.Question{
			Subject:  decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: "ann"}},
			Action:   decision.Action{Name: action},
			Resource: decision.Entity{Ref: portal.Ref{Type: portal.TypeAccount, ID: "acme"}},
		},
		People: decision.People{Subject: portal.Facts{
			Account:    portal.AccountFacts{Status: portal.AccountActive},
			User:       portal.UserFacts{Status: portal.UserActive},
			Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Presets: presets}},
		}},
	}
}

func explained(t *testing.T, c *decision.Case) Explanation {
	t.Helper()
	x, err := New(decision.New(shipped(t), facts{c}, decision.Options{Timeout: 10 * time.Second}), Options{Timeout: time.Minute}).Explain(t.Context(), c.Question)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// listed are the changes of one sort, as texts.
func listed(x Explanation, of string) []string {
	var all []string
	for _, c := range x.Changes {
		if c.Of == of {
			all = append(all, strings.TrimSpace(c.Text+" "+string(c.Then)))
		}
	}
	return all
}

// lineWith is the place of the first line of a shipped file that begins so.
func lineWith(t *testing.T, file, begin string) string {
	t.Helper()
	data, err := shippedFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), begin) {
			return file + ":" + itoa(i+1)
		}
	}
	t.Fatalf("%s: no line begins with %q", file, begin)
	return ""
}

// Whoever lacks a permission is told which, who has it, and the least that gives it.
func TestWhatALackingPermissionNeeds(t *testing.T) {
	x := explained(t, ann("invoice.view", "support"))
	if x.Decision.Reason != decision.CategoryMissing || x.Steps[len(x.Steps)-1].Rule != "member_reason" {
		t.Fatalf("got %+v", x)
	}
	if want := "invoice.view needs invoices (" + lineWith(t, "catalogue.yaml", "invoice.view:") + ")"; x.Action.Text != want {
		t.Errorf("got %s, want %s", x.Action.Text, want)
	}
	if got, want := x.Guards[0].Text, "not held: given neither by itself nor by the preset support"; got != want || x.Guards[0].Held {
		t.Errorf("got %s, want %s", got, want)
	}
	want := []string{
		"give the category invoices",
		"give the preset billing (" + lineWith(t, "presets/presets.csv", "p, billing, invoices") + " gives invoices)",
	}
	got := listed(x, ofGrant)
	if len(got) < 4 || cmp.Diff(want, got[:2]) != "" || got[len(got)-1] != "make them the owner of the account" {
		t.Errorf("got %q", got)
	}
	if got := listed(x, ofPerson); len(got) > 0 {
		t.Errorf("a customer was offered to become staff: %q", got)
	}
	if want := "- {req: [], who: {presets: [support]}, do: invoice.view, want: category_missing}"; x.Row != want {
		t.Errorf("got %s", x.Row)
	}
}

// Where a permission comes from: a line, an inherited line, a line that denies.
func TestWhereAPermissionComesFrom(t *testing.T) {
	billing := lineWith(t, "presets/presets.csv", "p, billing, invoices")
	for _, c := range []struct {
		of   *decision.Case
		want string
	}{
		{ann("invoice.view", "billing"), "held: " + billing + " (billing)"},
		{ann("invoice.view", "administrator"), "held: " + billing + " (billing, inherited by administrator)"},
		{ann("invoice.view", "billing", "penniless"), "not held: denied by presets/presets.csv:" + itoa(csvLines()+1) + " (penniless)"},
		{ann("invoice.view", "billing", "poor"), "not held: denied by presets/presets.csv:" + itoa(csvLines()+1) + " (penniless, inherited by poor)"},
		{ann("invoice.view"), "not held: no preset is held, and it was not given by itself"},
		{ann("invoice.view", "lost"), "not held: given neither by itself nor by the preset lost (which is no preset of this policy)"},
	} {
		if got := explained(t, c.of).Guards[0].Text; got != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.of.People.Subject.Membership.Grant.Presets, got, c.want)
		}
	}
	given := ann("service.view")
	given.People.Subject.Membership.Grant.Categories = []string{"products"}
	given.People.Subject.Membership.Grant.Scope = []portal.Ref{{Type: "service", ID: "5"}}
	if got, want := explained(t, given).Guards[0].Text, "held: given by itself, for service:5 only"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	owners := ann("account.2fa_policy.set")
	owners.People.Subject.Membership.Grant.Categories = []string{"security"}
	if got, want := explained(t, owners).Guards[0].Text, "not held: only the owner holds it, whatever others were given"; got != want {
		t.Errorf("got %s, want %s (A13.2)", got, want)
	}
	denied := explained(t, ann("invoice.view", "billing", "penniless"))
	if want := "take away the preset penniless: presets/presets.csv:" + itoa(csvLines()+1) + " denies invoices"; !slices.Contains(listed(denied, ofGrant), want) {
		t.Errorf("got %q", listed(denied, ofGrant))
	}
}

// Each sort of change is found, one at a time.
func TestTheNearestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		action  string
		presets []string
		change  func(*decision.Case)
		of      string
		want    string
	}{
		"ended": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.People.Subject.Membership.Grant.NotAfter = time.Unix(1, 0)
		}, ofGrant, "prolong the grant, which ended at 1970-01-01T00:00:01Z"},
		"pending": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.People.Subject.Membership.State = portal.MembershipPending
		}, ofGrant, "let them accept the invitation"},
		"removed": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.People.Subject.Membership.State = portal.MembershipRemoved
		}, ofGrant, "restore the membership that was ended"},
		"stranger": {"invoice.view", nil, func(c *decision.Case) {
			c.People.Subject.Membership = portal.MembershipFacts{}
		}, ofGrant, "make them a member with the category invoices"},
		"disabled": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.People.Subject.User.Status = portal.UserDisabled
		}, ofPerson, "enable the user"},
		"switch": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue("x")})
		}, ofSession, "act on acme (context.account)"},
		"suspended": {"password.reveal", []string{"developer"}, func(c *decision.Case) {
			c.People.Subject.Account.Status = portal.AccountSuspended
		}, ofAccount, "make the account active"},
		"second factor": {"invoice.view", []string{"billing"}, func(c *decision.Case) {
			c.People.Subject.Account.MFARequired = true
		}, ofAccount, "let the account not require a second factor"},
		"department": {"ticket.open", []string{"support"}, func(c *decision.Case) {
			c.Question.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "department", Value: ijson.StringValue("billing")})
		}, ofGrant, "give the category invoices"},
		"another department": {"ticket.open", []string{"support"}, func(c *decision.Case) {
			c.Question.Resource = decision.Entity{Ref: portal.Ref{Type: "ticket", ID: "1"}, Properties: ijson.ObjectValue(
				ijson.Member{Name: "account", Value: ijson.StringValue("acme")}, ijson.Member{Name: "department", Value: ijson.StringValue("billing")})}
		}, ofRequest, "send resource.properties.department: sales"},
		"scope": {"service.view", []string{"developer"}, func(c *decision.Case) {
			c.People.Subject.Membership.Grant.Scope = []portal.Ref{{Type: "service", ID: "5"}}
			c.Question.Resource = decision.Entity{Ref: portal.Ref{Type: "service", ID: "6"}, Properties: ijson.ObjectValue(
				ijson.Member{Name: "account", Value: ijson.StringValue("acme")})}
		}, ofGrant, "add service:6 to the scope"},
		"mail": {"mail.general.receive", []string{"billing"}, func(*decision.Case) {}, ofPerson, "let them choose the mail general"},
		"owner leaves": {"membership.leave", []string{"owner"}, func(c *decision.Case) {
			c.People.Subject.Membership.Owner = true
		}, ofGrant, "hand the account over to another owner, keeping the preset all"},
	} {
		of := ann(c.action, c.presets...)
		c.change(of)
		x := explained(t, of)
		if x.Decision.Allow || !slices.Contains(listed(x, c.of), c.want) {
			t.Errorf("%s: %s: got %+v", name, x.Decision.Reason, x.Changes)
		}
	}
	x := explained(t, ann("invoice.pay", "billing"))
	for of, want := range map[string]string{
		ofGrant:    "remove them from the account removed",
		ofPerson:   "disable the user subject_disabled",
		ofSession:  "act on another account (context.account) switch_required",
		ofAccount:  "let the account require a second factor mfa_required",
		ofProvider: "set billing.pay to false (" + switchPlace(t, x, "billing.pay") + " says true) category_missing",
	} {
		if !slices.Contains(listed(x, of), want) {
			t.Errorf("of an allow: no %q in %q", want, listed(x, of))
		}
	}
}

func switchPlace(t *testing.T, _ Explanation, name string) string {
	t.Helper()
	for _, c := range shipped(t).Provider.Choices() {
		if c.Name == name {
			return c.File + ":" + itoa(c.Line)
		}
	}
	return ""
}

// Staff are offered a right of staff, after everything else; customers never (A13.19).
func TestStaffRightsAreOfferedToStaffOnlyAndLast(t *testing.T) {
	of := ann("invoice.view", "support")
	of.People.Subject.User.Staff = portal.NewStaffRights(decision.RightLoginAs)
	x := explained(t, of)
	if n := len(x.Changes); n < 2 || x.Changes[n-1].Text != "give the staff right staff.read" {
		t.Errorf("got %+v", x.Changes)
	}
}

// Where a switch is not enough, what is needed besides is found (104, invariant 6).
func TestASwitchThatIsNotEnough(t *testing.T) {
	of := ann("invoice.view", "billing")
	of.People.Subject.Account.MFARequired = true
	of.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue("x")})
	x := explained(t, of)
	if want := "act on acme (context.account), and then let the account not require a second factor"; !slices.Contains(listed(x, ofAccount), want) {
		t.Errorf("%s: no %q in %+v", x.Decision.Reason, want, x.Changes)
	}
	if got := listed(x, ofSession); len(got) == 0 || !strings.HasPrefix(got[0], "act on acme (context.account), and then sign in with a second factor") {
		t.Errorf("got %q", got)
	}
}

// Without the account acted on, which was the only one named, what that account asks
// for no longer counts.
func TestWithoutTheOnlyAccountItsFactsDoNotCount(t *testing.T) {
	of := ann("self.email.change")
	of.Question.Resource = of.Question.Subject
	of.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue("acme")})
	of.People.Subject.Account.MFARequired = true
	x := explained(t, of)
	if want := "name no account acted on (no context.account)"; x.Decision.Allow || !slices.Contains(listed(x, ofSession), want) {
		t.Errorf("%s: no %q in %+v", x.Decision.Reason, want, x.Changes)
	}
}

// A preset is offered for the line that gives what was missing, also what only an
// input declares; never for what is held already. The row says what was sent (A13.5).
func TestALineIsCitedForWhatWasMissing(t *testing.T) {
	of := ann("ticket.open", "support")
	of.Question.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "department", Value: ijson.StringValue("billing")})
	x := explained(t, of)
	if want := "give the preset billing (" + lineWith(t, "presets/presets.csv", "p, billing, invoices") + " gives invoices)"; !slices.Contains(listed(x, ofGrant), want) {
		t.Errorf("no %q in %q", want, listed(x, ofGrant))
	}
	for _, text := range listed(x, ofGrant) {
		if strings.Contains(text, "gives tickets") {
			t.Errorf("tickets are held, and yet: %s", text)
		}
	}
	if want := "- {req: [], who: {presets: [support]}, do: ticket.open, properties: {department: billing}, want: category_missing}"; x.Row != want {
		t.Errorf("got %q, %s", x.Row, x.NoRow)
	}
}

// Who is not in the directory is said not to be.
func TestWhoIsUnknownIsSaid(t *testing.T) {
	of := ann("invoice.view")
	of.People.Subject = portal.Facts{}
	if got := explained(t, of).Facts.Unknown; cmp.Diff([]string{"user:ann", "account:acme"}, got) != "" {
		t.Errorf("got %q", got)
	}
	if got := explained(t, ann("invoice.view")).Facts.Unknown; got != nil {
		t.Errorf("got %q", got)
	}
}

// What the rules were not asked is explained, too.
func TestRefusedBeforeTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*decision.Question)
		want   string
	}{
		"unknown":  {func(q *decision.Question) { q.Action.Name = "invoice.veiw" }, `catalogue.yaml has no action "invoice.veiw". Did you mean "invoice.view"?`},
		"nowhere":  {func(q *decision.Question) { q.Resource.Type = "invoice" }, "the question names no account: not as the resource, not as resource.properties.account, not as context.account"},
		"mistyped": {func(q *decision.Question) { q.Context = with(q.Context, []string{"amr"}, ijson.StringValue("otp")) }, "context.amr has another type or form than it must have"},
		"twice": {func(q *decision.Question) {
			q.Context = with(with(q.Context, []string{"amr"}, ijson.StringValue("otp")), []string{"account"}, ijson.NumberValue("1"))
		}, "parts of the question have another type or form than they must have (resource.type, resource.properties, context)"},
	} {
		of := ann("invoice.view", "billing")
		c.change(&of.Question)
		if x := explained(t, of); x.BeforeRules != c.want || x.Input != nil || x.Steps != nil {
			t.Errorf("%s: got %+v", name, x)
		}
	}
}

// The JSON has its members in one order, and all that the rules saw.
func TestTheJSONOfAnExplanation(t *testing.T) {
	x := explained(t, ann("invoice.view", "support"))
	text, err := x.AppendJSON([]byte("x"))
	if err != nil || text[0] != 'x' {
		t.Fatalf("%s, %v", text, err)
	}
	if again, err := x.AppendJSON([]byte("x")); err != nil || string(again) != string(text) {
		t.Error("written again it is another text")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text[1:], &members); err != nil {
		t.Fatal(err)
	}
	last := 0
	for _, name := range []string{"steps", "action", "guards", "changes", "row", "facts", "input", "policy", "profile", "position"} {
		at := strings.Index(string(text), `"`+name+`":`)
		if _, there := members[name]; !there || at < last {
			t.Errorf("%s is missing or out of order", name)
		}
		last = at
	}
	if !strings.Contains(string(members["input"]), `"grant":{"has":`) || strings.Contains(string(text), `\u003c`) {
		t.Errorf("got %s", text)
	}
}

// Explanations are counted by themselves, also those that could not be given; and
// have a bound in time.
func TestExplanationsAreCountedAndBounded(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	c := ann("invoice.view", "billing")
	e := New(decision.New(shipped(t), facts{c}, decision.Options{Timeout: time.Minute}), Options{Registerer: reg, Timeout: time.Minute})
	if _, err := e.Explain(t.Context(), c.Question); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var unavailable *decision.UnavailableError
	if _, err := e.Explain(over, c.Question); !errors.As(err, &unavailable) || unavailable.Code != decision.Deadline {
		t.Errorf("without time: %v", err)
	}
	err := testutil.GatherAndCompare(reg, strings.NewReader(`# HELP doorward_explanations_total Questions explained, by outcome (allow, deny, error). They are not counted as decisions.
# TYPE doorward_explanations_total counter
doorward_explanations_total{outcome="allow"} 1
doorward_explanations_total{outcome="deny"} 0
doorward_explanations_total{outcome="error"} 1
`))
	if err != nil {
		t.Error(err)
	}
	// The answer is there, and only the changes are not.
	s := considered(t, e.decider, c.Question)
	if listed, incomplete := s.changes(over, s.candidates()); len(listed) > 0 || !incomplete {
		t.Errorf("without time %v, incomplete %v", listed, incomplete)
	}
}
