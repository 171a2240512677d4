package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

// all prunes whatever is missing.
var all = Carry{Prune: true, PruneLimit: 100}

func pruned(t testing.TB, text string, c Carry, store directory.Store) Report {
	t.Helper()
	p := plan(t, text)
	dry, err := p.Compare(context.Background(), store, c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Apply(context.Background(), store, c)
	if err != nil {
		t.Fatal(err)
	}
	for kind, counts := range map[string][2]Count{
		"users": {dry.Users, r.Users}, "accounts": {dry.Accounts, r.Accounts}, "memberships": {dry.Memberships, r.Memberships},
		"contacts": {dry.Contacts, r.Contacts}, "invites": {dry.Invites, r.Invites},
	} {
		if counts[0] != counts[1] {
			t.Errorf("%s: foretold %+v, done %+v", kind, counts[0], counts[1])
		}
	}
	return r
}

// E3: only what came from the same source goes, and what people changed here stays.
func TestPrune(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	shop := []string{`{"kind":"account","id":"43"}`, `{"kind":"membership","user":"7","account":"43","owner":true}`,
		`{"kind":"membership","user":"1","account":"43","presets":["billing"]}`, `{"kind":"contact","id":"10","account":"43","email":"x@y.example"}`}
	full := file(append([]string{userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`), booksOfAcme, inviteNew,
		`{"kind":"user","id":"8","email":"gone@acme.example"}`}, shop...)...)
	apply(t, plan(t, full), store)
	zoe := portal.Membership{Account: "42", User: "zoe", State: portal.MembershipActive}
	putHere(t, store, func(tx directory.Tx) error { // made here
		return errors.Join(tx.PutUser(ctx, portal.User{ID: "zoe", Status: portal.UserActive}), tx.PutMembership(ctx, zoe))
	})
	less := file(userAnna, userDee, accountAcme, annaOwns)
	if r := apply(t, plan(t, less), store); r.Memberships != (Count{Unchanged: 1}) {
		t.Errorf("without pruning: %+v", r)
	}
	r := pruned(t, less, all, store)
	want := []Count{{Unchanged: 2, Pruned: 1}, {Unchanged: 1, Pruned: 1}, {Unchanged: 1, Pruned: 2}, {Pruned: 2}, {Pruned: 1}}
	if diff := cmp.Diff(want, []Count{r.Users, r.Accounts, r.Memberships, r.Contacts, r.Invites}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	dee, errD := store.Membership(ctx, "42", "7")
	shopAccount, errS := store.Account(ctx, "43")
	owner, errO := store.Membership(ctx, "43", "7")
	kept, errK := store.Membership(ctx, "42", "zoe")
	if err := errors.Join(errD, errS, errO, errK); err != nil {
		t.Fatal(err)
	}
	if dee.State != portal.MembershipRemoved || !dee.Origin.Pruned || shopAccount.Status != portal.AccountClosed || !owner.Owner || kept.State != portal.MembershipActive {
		t.Errorf("%+v\n%+v\n%+v\n%+v", dee, shopAccount, owner, kept)
	}
	if again := pruned(t, less, all, store); again.Position != r.Position {
		t.Errorf("the second time: %+v", again)
	}
	if _, err := directory.Verify(ctx, store, nil); err != nil {
		t.Error(err)
	}
	// It comes back with its line.
	if r := apply(t, plan(t, full), store); r.Users.Changed != 1 || r.Accounts.Changed != 1 || r.Memberships.Changed != 2 || r.Contacts.Changed != 2 || r.Invites.Changed != 1 {
		t.Errorf("back: %+v", r)
	}
	if dee, err := store.Membership(ctx, "42", "7"); err != nil || dee.State != portal.MembershipActive || dee.Origin.Pruned {
		t.Errorf("%+v, %v", dee, err)
	}
}

// Who was removed by a person does not come back for having been pruned as well.
func TestPruneOpensNothingThatPeopleClosed(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	full, less := file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`)), file(userAnna, userDee, accountAcme, annaOwns)
	apply(t, plan(t, full), store)
	putHere(t, store, func(tx directory.Tx) error {
		m, err := tx.Membership(ctx, "42", "7")
		m.State = portal.MembershipRemoved
		return errors.Join(err, tx.PutMembership(ctx, m))
	})
	pruned(t, less, all, store)
	apply(t, plan(t, full), store)
	if m, err := store.Membership(ctx, "42", "7"); err != nil || m.State != portal.MembershipRemoved {
		t.Errorf("%+v, %v", m, err)
	}
}

// A record in quarantine is in the file, and staff are not an import's business.
func TestPruneSparesQuarantineAndStaff(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`), `{"kind":"user","id":"tess","email":"t@host.example"}`)), store)
	makeStaff(t, store, "tess")
	r := pruned(t, file(userAnna, strings.Replace(userDee, "dev@", "dev@@", 1), accountAcme, annaOwns, deeHas(`"presets":["support"]`)), all, store)
	if r.Users.Pruned+r.Memberships.Pruned != 0 || r.Quarantine.Users != 1 {
		t.Errorf("%+v", r)
	}
	if tess, err := store.User(ctx, "tess"); err != nil || tess.Status != portal.UserActive {
		t.Errorf("%+v, %v", tess, err)
	}
	// The owner may leave with the old export, if the new one has another.
	r = pruned(t, file(userDee, accountAcme, deeHas(`"owner":true`)), all, store)
	if anna, err := store.Membership(ctx, "42", "1"); err != nil || anna.Owner || anna.State != portal.MembershipRemoved || r.Memberships.Pruned != 1 {
		t.Errorf("%+v, %v: %+v", anna, err, r)
	}
}

// A file that was cut short does not put everybody out.
func TestPruneIsLimited(t *testing.T) {
	store := emptyStore(t)
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf(`{"kind":"user","id":"u%d","email":"u%d@x.example"}`, i, i))
	}
	apply(t, plan(t, file(lines...)), store)
	before := head(t, store)
	p := plan(t, file(lines[:17]...))
	for _, how := range []func() (Report, error){
		func() (Report, error) { return p.Compare(t.Context(), store, Carry{Prune: true, PruneLimit: 10}) },
		func() (Report, error) { return p.Apply(t.Context(), store, Carry{Prune: true, PruneLimit: 10}) },
		func() (Report, error) { return p.Apply(t.Context(), store, Carry{Prune: true}) },
	} {
		if _, err := how(); !errors.Is(err, ErrPrunes) || head(t, store) != before ||
			!strings.HasPrefix(fmt.Sprint(err), "the file lacks more than may be pruned: 3 of 20 users of whmcs are not in it, more than ") {
			t.Errorf("got %v", err)
		}
	}
	if r := pruned(t, file(lines[:18]...), Carry{Prune: true, PruneLimit: 10}, store); r.Users.Pruned != 2 {
		t.Errorf("%+v", r)
	}
}

// req 4: an owner whose line is in quarantine stays the owner, and whoever the file makes
// the owner in that place is kept out with the account; the rest of the import comes in.
func TestAnOwnerInQuarantineIsNotPruned(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`))), store)
	nobody := strings.Replace(userAnna, "anna@", "anna@@", 1)
	for name, lines := range map[string][]string{
		"gave it up": {strings.Replace(annaOwns, "true", "false", 1), deeHas(`"owner":true`)},
		"two owners": {annaOwns, deeHas(`"owner":true`)},
	} {
		r := pruned(t, file(append(lines, nobody, userDee, accountAcme, `{"kind":"account","id":"zz"}`, `{"kind":"membership","account":"zz","user":"7","owner":true}`)...), all, store)
		if anna, err := store.Membership(ctx, "42", "1"); err != nil || !anna.Owner || r.Quarantine.Accounts != 1 || r.Accounts.Total() != 1 {
			t.Errorf("%s: %+v, %v: %+v", name, anna, err, r)
		}
	}
}

// What was suspended or pending when it was pruned does not come back as active by silence
// (req 4, req 84); said, it does.
func TestWhatWasNotWhollyInUseStaysPruned(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	whole := func(account, member string) string {
		return file(userAnna, userDee, `{"kind":"account","id":"42"`+account+`}`, annaOwns, deeHas(`"presets":["support"]`+member))
	}
	found := func() [2]string {
		a, err := store.Account(ctx, "42")
		m, err2 := store.Membership(ctx, "42", "7")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return [2]string{string(a.Status), string(m.State)}
	}
	apply(t, plan(t, whole(`,"status":"suspended"`, `,"state":"pending"`)), store)
	pruned(t, file(userAnna, userDee), all, store)
	for _, c := range []struct {
		text string
		want [2]string
	}{
		{file(userAnna, userDee), [2]string{"closed", "removed"}},
		{whole("", ""), [2]string{"closed", "removed"}},
		{whole(`,"status":"suspended"`, `,"state":"pending"`), [2]string{"suspended", "pending"}},
		{whole("", ""), [2]string{"suspended", "pending"}},
	} {
		apply(t, plan(t, c.text), store)
		if got := found(); got != c.want {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
}

// refused tells that an import with --prune-limit 10 is refused in this way, in a dry run
// too, and changes nothing.
func refused(t testing.TB, store *sqlite.Store, text, why string) {
	t.Helper()
	before, p, ten := head(t, store), plan(t, text), Carry{Prune: true, PruneLimit: 10}
	_, dry := p.Compare(context.Background(), store, ten)
	_, wet := p.Apply(context.Background(), store, ten)
	for how, err := range map[string]error{"dry run": dry, "import": wet} {
		if want := "the file lacks more than may be pruned: " + why + " of whmcs are not in it, more than 10 percent. Is it whole?"; !errors.Is(err, ErrPrunes) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", how, err, want)
		}
	}
	if head(t, store) != before {
		t.Error("something was written")
	}
}

// Another portal's export under the same name lacks everybody, however many it has; one
// that was cut after the accounts lacks who is in them.
func TestPruneIsLimitedInsideAccountsToo(t *testing.T) {
	store := emptyStore(t)
	whole := []string{userAnna, userDee, accountAcme, annaOwns, deeHas(`"presets":["support"]`), booksOfAcme}
	apply(t, plan(t, file(whole...)), store)
	var others []string
	for i := range 100 {
		others = append(others, fmt.Sprintf(`{"kind":"user","id":"u%d","email":"u%d@x.example"}`, i, i))
	}
	refused(t, store, file(others...), "1 of 1 accounts")
	refused(t, store, file(append(others, accountAcme, annaOwns)...), "2 of 2 users")
	refused(t, store, file(userAnna, userDee, accountAcme, annaOwns), "1 of 2 memberships")
	refused(t, store, file(whole[:5]...), "1 of 1 contacts")
	if r := pruned(t, file(whole...), Carry{Prune: true}, store); r.Memberships.Pruned+r.Contacts.Pruned != 0 {
		t.Errorf("%+v", r)
	}
}
