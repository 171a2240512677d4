package search_test

import (
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/decision"
	"doorward/internal/ijson"
	"doorward/internal/portal"
	"doorward/internal/search"
	"doorward/policies"
)

// walk follows pages to the end.
func (w *world) walk(t *testing.T, q search.Query) []string {
	t.Helper()
	all := []string{}
	for range 10_000 {
		page, err := w.searcher.Find(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if len(page.Found) > q.Limit {
			t.Fatalf("%+v: found %d", q, len(page.Found))
		}
		all = append(all, page.Found...)
		if !page.More {
			return all
		}
		q.After = page.Next
	}
	t.Fatalf("%+v has no end", q)
	return nil
}

// everybody are all ids there are, known or not, that a search could find.
func (w *world) everybody(t *testing.T, q search.Query) []string {
	t.Helper()
	switch typ := q.Question.Resource.Type; {
	case q.Kind == search.Actions:
		names := []string{"nothing.known"}
		for _, a := range w.policy.Catalogue.Actions() {
			names = append(names, a.Name)
		}
		return names
	case q.Kind == search.Subjects:
		return slices.Concat(userIDs, contactIDs)
	case typ == portal.TypeAccount || typ == "Account":
		return accountIDs
	case typ == portal.TypeUser:
		return userIDs
	case typ == portal.TypeContact:
		return contactIDs
	case typ == "service" || typ == "domain":
		return w.scope(t, q)
	}
	return nil
}

// scope are the things of the type that the subject's access is limited to.
func (w *world) scope(t *testing.T, q search.Query) (ids []string) {
	t.Helper()
	account := portal.AccountID(q.Question.Context.Get("account").Text())
	all, _, err := w.store.Facts(t.Context(), []portal.FactKey{{Account: account, Subject: q.Question.Subject.Ref}})
	if err != nil {
		t.Fatal(err)
	}
	var refs []portal.Ref
	if g := all[0].Membership.Grant; g != nil {
		refs = append(refs, g.Scope...)
	}
	if c := all[0].Contact; c != nil {
		refs = append(refs, c.Scope...)
	}
	for _, r := range refs {
		if r.Type == q.Question.Resource.Type {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// allowed asks about every one by itself, as a client would: a resource of an account
// with that account among its properties. Of users and contacts only those with a place
// in the account are asked for: a search tells of no others.
func (w *world) allowed(t *testing.T, q search.Query) []string {
	t.Helper()
	found := []string{}
	for _, id := range w.everybody(t, q) {
		asked := q.Question
		switch q.Kind {
		case search.Subjects:
			asked.Subject.ID = id
		case search.Resources:
			asked.Resource.ID = id
			if account := asked.Context.Get("account"); account.Kind() == ijson.String && asked.Resource.Type != portal.TypeAccount {
				asked.Resource.Properties = ijson.ObjectValue(ijson.Member{Name: "account", Value: account})
			}
		case search.Actions:
			asked.Action.Name = id
		}
		d, err := w.decider.Decide(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if d.Allow && w.belongs(t, q, id) {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// belongs tells whether a user or contact that is a resource is one of the account.
func (w *world) belongs(t *testing.T, q search.Query, id string) bool {
	t.Helper()
	typ := q.Question.Resource.Type
	action, _ := w.policy.Catalogue.Action(q.Question.Action.Name)
	if q.Kind != search.Resources || typ != portal.TypeUser && typ != portal.TypeContact || action != nil && action.Class == "self" {
		return true
	}
	key := portal.FactKey{Account: portal.AccountID(q.Question.Context.Get("account").Text()), Subject: portal.Ref{Type: typ, ID: id}}
	all, _, err := w.store.Facts(t.Context(), []portal.FactKey{key})
	if err != nil {
		t.Fatal(err)
	}
	return all[0].Membership.State != "" || all[0].Contact != nil
}

// S18: a search finds exactly what asking one by one allows, in every page size and under
// every profile of the provider's switches.
func TestFoundIsWhatIsAllowed(t *testing.T) {
	profiles, err := fs.Glob(policies.FS, "profiles/*.yaml")
	if err != nil || len(profiles) != 5 {
		t.Fatalf("got %v, %v", profiles, err)
	}
	for i, file := range profiles {
		profile := strings.TrimSuffix(path.Base(file), ".yaml")
		t.Run(profile, func(t *testing.T) { foundIsAllowed(t, newWorldOf(t, policies.FS, profile), uint64(i)) })
	}
}

// foundIsAllowed searches a world, whose memo stays warm, at random: other questions for
// each series.
func foundIsAllowed(t *testing.T, w *world, series uint64) {
	reached := map[search.Kind]int{}
	for seed := range uint64(4) {
		d := dice{rand.New(rand.NewPCG(seed, 20261125+series))}
		d.populate(t, w)
		for range 300 {
			q := d.query(w)
			want := w.allowed(t, q)
			// Of what is searched for, only the type is known.
			switch q.Kind {
			case search.Subjects:
				q.Question.Subject.ID = ""
			case search.Resources:
				q.Question.Resource.ID = ""
			case search.Actions:
				q.Question.Action = decision.Action{}
			}
			q.Limit = pick(d, 1, 2, 3, 7, 1000)
			if diff := cmp.Diff(want, w.walk(t, q)); diff != "" {
				t.Fatalf("seed %d: %+v (-allowed +found):\n%s", seed, q, diff)
			}
			if len(want) > 0 {
				reached[q.Kind+search.Kind(" "+q.Question.Resource.Type)]++
			}
		}
	}
	t.Log(reached)
	for _, kind := range []search.Kind{"subject account", "subject user", "resource account", "resource user", "resource contact", "resource service", "resource domain", "action account"} {
		if reached[kind] == 0 {
			t.Errorf("%s: no search found something", kind)
		}
	}
}
