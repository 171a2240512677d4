package importer

import (
	"context"
	"os"
	"strings"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/ijson"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

// heldOf are the records in quarantine, as record: reason.
func heldOf(r Report) []string {
	var all []string
	for _, h := range r.Quarantine.Records {
		all = append(all, h.Record+": "+h.Reason)
	}
	return all
}

const inviteNew = `{"kind":"invite","id":"56","account":"42","email":"new@acme.example","permissions":"invoices","invited_by":"1","created_at":"2026-01-03 12:00:00"}`

// What real portals have wrong keeps out what it is about and nothing else, with its
// reason, in a dry run too: req 4, req 17, req 20, E3.
func TestQuarantine(t *testing.T) {
	whole := []string{userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`), booksOfAcme, inviteNew}
	other := []string{`{"kind":"account","id":"43"}`, `{"kind":"membership","user":"7","account":"43","owner":true}`}
	for name, c := range map[string]struct {
		lines []string
		want  []string
		in    int // memberships that come in
	}{
		"nothing":         {whole, nil, 2},
		"user's address":  {append([]string{`{"kind":"user","id":"9","email":"a@b@c.example"}`}, whole...), []string{`user 9: email "a@b@c.example": has more than one @`}, 2},
		"no address":      {append([]string{`{"kind":"user","id":"9","email":""}`}, whole...), []string{`user 9: email "": missing`}, 2},
		"contact without": {append(whole, `{"kind":"contact","id":"10","account":"42","first_name":"Ann"}`), []string{`contact 10: email "": missing`}, 2},
		"member who is nobody": {append(whole, `{"kind":"membership","user":"404","account":"42"}`),
			[]string{"membership of user 404 in account 42: the file has no user 404"}, 2},
		"contact and invite of no account": {append(whole, strings.NewReplacer(`"42"`, `"404"`, `"9"`, `"10"`).Replace(booksOfAcme), strings.NewReplacer(`"42"`, `"404"`, `"56"`, `"57"`).Replace(inviteNew)),
			[]string{"contact 10: the file has no account 404", "invite 57: the file has no account 404"}, 2},
		"no owner": {append([]string{userAnna, userDee, accountAcme, deeHas(`"presets":["support"]`), booksOfAcme}, other...), []string{
			"account 42: it has no owner", "membership of user 7 in account 42: account 42 is in quarantine", "contact 9: account 42 is in quarantine"}, 1},
		"two owners": {append([]string{userAnna, userDee, accountAcme, annaOwns, deeHas(`"owner":true`), inviteNew}, other...), []string{
			"account 42: it has 2 owners, in lines 5, 6", "membership of user 1 in account 42: account 42 is in quarantine",
			"membership of user 7 in account 42: account 42 is in quarantine", "invite 56: account 42 is in quarantine"}, 1},
		"two owners, one without address": {append([]string{`{"kind":"user","id":"1","email":"anna"}`, userDee, accountAcme, annaOwns, deeHas(`"owner":true`)}, other...), []string{
			`user 1: email "anna": not an address`, "account 42: it has 2 owners, in lines 5, 6",
			"membership of user 1 in account 42: user 1 is in quarantine", "membership of user 7 in account 42: account 42 is in quarantine"}, 1},
		"owner without address": {append([]string{`{"kind":"user","id":"1","email":"anna"}`, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`)}, other...), []string{
			`user 1: email "anna": not an address`, "account 42: its owner is in quarantine",
			"membership of user 1 in account 42: user 1 is in quarantine", "membership of user 7 in account 42: account 42 is in quarantine"}, 1},
		"invite for ever": {append(whole, `{"kind":"invite","id":"57","account":"42","email":"x@acme.example","created_at":"0000-00-00 00:00:00"}`),
			[]string{"invite 57: nothing says when it was sent, so it would be open for ever"}, 2},
	} {
		store := emptyStore(t)
		p := plan(t, file(c.lines...))
		dry, wet := compare(t, p, store), apply(t, p, store)
		for how, r := range map[string]Report{"dry run": dry, "import": wet} {
			if diff := cmp.Diff(c.want, heldOf(r)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, how, diff)
			}
			if r.Quarantine.Total() != len(c.want) || r.Memberships.New != c.in {
				t.Errorf("%s, %s: %d in quarantine, %d members in", name, how, r.Quarantine.Total(), r.Memberships.New)
			}
		}
		if again := apply(t, p, store); again.Position != wet.Position || again.Memberships.Unchanged != c.in {
			t.Errorf("%s: the second time moved the directory: %+v", name, again)
		}
	}
}

// whoever is somebody else's stays: a record of another source has the same id by chance.
func TestOtherSourcesAreLeftAlone(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, booksOfAcme)), store)
	from := func(lines ...string) string { return strings.Replace(file(lines...), `"whmcs"`, `"blesta"`, 1) }
	mallory := `{"kind":"user","id":"7","email":"mallory@x.example"}`
	zoe, shop := `{"kind":"user","id":"z","email":"zoe@x.example"}`, `{"kind":"account","id":"shop"}`
	zoeOwns := `{"kind":"membership","user":"z","account":"shop","owner":true}`
	p := plan(t, from(mallory, zoe, shop, zoeOwns, `{"kind":"membership","user":"7","account":"shop","presets":["all"]}`,
		`{"kind":"account","id":"42","name":"taken over","billing_contact":"x"}`, `{"kind":"membership","user":"z","account":"42","owner":true}`,
		`{"kind":"account","id":"dev"}`, `{"kind":"membership","user":"7","account":"dev","owner":true}`))
	want := []string{
		"user 7: user 7 came from whmcs", "membership of user 7 in account shop: user 7 is in quarantine",
		"account 42: account 42 came from whmcs", "membership of user z in account 42: account 42 is in quarantine",
		"account dev: its owner is in quarantine", "membership of user 7 in account dev: user 7 is in quarantine",
	}
	before, err := store.User(ctx, "7")
	if err != nil {
		t.Fatal(err)
	}
	for how, r := range map[string]Report{"dry run": compare(t, p, store), "import": apply(t, p, store)} {
		if diff := cmp.Diff(want, heldOf(r)); diff != "" || r.Warnings != nil {
			t.Errorf("%s: %+v (-want +got):\n%s", how, r.Warnings, diff)
		}
	}
	if dee, err := store.User(ctx, "7"); err != nil || dee != before {
		t.Errorf("%+v, %v", dee, err)
	}
	if members, err := store.Members(ctx, "shop"); err != nil || len(members) != 1 {
		t.Errorf("%+v, %v", members, err)
	}
	// What was made here, of no source, is taken over.
	made := portal.User{ID: "n", Status: portal.UserActive}
	putHere(t, store, func(tx directory.Tx) error { return tx.PutUser(ctx, made) })
	apply(t, plan(t, from(`{"kind":"user","id":"n","email":"new@x.example"}`)), store)
	if n, err := store.User(ctx, "n"); err != nil || n.Origin.Source != "blesta" {
		t.Errorf("%+v, %v", n, err)
	}
}

// putHere changes the directory otherwise than by an import.
func putHere(t testing.TB, store *sqlite.Store, fn func(directory.Tx) error) {
	t.Helper()
	_, err := store.Update(context.Background(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "test"})
		return fn(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What was kept out can be had with its reason, to be mended.
func TestQuarantineIsHandedOut(t *testing.T) {
	p := plan(t, file(userAnna, accountAcme, annaOwns, `{"kind":"membership","user":"404","account":"42","categories":["tickets"],"note":"x"}`))
	apply(t, p, emptyStore(t))
	var got []string
	err := p.Quarantine(context.Background(), func(h Held, v ijson.Value) error {
		got = append(got, h.Reason+" "+string(v.Append(nil)))
		return nil
	})
	want := []string{`the file has no user 404 {"kind":"membership","user":"404","account":"42","categories":["tickets"],"note":"x"}`}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// req 13: people's addresses do not lie about after an import, not even after one that
// was killed: nothing can be found while it runs.
func TestNothingIsLeftInTheFolder(t *testing.T) {
	folder := t.TempDir()
	cat, table := shipped(t)
	p, err := Read(t.Context(), "x", strings.NewReader(file(userAnna, accountAcme, annaOwns)), Words{Catalogue: cat, Presets: table}, Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := os.ReadDir(folder); err != nil || len(found) != 0 {
		t.Errorf("while it runs: %v, %v", found, err)
	}
	if r := apply(t, p, emptyStore(t)); r.Memberships.New != 1 {
		t.Errorf("%+v", r)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Read(t.Context(), "x", strings.NewReader(""), Words{Catalogue: cat, Presets: table}, Options{Folder: folder + "/absent"}); err == nil {
		t.Error("a folder that is not there")
	}
}

// E3: the dry run tells whose rights would change, and what a person should look at.
func TestWhatToLookAt(t *testing.T) {
	store := emptyStore(t)
	first := plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"],"last_login":"2025-01-01T00:00:00Z"`)))
	if r := apply(t, first, store); r.RightsChanged != 0 || r.Warnings != nil {
		t.Errorf("new members: %+v", r)
	}
	const declines = `{"kind":"account","id":"42","name":"Acme Ltd","email_preferences":{"domain":false},"billing_contact":"9","allow_sso":false,"status":"Active","created_at":"2020-07-01 12:00:00"}`
	r := compare(t, plan(t, file(userAnna, userDee, declines, annaOwns, deeHas(`"presets":["billing"],"last_login":"2026-01-01T00:00:00Z"`),
		`{"kind":"contact","id":"9","account":"42","email":"books@acme.example","emails":{"support":true}}`)), store)
	if diff := cmp.Diff([]string{"user:7 in account:42"}, r.Rights); diff != "" || r.RightsChanged != 1 {
		t.Errorf("%d (-want +got):\n%s", r.RightsChanged, diff)
	}
	want := []string{
		"an account of which nobody is sent mail about domains; it goes to the owner all the same",
		"an account where single sign-on is switched off; Doorward has no such switch: take sso from its members",
		"an account whose billing contact is not sent invoices",
	}
	var got []string
	for _, w := range r.Warnings {
		if w.Count != 1 || w.Lines[0] != 4 {
			t.Errorf("%+v", w)
		}
		got = append(got, w.Message)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := compare(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"],"last_login":"2026-01-01T00:00:00Z"`))), store); r.RightsChanged != 0 || r.Memberships.Changed != 1 {
		t.Errorf("a later login changes no rights: %+v", r)
	}
}

// req 32, req 97: whoever a file disables, removes or invites no more goes, whatever has become of their
// address.
func TestABadAddressKeepsNobodyIn(t *testing.T) {
	for _, email := range []string{`""`, `null`, `"deleted-7"`, `"a@b@c.example"`} {
		store := emptyStore(t)
		apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`), booksOfAcme, inviteNew)), store)
		p := plan(t, file(userAnna, accountAcme, annaOwns, deeHas(`"presets":["support"]`), `{"kind":"user","id":"7","status":"disabled","email":`+email+`}`,
			`{"kind":"contact","id":"9","account":"42","status":"removed","email":`+email+`}`,
			`{"kind":"invite","id":"56","account":"42","permissions":"invoices","deleted_at":"2026-01-04 12:00:00","email":`+email+`}`))
		for how, r := range map[string]Report{"dry run": compare(t, p, store), "import": apply(t, p, store)} {
			if warned := len(r.Warnings) == 1 && r.Warnings[0].Count == 3; warned != (len(email) > 4) || r.Quarantine.Total() != 0 {
				t.Errorf("%s of %s: %+v", how, email, r)
			}
		}
		got := closedIn(t, store)
		if invite, err := store.Invitation(t.Context(), "56"); err != nil || invite.State != portal.InvitationRevoked {
			t.Errorf("%s: %+v, %v", email, invite, err)
		}
		if dee, err := store.User(t.Context(), "7"); err != nil || dee.Person.Email != "" || got.User != portal.UserDisabled || got.Contact != portal.ContactRemoved {
			t.Errorf("%s: %+v, %v: %+v", email, dee, err, got)
		}
		if again := apply(t, p, store); again.Users.Changed+again.Contacts.Changed+again.Invites.Changed != 0 {
			t.Errorf("%s, again: %+v", email, again)
		}
		if r, err := tryUpsert(t, store, "", `{"kind":"user","id":"7","source":"whmcs","status":"disabled","email":`+email+`}`); err != nil || r.Outcomes[0] != Unchanged {
			t.Errorf("%s, without a file: %+v, %v", email, r, err)
		}
	}
}
