package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// A13.16: an allowed list says what it is limited to, and says nothing else.
func TestAListIsLimitedToWhatIsListed(t *testing.T) {
	w := world{}.with("de", "developer").with("ow", "owner").with("st", "developer")
	f := w[portal.FactKey{Account: "42", Subject: user("de")}]
	five, six := portal.Ref{Type: "service", ID: "5"}, portal.Ref{Type: "service", ID: "6"}
	f.Membership.Grant.Scope = []portal.Ref{six, {Type: "domain", ID: "example.org"}, five}
	staff := w[portal.FactKey{Account: "42", Subject: user("st")}] // A13.19: and reads everything besides
	staff.User.Staff, staff.Membership.Grant = portal.NewStaffRights("staff.read"), f.Membership.Grant
	w[portal.FactKey{Account: "42", Subject: user("st")}] = staff
	d := decider(t, w)
	for _, c := range []struct {
		q    decision.Question
		want []portal.Ref
	}{
		{question("st", "service.list"), nil},
		{question("de", "service.list"), []portal.Ref{six, five}},
		{question("de", "domain.list"), nil}, // not held
		{question("de", "service.view", on("service", "5", text("account", "42"))), nil},
		{question("de", "service.view", on("service", "7", text("account", "42"))), nil},
		{question("ow", "service.list"), nil},
	} {
		got, err := d.Decide(t.Context(), c.q)
		if err != nil || !cmp.Equal(got.Filter, c.want) {
			t.Errorf("%s: got %+v, %v", c.q.Action.Name, got, err)
		}
	}
}

// by says who acts in the subject's name.
func by(id string) func(*decision.Question) {
	return in(ijson.Member{Name: "actor", Value: ijson.ObjectValue(text("type", "user"), text("id", id), ijson.Member{
		Name: "properties", Value: ijson.ObjectValue(text("ticket", "T-1"), number("expires_at", "99999999999")),
	})})
}

// A13.7, A13.19, S15: questions about several people keep their facts apart in a
// batch, whichever come before and after them.
func TestABatchKeepsPeopleApart(t *testing.T) {
	w := world{}.with("ow", "owner").with("ad", "administrator").with("bo", "billing").with("or", "all")
	w[portal.FactKey{Subject: user("st")}] = portal.Facts{User: portal.UserFacts{Status: portal.UserActive, Staff: portal.NewStaffRights("staff.login_as")}}
	d := decider(t, w)
	managed := func(id string) func(*decision.Question) { return on("user", id, text("account", "42")) }
	questions := []decision.Question{
		question("ad", "user.remove", managed("bo")),
		question("ow", "invoice.view", by("st")),
		question("ow", "invoice.view", by("bo")),
		question("ow", "no.action", by("st"), managed("bo")),
		question("ad", "user.remove", managed("or")),
		question("ad", "invoice.view"),
		question("ow", "user.remove", managed("bo"), by("st")),
		question("ow", "user.remove", managed("ow"), by("st")),
		question("ad", "user.remove", managed("ow")),
	}
	want := []string{
		"allow", "allow", "staff_only", "action_unknown", "more_than_ones_own", "allow",
		"allow", "nobody_edits_themselves", "nobody_edits_the_owner",
	}
	answers, err := d.DecideAll(t.Context(), questions, nil)
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, q := range questions {
		got := string(answers[i].Decision.Reason)
		if answers[i].Decision.Allow {
			got = "allow"
		}
		if alone := verdict(t, d, q); got != want[i] || alone != want[i] {
			t.Errorf("%d: in the batch %s, alone %s, want %s", i, got, alone, want[i])
		}
	}
}

// A13.7, invariant 7: covering is by what is given, not by name. Mail is no right.
func TestCovers(t *testing.T) {
	p := shipped(t)
	scoped := func(g portal.Grant, ids ...string) portal.Grant {
		for _, id := range ids {
			g.Scope = append(g.Scope, portal.Ref{Type: "service", ID: id})
		}
		return g
	}
	presets := func(names ...string) portal.Grant { return portal.Grant{Presets: names} }
	until := func(g portal.Grant, days int) portal.Grant { g.NotAfter = now.AddDate(0, 0, days); return g }
	for name, c := range map[string]struct {
		mine, theirs portal.Grant
		want         bool
	}{
		"the same":                     {presets("billing"), presets("billing"), true},
		"less, by other names":         {presets("administrator"), portal.Grant{Categories: []string{"tickets", "invoices"}}, true},
		"one more":                     {presets("billing"), portal.Grant{Categories: []string{"invoices", "tickets"}}, false},
		"mail that is not mine":        {presets("billing"), portal.Grant{Categories: []string{"invoices", "mail:support"}}, true},
		"an unknown name":              {presets("billing"), portal.Grant{Categories: []string{"invoices", "nothing"}}, true},
		"nothing":                      {portal.Grant{}, portal.Grant{}, true},
		"theirs in scope":              {presets("developer"), scoped(presets("developer"), "5"), true},
		"mine in scope":                {scoped(presets("developer"), "5"), presets("developer"), false},
		"a part of my scope":           {scoped(presets("developer"), "5", "6"), scoped(presets("developer"), "6"), true},
		"beyond my scope":              {scoped(presets("developer"), "5"), scoped(presets("developer"), "5", "6"), false},
		"theirs on the whole account":  {scoped(presets("developer"), "5"), scoped(portal.Grant{AccountWide: []string{"tickets"}}, "5"), false},
		"ours on the whole account":    {scoped(portal.Grant{AccountWide: []string{"tickets"}}, "5"), scoped(portal.Grant{AccountWide: []string{"tickets"}}, "6"), true},
		"mine on the whole, theirs in": {scoped(portal.Grant{AccountWide: []string{"tickets"}}, "5"), scoped(portal.Grant{Categories: []string{"tickets"}}, "6"), true},
		"theirs ends before":           {until(presets("billing"), 9), until(presets("billing"), 8), true},
		"theirs ends with mine":        {until(presets("billing"), 9), until(presets("billing"), 9), true},
		"theirs ends later":            {until(presets("billing"), 9), until(presets("billing"), 10), false},
		"theirs never ends":            {until(presets("billing"), 9), presets("billing"), false},
		"mine never ends":              {presets("billing"), until(presets("billing"), 9), true},
	} {
		if got := decision.Covers(p, &c.mine, &c.theirs); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if decision.Covers(p, nil, &portal.Grant{}) || decision.Covers(p, &portal.Grant{}, nil) {
		t.Error("nothing covers, or is covered")
	}
}

// D2, A13.6: a preset that denies a mail denies it to whoever chose it, and a preset
// that denies a category its mail with it.
func TestADeniedMailIsNotSent(t *testing.T) {
	for line, want := range map[string]string{
		"p, quiet, mail:invoice, deny": "category_missing",
		"p, quiet, invoices, deny":     "category_missing",
		"p, quiet, mail:support, deny": "allow",
	} {
		p := edited(t, "presets/presets.csv", "\n"+line+"\n")
		w := world{}.with("bo", "billing", "quiet")
		key := portal.FactKey{Account: "42", Subject: user("bo")}
		f := w[key]
		f.Membership.Mail = &portal.MailChoices{On: []string{"invoice"}}
		w[key] = f
		if got := verdict(t, decision.New(p, w, decision.Options{}), question("bo", "mail.invoice.receive")); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// edited is the shipped policy with a text added at the end of one file.
func edited(t *testing.T, name, added string) *policy.Policy {
	t.Helper()
	p, err := policy.Load(appended{name, added})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
