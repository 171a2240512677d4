package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// An entry comes out as it went in.
func TestEntriesAreCarriedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := portal.FactKey{Account: portal.AccountID(text.Draw(t, "account")), Subject: ref.Draw(t, "subject")}
		want := gate.Found{Facts: []portal.Facts{anyFacts.Draw(t, "facts")}, Position: anyPosition.Draw(t, "position"), Era: gate.Era(text.Draw(t, "era"))}
		body, err := EncodeEntry(key, want.Facts[0], want.Position, want.Era)
		got, err := DecodeEntry(must(t, body, err), key, want.Era)
		if diff := cmp.Diff(want, must(t, got, err)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// An entry is no other key's, era's or version's, and is read whole or not at all.
func TestEntriesThatAreNotBelieved(t *testing.T) {
	anna := portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: "anna"}}
	body, err := EncodeEntry(anna, portal.Facts{Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{}}}, at(7), "era")
	text := string(must(t, body, err))
	for was, is := range map[string]string{
		`"version":1`: `"version":2`, `"era":"e`: `"era":"E`, `"position":"7.`: `"position":"7x`,
		`"facts":`: `"x":`, `"facts":{`: `"facts":{"requires":["x"],`, `"of_user":`: `"x":`, `"grant":{`: `"grant":{"requires":["x"],`,
		`"acme"`: `"other"`, `"anna"`: `"bob"`, `["user"`: `["contact"`,
	} {
		changed := strings.Replace(text, was, is, 1)
		if got, err := DecodeEntry([]byte(changed), anna, "era"); changed == text || err == nil || !cmp.Equal(got, gate.Found{}) {
			t.Errorf("%s is read: %+v", is, got)
		}
	}
	for n := range len(text) {
		if got, err := DecodeEntry([]byte(text[:n]), anna, "era"); err == nil {
			t.Errorf("%d bytes are read: %+v", n, got)
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	key := portal.FactKey{Account: "acme", Subject: portal.Ref{Type: portal.TypeUser, ID: "anna"}}
	body, err := EncodeEntry(key, portal.Facts{}, at(7), "era")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := DecodeEntry(body, key, "era")
		if (err == nil) != (len(got.Facts) == 1) {
			t.Errorf("%+v, %v", got, err)
		}
		if err != nil {
			return
		}
		again, err := EncodeEntry(key, got.Facts[0], got.Position, got.Era)
		second, err := DecodeEntry(must(t, again, err), key, "era")
		if diff := cmp.Diff(got, must(t, second, err)); diff != "" {
			t.Error(diff)
		}
	})
}
