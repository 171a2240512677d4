package search_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/facts"
	"doorward/internal/ijson"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/internal/search"
	"doorward/policies"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is a directory with everything to search it and to ask it.
type world struct {
	store    *sqlite.Store
	policy   *policy.Policy
	decider  *decision.Decider
	searcher search.Searcher
}

// newWorld has the shipped policy.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, policies.FS, "")
}

// newWorldOf has the policy of a folder under one of its profiles; under "" it is what
// provider.yaml says.
func newWorldOf(t *testing.T, folder fs.FS, profile string) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p, err := policy.LoadProfile(folder, profile, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: store, policy: p}
	w.decider = decision.New(p, facts.NewCache(store, facts.Options{}), decision.Options{Now: func() time.Time { return now }, Timeout: time.Minute})
	w.searcher = search.Searcher{Directory: store, Decider: w.decider}
	return w
}

func (w *world) put(t *testing.T, fn func(directory.Tx) error) {
	t.Helper()
	_, err := w.store.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "test.put"})
		return fn(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The ids of random worlds. ghost is nobody's.
var (
	userIDs    = []string{"B", "_", "a", "a.b", "b", "u10", "u9", "zoe", "ghost"}
	accountIDs = []string{"A1", "a1", "a2", "ghost"}
	contactIDs = []string{"C", "b", "c1", "c2", "ghost"}
	things     = []portal.Ref{{Type: "service", ID: "5"}, {Type: "service", ID: "6"}, {Type: "domain", ID: "a.example"}, {Type: "ticket", ID: "9"}}
)

type dice struct{ *rand.Rand }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func some[T any](d dice, n int, from ...T) []T {
	var picked []T
	for range d.IntN(n + 1) {
		picked = append(picked, pick(d, from...))
	}
	return picked
}

// populate fills a directory by chance, or changes what is in it: everybody may be staff, a member in any state
// with any grant, and anybody's contact.
func (d dice) populate(t *testing.T, w *world) {
	w.put(t, func(tx directory.Tx) error {
		for _, id := range userIDs[:len(userIDs)-1] {
			u := portal.User{ID: portal.UserID(id), Status: pick(d, portal.UserActive, portal.UserActive, portal.UserActive, portal.UserDisabled)}
			if d.IntN(3) == 0 {
				u.Staff = portal.NewStaffRights(some(d, 2, "staff.read", "staff.login_as", "staff.2fa.reset")...)
			}
			if err := tx.PutUser(t.Context(), u); err != nil {
				return err
			}
		}
		for _, id := range accountIDs[:len(accountIDs)-1] {
			if err := d.account(t, tx, portal.AccountID(id)); err != nil {
				return err
			}
		}
		for i, id := range contactIDs[:len(contactIDs)-1] {
			home := accountIDs[i%(len(accountIDs)-1)] // for ever (req 17)
			if err := tx.PutContact(t.Context(), d.contact(portal.ContactID(id), portal.AccountID(home))); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d dice) account(t *testing.T, tx directory.Tx, id portal.AccountID) error {
	a := portal.Account{ID: id, Status: pick(d, portal.AccountActive, portal.AccountActive, portal.AccountSuspended, portal.AccountClosed), MFARequired: d.IntN(4) == 0}
	if err := tx.PutAccount(t.Context(), a); err != nil {
		return err
	}
	owner := userIDs[slices.Index(accountIDs, string(id))]
	for _, user := range userIDs[:len(userIDs)-1] {
		if user != owner && d.IntN(3) == 0 {
			continue
		}
		m := portal.Membership{Account: id, User: portal.UserID(user), State: portal.MembershipActive, Owner: user == owner}
		m.Grant = portal.Grant{Presets: []string{"owner"}}
		if !m.Owner {
			m.Grant = d.grant()
			m.State = pick(d, portal.MembershipActive, portal.MembershipActive, portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved)
		}
		if err := tx.PutMembership(t.Context(), m); err != nil {
			return err
		}
	}
	return nil
}

func (d dice) grant() portal.Grant {
	g := portal.Grant{
		Presets:    some(d, 2, "administrator", "billing", "support", "developer", "all"),
		Categories: some(d, 3, "users", "tickets", "invoices", "domains", "product_passwords"),
	}
	if d.IntN(2) == 0 {
		g.Scope = append(some(d, 2, things...), pick(d, things...))
		g.Presets, g.Categories = []string{"developer"}, append(g.Categories, "domains")
		g.AccountWide = some(d, 2, "tickets", "users", "products")
	}
	if d.IntN(5) == 0 {
		g.NotAfter = now.Add(pick(d, -time.Hour, time.Hour))
	}
	return g
}

func (d dice) contact(id portal.ContactID, home portal.AccountID) portal.Contact {
	return portal.Contact{
		ID: id, Account: home, Person: portal.Person{Email: "x@y.example"},
		Status: pick(d, portal.ContactActive, portal.ContactActive, portal.ContactRemoved),
		Mails:  some(d, 3, "invoice", "domain", "product", "support"), Scope: some(d, 1, things...),
	}
}

// query asks something at random, mostly something that somebody may.
func (d dice) query(w *world) search.Query {
	actions := w.policy.Catalogue.Actions()
	q := search.Query{Kind: pick(d, search.Subjects, search.Resources, search.Resources, search.Actions)}
	q.Question.Action.Name = pick(d, pick(d, actions...).Name, pick(d, actions...).Name, pick(d, "service.view", "domain.view", "mail.domain.receive", "user.remove", "nothing.known"))
	q.Question.Subject = decision.Entity{Ref: portal.Ref{Type: portal.TypeUser, ID: pick(d, userIDs...)}}
	if d.IntN(4) == 0 {
		q.Question.Subject.Ref = portal.Ref{Type: pick(d, portal.TypeContact, portal.TypeContact, "robot"), ID: pick(d, contactIDs...)}
	}
	account := pick(d, accountIDs...)
	if d.IntN(2) == 0 { // what few are allowed
		aimed := pick(d, [2]string{"service.view", "service"}, [2]string{"domain.view", "domain"}, [2]string{"mail.domain.receive", "domain"}, [2]string{"ticket.view", "contact"})
		q.Kind, q.Question.Action.Name, q.Question.Resource.Type = search.Resources, aimed[0], aimed[1]
		q.Question.Context = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(account)},
			ijson.Member{Name: "amr", Value: ijson.ArrayValue(ijson.StringValue("otp"))})
		return q
	}
	q.Question.Resource.Ref = pick(d, portal.Ref{Type: portal.TypeAccount, ID: account}, portal.Ref{Type: portal.TypeAccount, ID: account},
		portal.Ref{Type: portal.TypeUser, ID: pick(d, userIDs...)}, portal.Ref{Type: portal.TypeContact, ID: pick(d, contactIDs...)}, pick(d, things...),
		portal.Ref{Type: "Account", ID: account})
	if q.Question.Resource.Type == portal.TypeUser && d.IntN(2) == 0 {
		q.Question.Action.Name = pick(d, "self.2fa.enable", "self.notifications.update")
	}
	var context []ijson.Member
	if q.Question.Resource.Type != portal.TypeAccount && d.IntN(4) > 0 || d.IntN(4) == 0 {
		context = append(context, ijson.Member{Name: "account", Value: pick(d, ijson.StringValue(account), ijson.StringValue(account), ijson.StringValue(pick(d, accountIDs...)), ijson.NullValue())})
	}
	if d.IntN(2) == 0 {
		context = append(context, ijson.Member{Name: "amr", Value: ijson.ArrayValue(ijson.StringValue("otp"))})
	}
	if d.IntN(8) == 0 {
		context = append(context, ijson.Member{Name: "actor", Value: d.actor()})
	}
	q.Question.Context = ijson.ObjectValue(context...)
	if q.Kind != search.Resources && q.Question.Resource.Type != portal.TypeAccount && d.IntN(2) == 0 {
		q.Question.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "account", Value: ijson.StringValue(account)})
	}
	return q
}

func (d dice) actor() ijson.Value {
	member := func(name string, v ijson.Value) ijson.Member { return ijson.Member{Name: name, Value: v} }
	return ijson.ObjectValue(member("type", ijson.StringValue("user")), member("id", ijson.StringValue(pick(d, userIDs...))),
		member("properties", ijson.ObjectValue(member("ticket", ijson.StringValue("T-1")),
			member("expires_at", ijson.NumberValue(fmt.Sprint(now.Add(time.Hour).Unix()))))))
}
