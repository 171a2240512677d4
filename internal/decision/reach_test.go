package decision

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
	"doorward/policies"
)

// A draw picks parts of questions and facts.
type draw struct{ *rand.Rand }

func (d draw) chance(of int) bool { return d.IntN(of) == 0 }

func one[T any](d draw, of ...T) T { return of[d.IntN(len(of))] }

// membership is a place that a directory could hold; of an owner it is what owners hold.
func (d draw) membership(now time.Time, owner bool) portal.MembershipFacts {
	if owner {
		return portal.MembershipFacts{State: portal.MembershipActive, Owner: true, Grant: &portal.Grant{Presets: []string{"owner"}}}
	}
	m := portal.MembershipFacts{
		State: one(d, portal.MembershipActive, portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved, ""),
		Grant: &portal.Grant{Presets: one(d, nil, []string{"billing"}, []string{"all"}, []string{"administrator", "support"})},
	}
	if m.State == "" {
		return portal.MembershipFacts{}
	}
	m.Grant.Categories = one(d, nil, []string{"orders"}, []string{"users"}, []string{"ownership", "invoices"})
	m.Grant.AccountWide = one(d, nil, nil, []string{"tickets"})
	m.Grant.Scope = one(d, nil, nil, []portal.Ref{{Type: "service", ID: "5"}}, []portal.Ref{{Type: "domain", ID: "d"}})
	m.Grant.NotAfter = one(d, time.Time{}, time.Time{}, now.Add(time.Hour), now.Add(-time.Hour))
	m.Grant.NotBefore = one(d, time.Time{}, time.Time{}, now.Add(time.Minute))
	if d.chance(2) {
		m.Mail = &portal.MailChoices{On: []string{"invoice"}, Off: []string{"domain"}}
	}
	return m
}

func (d draw) user() portal.UserFacts {
	return portal.UserFacts{
		Status: one(d, portal.UserActive, portal.UserActive, portal.UserStatus("disabled")),
		Staff:  portal.NewStaffRights(one(d, nil, []string{"staff.read"}, []string{"staff.login_as"})...),
	}
}

func (d draw) people(q *Question, account portal.AccountID, now time.Time) People {
	var who People
	if d.chance(5) {
		who.Actor = portal.UserFacts{} // not known
	} else {
		who.Actor = d.user()
	}
	there := account != "" && !d.chance(6)
	if there {
		who.Subject.Account = portal.AccountFacts{Status: one(d, portal.AccountActive, portal.AccountStatus("suspended"), portal.AccountStatus("closed")), MFARequired: d.chance(2)}
	}
	switch owner := d.chance(4); q.Subject.Type {
	case portal.TypeContact:
		if there && !d.chance(3) {
			who.Subject.Contact = &portal.ContactFacts{Status: portal.ContactActive, Mails: one(d, nil, []string{"invoice", "support"}), Scope: one(d, nil, []portal.Ref{{Type: "domain", ID: "d"}})}
		}
	case portal.TypeUser:
		if d.chance(5) {
			break
		}
		who.Subject.User = d.user()
		if there {
			who.Subject.Membership = d.membership(now, owner)
			who.Member = d.membership(now, !owner && d.chance(3))
		}
	}
	if q.Resource.Ref == q.Subject.Ref {
		who.Member = who.Subject.Membership
	}
	return who
}

func (d draw) question(a *catalogue.Action, now time.Time) Question {
	q := Question{
		Subject: Entity{Ref: portal.Ref{Type: one(d, "user", "user", "user", "contact", "robot"), ID: "7"}},
		Action:  Action{Name: a.Name},
		Resource: Entity{Ref: one(d, portal.Ref{Type: "account", ID: "42"}, portal.Ref{Type: "user", ID: "7"}, portal.Ref{Type: "user", ID: "8"},
			portal.Ref{Type: "service", ID: "5"}, portal.Ref{Type: "domain", ID: "e"}, portal.Ref{Type: "domain", ID: "d"})},
	}
	var context, properties []ijson.Member
	add := func(to *[]ijson.Member, name string, v ijson.Value) {
		*to = append(*to, ijson.Member{Name: name, Value: v})
	}
	if d.chance(2) {
		add(&context, "account", ijson.StringValue(one(d, "42", "43")))
	}
	if d.chance(2) {
		add(&properties, "account", ijson.StringValue("42"))
	}
	if d.chance(3) {
		add(&properties, "department", ijson.StringValue(one(d, "billing", "sales")))
		add(&properties, "contact", ijson.StringValue(one(d, "7", "8")))
	}
	if d.chance(2) {
		add(&context, "amr", ijson.ArrayValue(ijson.StringValue("otp")))
	}
	if d.chance(4) {
		add(&context, "actor", ijson.ObjectValue(
			ijson.Member{Name: "type", Value: ijson.StringValue("user")}, ijson.Member{Name: "id", Value: ijson.StringValue("9")},
			ijson.Member{Name: "properties", Value: ijson.ObjectValue(
				ijson.Member{Name: "ticket", Value: ijson.StringValue("T1")},
				ijson.Member{Name: "expires_at", Value: ijson.NumberValue(one(d, "1", "99999999999"))})}))
	}
	q.Context, q.Resource.Properties = ijson.ObjectValue(context...), ijson.ObjectValue(properties...)
	return q
}

// Whatever question and facts amount to is an input that the invariants are held
// against: rules.Possible says again, as conditions, what reduce computes.
func TestEveryInputIsPossible(t *testing.T) {
	p, err := policy.LoadProfile(policies.FS, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	e, now := New(p, nil, Options{}).inUse.Load(), time.Unix(1_800_000_000, 0)
	d, seen, met := draw{rand.New(rand.NewPCG(1, 2))}, map[string]bool{}, 0
	for _, a := range p.Catalogue.Actions() {
		rounds := 60
		if a.AboutMember || a.List || a.Mail != "" { // of which there is more to know
			rounds = 1000
		}
		for range rounds {
			q := d.question(a, now)
			var c consideration
			if e.consider(&c, q); c.refusal != "" {
				continue
			}
			in := c.reduce(p, d.people(&q, c.key.Account, now), exactly(now))
			met++
			if !p.Rules.Possible(&in) {
				t.Errorf("%+v", in)
			}
			for _, fact := range []string{in.Subject.Kind, in.Subject.Status, in.Grant.State, in.Grant.InScope, in.Grant.Subscribed, in.Account.Status, in.Session.Acting, in.Session.Actor, in.Resource.Member} {
				seen[fact] = true
			}
		}
	}
	want := "owner member stranger contact active disabled unknown none pending expired removed yes no listed whole_account chosen declined by_default suspended closed same other absent nobody staff self manager covered exceeding"
	for _, fact := range strings.Fields(want) {
		if !seen[fact] {
			t.Errorf("no question amounted to %s", fact)
		}
	}
	if met < 5000 {
		t.Errorf("only %d inputs", met)
	}
}
