package decision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/decision"
	"doorward/internal/portal"
)

// cases are questions of every sort, about every action.
func cases(t *testing.T, ask func(decision.Question)) {
	for _, action := range shipped(t).Catalogue.Actions() {
		for _, id := range []string{"ow", "bo", "de", "ex", "nobody"} {
			ask(question(id, action.Name))
			ask(question(id, action.Name, in(text("account", "42"))))
			ask(question(id, action.Name, in(text("account", "43"), number("auth_time", "1"))))
			ask(question(id, action.Name, on("user", "bo", text("account", "42"))))
			ask(question(id, action.Name, on("service", "5", text("account", "42"), text("department", "billing"))))
		}
	}
	ask(question("ow", "invoice.burn"))
	ask(question("ow", "invoice.pay", on("Account", "42")))
	ask(question("ow", "invoice.pay", on("invoice", "1")))
}

func people() world {
	w := world{}.with("ow", "owner").with("bo", "billing").with("de", "developer", "support").with("ex", "billing")
	w[portal.FactKey{Account: "42", Subject: user("ex")}].Membership.Grant.NotAfter = now
	return w
}

// A case is judged as its question is, by the same facts; nothing of it is counted as
// a decision or remembered as one.
func TestACaseIsJudgedAsItsQuestion(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	d := decision.New(shipped(t), people(), decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second, Registerer: reg})
	cases(t, func(q decision.Question) {
		c, err := d.Case(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		judged, err := c.Judge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		why, err := c.Explain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(judged, why.Decision); diff != "" {
			t.Errorf("%+v: explained otherwise (-judged +explained)\n%s", q, diff)
		}
	})
	if sum := counted(t, reg, "doorward_decisions_total") + counted(t, reg, "doorward_memo_entries"); sum != 0 {
		t.Errorf("explaining left %v decisions and memo entries", sum)
	}
	cases(t, func(q decision.Question) {
		c, err := d.Case(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		judged, _ := c.Judge(t.Context())
		decided, err := d.Decide(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		judged.Basis.Tier, decided.Basis.Tier = "", ""
		if diff := cmp.Diff(decided, judged); diff != "" {
			t.Errorf("%+v (-decided +judged)\n%s", q, diff)
		}
	})
}

// counted sums the values of a metric.
func counted(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// What a question names, the case has.
func TestACaseNamesWhoItIsAbout(t *testing.T) {
	d := decider(t, people())
	c, err := d.Case(t.Context(), question("ow", "user.remove", on("user", "bo", text("account", "42"))))
	if err != nil || c.Account != "42" || c.Member != user("bo") || c.People.Member.State != portal.MembershipActive || c.Position != at || !c.Now.Equal(now) {
		t.Errorf("got %+v, %v", c, err)
	}
	j, err := c.Explain(t.Context())
	if err != nil || j.Input == nil || j.Input.Resource.Member != "covered" || len(j.Steps) == 0 || j.Held.IsEmpty() {
		t.Errorf("got %+v, %v", j, err)
	}
}

// A case that cannot be read or judged is an error of its kind, and never an allow.
func TestACaseThatCannotBeJudged(t *testing.T) {
	var unavailable *decision.UnavailableError
	broken := decision.New(shipped(t), failing{}, decision.Options{})
	if _, err := broken.Case(t.Context(), question("ow", "invoice.pay")); !errors.As(err, &unavailable) || unavailable.Code != decision.FactsUnavailable {
		t.Errorf("facts that cannot be read: got %v", err)
	}
	c, err := decider(t, people()).Case(t.Context(), question("ow", "invoice.pay"))
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := c.Judge(over)
	if !errors.As(err, &unavailable) || unavailable.Code != decision.Deadline || got.Allow {
		t.Errorf("without time: got %+v, %v", got, err)
	}
}

// failing is a directory that cannot be read.
type failing struct{}

func (failing) Read(context.Context, portal.FactKey) (portal.Facts, portal.Position, error) {
	return portal.Facts{}, portal.Position{}, errors.New("no disk")
}

func (failing) ReadAll(context.Context, []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	return nil, portal.Position{}, errors.New("no disk")
}
