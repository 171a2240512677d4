package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A found is the answer to a search.
type found struct {
	Page    struct{ Next_token string }
	Results []struct{ Type, ID, Name string }
}

// find asks a running server for one page of a search.
func find(t *testing.T, url, kind, body string) (f found) {
	t.Helper()
	response, text := call(t, http.DefaultClient, "POST", url+"/access/v1/search/"+kind, body, asJSON)
	if err := json.Unmarshal([]byte(text), &f); err != nil || response.StatusCode != 200 || f.Results == nil {
		t.Fatalf("%s: %d %s, %v", body, response.StatusCode, text, err)
	}
	return f
}

// req 102, req 103: an agency with hundreds of accounts (article 003) gets them page
// by page, from any process on the directory, and one that it has left is gone from
// the next page on.
func TestTheAccountsOfAnAgency(t *testing.T) {
	c := local(t)
	c.Decision.Timeout = time.Minute // this is not about speed
	one, store := start(t, c).urls[0], elsewhere(t, c)
	other := local(t)
	other.Data, other.Decision.Timeout = c.Data, c.Decision.Timeout
	urls := []string{one, start(t, other).urls[0]}
	want := []string{}
	change(t, store, func(tx directory.Tx) error {
		for i := range 300 {
			id := portal.AccountID(fmt.Sprintf("customer-%03d", i))
			want = append(want, string(id))
			if err := tx.PutAccount(t.Context(), portal.Account{ID: id, Status: portal.AccountActive}); err != nil {
				return err
			}
			owner := portal.Membership{Account: id, User: "anna", State: portal.MembershipActive, Owner: true, Grant: portal.Grant{Presets: []string{"owner"}}}
			agency := portal.Membership{Account: id, User: "dora", State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"developer"}}}
			if err := tx.PutMembership(t.Context(), owner); err != nil {
				return err
			}
			if err := tx.PutMembership(t.Context(), agency); err != nil {
				return err
			}
		}
		return nil
	})
	search := `{"subject":{"type":"user","id":"dora"},"action":{"name":"service.list"},"resource":{"type":"account"},"page":{%s}}`
	var got []string
	page := `"limit":70`
	for i := 0; page != ""; i++ {
		f := find(t, urls[i%2], "resource", fmt.Sprintf(search, page))
		for _, r := range f.Results {
			got = append(got, r.ID)
		}
		if page = ""; f.Page.Next_token != "" {
			page = `"token":"` + f.Page.Next_token + `"`
		}
		if i == 1 {
			change(t, store, func(tx directory.Tx) error {
				m, err := tx.Membership(t.Context(), "customer-250", "dora")
				m.State = portal.MembershipRemoved
				if err != nil {
					return err
				}
				return tx.PutMembership(t.Context(), m)
			})
		}
	}
	want = slices.DeleteFunc(want, func(id string) bool { return id == "customer-250" })
	got = slices.DeleteFunc(got, func(id string) bool { return len(id) != len("customer-000") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// S18, over HTTP: what is found is what a batch allows.
func TestFoundIsWhatABatchAllows(t *testing.T) {
	c := local(t)
	c.Decision.Timeout = time.Minute // this is not about speed
	url := start(t, c).urls[0]
	for _, user := range []string{"anna", "adam", "carl", "sam", "dora", "eddy", "dan", "tess", "nobody"} {
		who := fmt.Sprintf(`"subject":{"type":"user","id":%q},"resource":{"type":"account","id":"acme"}`, user)
		for _, r := range find(t, url, "action", "{"+who+"}").Results {
			if got := ask(t, url, "user:"+user, r.Name, "account:acme", ""); got != "allow" {
				t.Errorf("%s finds %s, which is %s", user, r.Name, got)
			}
		}
	}
	if got := find(t, url, "action", `{"subject":{"type":"user","id":"dan"},"resource":{"type":"account","id":"acme"}}`); len(got.Results) > 0 {
		t.Errorf("a disabled user finds %v", got)
	}
}
