package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/ijson"
	"doorward/internal/portal"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// readUpsert reads records, a JSON text each, in the words of the shipped policy.
func readUpsert(t testing.TB, source string, records ...string) (*Upsert, error) {
	t.Helper()
	values := make([]ijson.Value, len(records))
	for i, r := range records {
		v, err := ijson.ParseAny([]byte(r))
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v
	}
	cat, table := shipped(t)
	return ReadUpsert(values, Words{Catalogue: cat, Presets: table}, UpsertOptions{Source: source, Now: noon, Salt: []byte("salt")})
}

func tryUpsert(t testing.TB, store *sqlite.Store, source string, records ...string) (Result, error) {
	t.Helper()
	u, err := readUpsert(t, source, records...)
	if err != nil {
		return Result{}, err
	}
	return u.Apply(context.Background(), store, By{Actor: "client:t1", Client: "t1"}, nil)
}

func upsert(t testing.TB, store *sqlite.Store, source string, records ...string) Result {
	t.Helper()
	r, err := tryUpsert(t, store, source, records...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const acmeOwned = `{"kind":"account","id":"42","name":"Acme Ltd","owner":"1"}`

// E3: the same records bring a portal in by a file and without one, and a portal that was
// imported goes on being its source's.
func TestAnUpsertIsAnImport(t *testing.T) {
	lines := []string{userAnna, userDee, accountAcme, annaOwns, booksOfAcme,
		deeHas(`"permissions":"invoices","scope":["service:5"],"not_after":"2030-01-01T00:00:00Z","emails":{"domain":false}`)}
	imported, put := emptyStore(t), emptyStore(t)
	apply(t, plan(t, strings.Replace(file(lines...), `"timezone":"Europe/London",`, "", 1)), imported)
	slices.Reverse(lines) // in any order
	if r := upsert(t, put, "whmcs", lines...); !slices.Equal(r.Outcomes, slices.Repeat([]Outcome{New}, 6)) {
		t.Errorf("got %v", r.Outcomes)
	}
	keys := []Key{{KindUser, "", "1"}, {KindUser, "", "7"}, {KindAccount, "42", ""}, {KindMembership, "42", "1"}, {KindMembership, "42", "7"}, {KindContact, "42", "9"}}
	for _, k := range keys {
		want, err := Stored(context.Background(), imported, k)
		got, err2 := Stored(context.Background(), put, k)
		if diff := cmp.Diff(string(want.Append(nil)), string(got.Append(nil))); err != nil || err2 != nil || diff != "" {
			t.Errorf("%s: %v, %v (-imported +put):\n%s", k, err, err2, diff)
		}
		before := head(t, put) // what is shown can be put back
		if r := upsert(t, put, "", string(got.Append(nil))); r.Outcomes[0] != Unchanged || head(t, put) != before || len(r.Warnings) > 0 {
			t.Errorf("%s: shown and put again: %+v", got.Append(nil), r)
		}
	}
	before := head(t, put)
	if r := upsert(t, put, "whmcs", lines...); r.Position != before || head(t, put) != before {
		t.Errorf("the second time moved the directory: %+v", r)
	}
	if _, err := directory.Verify(context.Background(), put, nil); err != nil {
		t.Error(err)
	}
	// A later export prunes what it has not, as its own.
	less := plan(t, file(userAnna, accountAcme, annaOwns))
	if r, err := less.Apply(context.Background(), put, all); err != nil || r.Memberships.Pruned != 1 || r.Users.Pruned != 1 || r.Contacts.Pruned != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What a record leaves out stays, but for the grant, which is replaced whole.
func TestWhatARecordLeavesOut(t *testing.T) {
	store := emptyStore(t)
	upsert(t, store, "", userAnna, acmeOwned, `{"kind":"user","id":"7","email":"dev@agency.example","status":"disabled","second_factor":"totp"}`,
		deeHas(`"presets":["support"],"scope":["service:5"],"not_after":"2030-01-01T00:00:00Z","state":"removed","emails":{"invoice":true}`))
	r := upsert(t, store, "", `{"kind":"user","id":"7","email":"dee@agency.example"}`, deeHas(`"presets":["billing"]`), `{"kind":"account","id":"42","name":"Acme","mfa_required":true}`)
	if !slices.Equal(r.Outcomes, []Outcome{Changed, Changed, Changed}) {
		t.Errorf("got %v", r.Outcomes)
	}
	ctx := context.Background()
	u, err := store.User(ctx, "7")
	m, err2 := store.Membership(ctx, "42", "7")
	if err := errors.Join(err, err2); err != nil || u.Status != portal.UserDisabled || !u.MFA || u.Person.Email != "dee@agency.example" {
		t.Errorf("%+v, %v", u, err)
	}
	if diff := cmp.Diff(portal.Grant{Presets: []string{"billing"}}, m.Grant); diff != "" || m.State != portal.MembershipRemoved || !slices.Equal(m.Mail.On, []string{"invoice"}) {
		t.Errorf("%+v (-want +got):\n%s", m, diff)
	}
}

// req 4, req 8: an account has one owner after any upsert; ownership moves when both are
// said together.
func TestAnUpsertKeepsOneOwner(t *testing.T) {
	const annaMember = `{"kind":"membership","user":"1","account":"42","presets":["all"]}`
	store := emptyStore(t)
	upsert(t, store, "", userAnna, userDee, acmeOwned, deeHas(`"presets":["support"]`))
	before := head(t, store)
	for _, c := range []struct {
		records []string
		want    string
	}{
		{[]string{`{"kind":"account","id":"43","name":"x"}`}, `0: account 43 would have no owner: name one, as in "owner":"7"`},
		{[]string{`{"kind":"account","id":"43"}`, `{"kind":"membership","account":"43","user":"7","presets":["all"]}`}, "0: account 43 would have no owner"},
		{[]string{deeHas(`"owner":true`)}, "0: account 42 would have 2 owners, 1 and 7: say in the same batch what the others are"},
		{[]string{`{"kind":"account","id":"42","owner":"7"}`}, "0: account 42 would have 2 owners, 1 and 7"},
		{[]string{annaMember}, "0: account 42 would have no owner"},
		{[]string{userDee, `{"kind":"membership","user":"1","account":"42","state":"removed"}`}, "1: account 42 would have no owner"},
	} {
		_, err := tryUpsert(t, store, "", c.records...)
		if got := conflictsOf(t, err); len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.records, got, c.want)
		}
	}
	if head(t, store) != before {
		t.Error("what was refused moved the directory")
	}
	// Whoever owns it already may be named again, and moves nothing.
	if r := upsert(t, store, "", acmeOwned); r.Outcomes[0] != Unchanged || r.Position != before {
		t.Errorf("%+v", r)
	}
	upsert(t, store, "", deeHas(`"owner":true`), annaMember)
	if owners, err := ownersOf(context.Background(), store, "42"); err != nil || !slices.Equal(owners, []string{"7"}) {
		t.Errorf("%v, %v", owners, err)
	}
}

func conflictsOf(t testing.TB, err error) []string {
	t.Helper()
	c, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Fatalf("%v is no conflict", err)
	}
	return texts(c.Findings)
}

func texts(all []Finding) []string {
	var list []string
	for _, f := range all {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d%s: %s", f.Record, f.Pointer, f.Text)))
	}
	return list
}

// What an import would put into quarantine is a conflict, all of them at once, and
// nothing of the batch is taken in (req 17).
func TestConflictsOfAnUpsert(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	apply(t, plan(t, file(userAnna, userDee, accountAcme, annaOwns, booksOfAcme, deeHas(`"presets":["support"]`))), store)
	before := head(t, store)
	zoe, shop := `{"kind":"user","id":"z","email":"zoe@x.example"}`, `{"kind":"account","id":"shop","owner":"z"}`
	records := []string{zoe, shop, userAnna, `{"kind":"account","id":"42","name":"taken over"}`, deeHas(`"presets":["all"]`), booksOfAcme,
		`{"kind":"contact","id":"9","account":"shop","email":"x@x.example"}`,
		`{"kind":"membership","account":"shop","user":"Z","presets":["all"]}`, `{"kind":"membership","account":"Shop","user":"z","presets":["all"]}`,
		`{"kind":"contact","id":"10","account":"nowhere","email":"x@x.example"}`, `{"kind":"signin","user":"nobody"}`, `{"kind":"signin","user":"z","account":"42"}`}
	for source, want := range map[string][]string{
		"": {
			`2: user 1 came from the source "whmcs": only records with "source":"whmcs" change it`,
			`3: account 42 came from the source "whmcs": only records with "source":"whmcs" change it`,
			`4: the membership of user 7 in account 42 came from the source "whmcs": only records with "source":"whmcs" change it`,
			"7: there is no user Z: put them first, or into the same batch",
			"8: there is no account Shop: put it first, or into the same batch",
			`5: contact 9 came from the source "whmcs": only records with "source":"whmcs" change it`,
			"6: contact 9 belongs to another account, for ever",
			"9: there is no account nowhere: put it first, or into the same batch",
			"10: there is no user nobody",
			"11: user z is not a member of account 42",
		},
		"whmcs": {
			"7: there is no user Z: put them first, or into the same batch",
			"8: there is no account Shop: put it first, or into the same batch",
			"6: contact 9 belongs to another account, for ever",
			"9: there is no account nowhere: put it first, or into the same batch",
			"10: there is no user nobody",
			"11: user z is not a member of account 42",
		},
	} {
		_, err := tryUpsert(t, store, source, records...)
		if diff := cmp.Diff(want, conflictsOf(t, err)); diff != "" {
			t.Errorf("source %q (-want +got):\n%s", source, diff)
		}
	}
	if _, err := store.User(ctx, "z"); !errors.Is(err, directory.ErrNotFound) || head(t, store) != before {
		t.Errorf("something was taken in: %v", err)
	}
}

// A13.19: nothing of staff changes here but when they signed in.
func TestAnUpsertDoesNotTouchStaff(t *testing.T) {
	store := emptyStore(t)
	upsert(t, store, "", userAnna)
	makeStaff(t, store, "1")
	for members, refused := range map[string]bool{
		``: false, `,"source":"whmcs"`: false, `,"status":"active"`: false, `,"created_at":"2020-01-01T00:00:00Z"`: false,
		`,"status":"disabled"`: true, `,"first_name":"Anna"`: true, `,"second_factor":"totp"`: true, `,"email_verified_at":"2026-01-01T00:00:00Z"`: true,
		`,"staff":"staff.login_as"`: false,
	} {
		_, err := tryUpsert(t, store, "whmcs", `{"kind":"user","id":"1","email":"anna@acme.example"`+members+`}`)
		if _, is := errors.AsType[*ConflictError](err); is != refused || !refused && err != nil {
			t.Errorf("%s: %v", members, err)
		}
	}
	if _, err := tryUpsert(t, store, "whmcs", `{"kind":"user","id":"1","email":"mallory@acme.example"}`); !strings.Contains(fmt.Sprint(err), "user 1 is staff") {
		t.Errorf("another address: %v", err)
	}
	upsert(t, store, "", `{"kind":"signin","user":"1"}`)
	if u, err := store.User(context.Background(), "1"); err != nil || u.Staff != "staff.read" || !u.LastLogin.Equal(noon) {
		t.Errorf("%+v, %v", u, err)
	}
}

// Everything that is wrong is told at once, with its place (S40).
func TestFaultsOfAnUpsert(t *testing.T) {
	_, err := readUpsert(t, "", `{"kind":"user","id":7,"email":"a@b@c.example","status":"gone"}`, `null`, `{"kind":"User","id":"7"}`,
		`{"kind":"membership","account":"42","user":"a b","presets":["owner"],"categories":["security","ownership"],"expires_at":"2030-01-01T00:00:00Z"}`,
		`{"kind":"account","id":"42","owner":"7","mfa_required":"yes","source":"Not One"}`,
		`{"kind":"contact","id":"9","account":"42","subaccount":true,"permissions":"invoices","emails":{"security":true}}`,
		`{"kind":"signin","user":"7","at":"2027-01-01T00:00:00Z","ip":"anna"}`, `{"kind":"signin","user":"7","at":""}`, `{"kind":"invite","id":"1"}`, `{}`)
	f, ok := errors.AsType[*FaultyError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	want := []string{
		`0/id: ids are strings, not numbers. Write "7".`,
		`0/status: "gone" is not known. Write one of: active, disabled.`,
		`0/email: has more than one @`,
		`1: must be an object, not null`,
		`2/kind: must be one of user, account, membership, contact, signin, not "User". Did you mean "user"?`,
		`3/user: "a b" cannot be an id. Use 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ and -.`,
		`3/presets/0: only the owner is the owner. Write "owner":true for the one owner, or choose another preset.`,
		`3/categories/0: security belongs to the owner alone. Leave it out.`,
		`3/categories/1: ownership belongs to the owner alone. Leave it out.`,
		`3: the name "expires_at" means nothing here. Did you mean "not_after"?`,
		`4/source: is no short lower-case name. Name the system it comes from, as in "source":"whmcs".`,
		`4/mfa_required: must be true or false, not a string`,
		`5/subaccount: a contact never logs in. Put a user and a membership besides.`,
		`5/emails/security: members are always sent it, and contacts never. Leave it out.`,
		`5/email: missing`,
		`6/at: lies ahead. Leave it out for now.`,
		`6/ip: is no address. Write it as 192.0.2.7 or 2001:db8::7.`,
		`7/at: is no time. Leave it out for now.`,
		`8/kind: must be one of user, account, membership, contact, signin, not "invite". There are: user, account, membership, contact, signin.`,
		`9/kind: must be one of user, account, membership, contact, signin, not "". There are: user, account, membership, contact, signin.`,
	}
	if diff := cmp.Diff(want, texts(f.Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = readUpsert(t, "", `{"kind":"signin","user":"7","account":["42"],"ip":{},"source":["x"]}`, `{"kind":"account","id":"42","owner":{},"source":""}`)
	if !errors.As(err, &f) {
		t.Fatalf("mistyped: %v", err)
	}
	want = []string{
		`0/source: is no short lower-case name. Name the system it comes from, as in "source":"whmcs".`,
		`0/account: must be a string, not an array`,
		`0/ip: is no address. Write it as 192.0.2.7 or 2001:db8::7.`,
		`1/source: is no short lower-case name. Name the system it comes from, as in "source":"whmcs".`,
		`1/owner: must be a string, not an object`,
	}
	if diff := cmp.Diff(want, texts(f.Findings)); diff != "" {
		t.Errorf("mistyped (-want +got):\n%s", diff)
	}
	_, err = readUpsert(t, "", userAnna, acmeOwned, userDee, userAnna, annaOwns, `{"kind":"signin","user":"1"}`, `{"kind":"signin","user":"1"}`)
	if !errors.As(err, &f) {
		t.Fatalf("said twice: %v", err)
	}
	want = []string{"3: user 1 is in record 0 already. Put what both say into one.", "4: membership of user 1 in account 42 is in record 1 already. Put what both say into one."}
	if diff := cmp.Diff(want, texts(f.Findings)); diff != "" {
		t.Errorf("said twice (-want +got):\n%s", diff)
	}
}

// E3: what is not carried over is reported.
func TestWarningsOfAnUpsert(t *testing.T) {
	store := emptyStore(t)
	r := upsert(t, store, "", userDee, userAnna, acmeOwned, `{"kind":"user","id":"8","email":"x@y.example","groupid":3,"note":"n"}`,
		deeHas(`"permissions":"invoices,teleport"`), `{"kind":"membership","account":"42","user":"8","state":"removed"}`)
	want := []string{`3: ignored, because it means nothing here: "groupid", "note"`, `4: there is no permission "teleport"; it grants nothing`}
	if diff := cmp.Diff(want, texts(r.Warnings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An account's choices of mail are its owner's, whichever record makes the owner.
func TestPreferencesOfAnUpsert(t *testing.T) {
	declines := func(mail string) string {
		return fmt.Sprintf(`{"kind":"account","id":"42","name":"Acme Ltd","email_preferences":{%q:false}`, mail)
	}
	store := emptyStore(t)
	for _, c := range []struct {
		records []string
		want    string
		outcome Outcome
	}{
		{[]string{declines("domain") + `,"owner":"1"}`, userAnna}, "domain", New},
		{[]string{declines("domain") + `}`}, "domain", Unchanged},
		{[]string{declines("invoice") + `}`}, "invoice", Changed},
		{[]string{declines("general") + `}`, annaOwns}, "general", Unchanged}, // the change is of the record of the membership
		{[]string{declines("domain") + `}`, strings.Replace(annaOwns, `"permissions":null`, `"emails":{"support":false}`, 1)}, "support", Unchanged},
		{[]string{declines("domain") + `,"owner":"1"}`}, "domain", Changed},
	} {
		r := upsert(t, store, "", c.records...)
		m, err := store.Membership(context.Background(), "42", "1")
		if err != nil || !slices.Equal(m.Mail.Off, []string{c.want}) || r.Outcomes[0] != c.outcome {
			t.Errorf("%s: %+v, %+v, %v", c.records, m.Mail, r.Outcomes, err)
		}
	}
	// Whoever is the owner stays of the source they are of.
	upsert(t, store, "", userDee, `{"kind":"account","id":"42","name":"Acme Ltd","owner":"1","source":"whmcs"}`)
	if m, err := store.Membership(context.Background(), "42", "1"); err != nil || m.Origin.Source != "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A13.13, req 114: somebody who signed in is seen in the trail, and last logins move only
// forwards.
func TestSignins(t *testing.T) {
	ctx, store := context.Background(), emptyStore(t)
	upsert(t, store, "whmcs", userAnna, acmeOwned)
	const ago, toAcme = `"at":"2026-11-21T08:00:00Z"`, `"account":"42"`
	for i, c := range []struct {
		members    string
		user, acme time.Time
		outcome    Outcome
	}{
		{ago + `,` + toAcme, noon.Add(-28 * time.Hour), noon.Add(-28 * time.Hour), Changed},
		{ago + `,` + toAcme, noon.Add(-28 * time.Hour), noon.Add(-28 * time.Hour), Unchanged}, // reported twice
		{`"source":"whmcs"`, noon, noon.Add(-28 * time.Hour), Changed},
		{`"at":"2026-11-22T11:00:00+00:00",` + toAcme, noon, noon.Add(-time.Hour), Changed},
		{`"at":"2020-01-01T00:00:00Z",` + toAcme, noon, noon.Add(-time.Hour), Changed}, // late
		{`"at":"2026-11-22T12:04:59Z"`, noon.Add(299 * time.Second), noon.Add(-time.Hour), Changed},
	} {
		before := len(trail(t, store))
		r := upsert(t, store, "", `{"kind":"signin","user":"1",`+c.members+`}`)
		u, err := store.User(ctx, "1")
		m, err2 := store.Membership(ctx, "42", "1")
		if err := errors.Join(err, err2); err != nil || !u.LastLogin.Equal(c.user) || !m.LastLogin.Equal(c.acme) || r.Outcomes[0] != c.outcome {
			t.Errorf("%d: %v, %v, %+v, %v", i, u.LastLogin, m.LastLogin, r, err)
		}
		if lines := len(trail(t, store)) - before; lines != map[Outcome]int{Changed: 1}[c.outcome] {
			t.Errorf("%d: %d lines in the trail", i, lines)
		}
	}
	if _, err := tryUpsert(t, store, "", `{"kind":"signin","user":"1","source":"blesta"}`); !strings.Contains(fmt.Sprint(err), `came from the source "whmcs"`) {
		t.Errorf("of another source's user: %v", err)
	}
}

// req 113: who, what, before and after; nothing personal.
func TestTrailOfAnUpsert(t *testing.T) {
	store := emptyStore(t)
	upsert(t, store, "", userAnna, userDee, acmeOwned, deeHas(`"presets":["support"],"scope":["service:5"]`), booksOfAcme)
	before := len(trail(t, store))
	upsert(t, store, "whmcs", strings.Replace(userDee, "dev@", "dee@", 1), `{"kind":"account","id":"42","name":"Acme","status":"suspended"}`,
		deeHas(`"categories":["quotes"],"state":"removed"`), strings.Replace(booksOfAcme, "invoice", "support", 1),
		`{"kind":"signin","user":"1","account":"42","ip":"::ffff:192.0.2.7"}`, `{"kind":"signin","user":"7","ip":"192.0.2.7"}`)
	got := trail(t, store)[before:]
	ip := got[4].Detail["ip_digest"]
	by := func(action, object string, detail map[string]string) audit.Entry {
		return audit.Entry{Actor: "client:t1", Client: "t1", Action: action, Object: object, Detail: detail}
	}
	want := []audit.Entry{
		by("user.put", "user:7", map[string]string{"source": "whmcs", "before": "active", "after": "active", "address": "changed"}),
		by("account.put", "account:42", map[string]string{"source": "whmcs", "before": "active", "after": "suspended"}),
		by("membership.put", "account:42", map[string]string{"source": "whmcs", "user": "7", "before": "active presets=support scope=service:5", "after": "removed categories=quotes"}),
		by("contact.put", "account:42", map[string]string{"source": "whmcs", "contact": "9", "before": "active mail=invoice", "after": "active mail=support"}),
		by("user.signin", "user:1", map[string]string{"source": "whmcs", "account": "42", "at": "2026-11-22T12:00:00Z", "ip_digest": ip}),
		by("user.signin", "user:7", map[string]string{"source": "whmcs", "at": "2026-11-22T12:00:00Z", "ip_digest": ip}),
	}
	if diff := cmp.Diff(want, got); diff != "" || len(ip) != 32 {
		t.Errorf("%q (-want +got):\n%s", ip, diff)
	}
	for _, e := range trail(t, store) {
		for _, personal := range []string{"@", "192.0.2", "Dee", "Acme", "Ann"} {
			if text := fmt.Sprint(e); strings.Contains(text, personal) {
				t.Errorf("%s has %q", text, personal)
			}
		}
	}
}

// A record wrong at the end of a batch leaves nothing of those before it.
func TestABatchIsTakenInWholeOrNot(t *testing.T) {
	store := emptyStore(t)
	before := head(t, store)
	records := make([]string, 100)
	for i := range records {
		records[i] = fmt.Sprintf(`{"kind":"user","id":"%d","email":"u%d@x.example"}`, i, i)
	}
	for bad, is := range map[string]func(error) bool{
		`{"kind":"user","id":"57","email":"nobody"}`:                  func(err error) bool { _, ok := errors.AsType[*FaultyError](err); return ok },
		`{"kind":"membership","account":"x","user":"1","presets":[]}`: func(err error) bool { _, ok := errors.AsType[*ConflictError](err); return ok },
	} {
		records[57] = bad
		if _, err := tryUpsert(t, store, "", records...); !is(err) {
			t.Errorf("%s: %v", bad, err)
		}
		if ids, err := store.IDs(context.Background(), directory.List{Kind: directory.ListUsers}, "", 10); err != nil || len(ids) > 0 || head(t, store) != before {
			t.Errorf("%s: %v, %v", bad, ids, err)
		}
	}
	// What reads at the end and fails takes all back as well.
	u, err := readUpsert(t, "", userAnna)
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Apply(context.Background(), store, By{Actor: "x"}, func(directory.Reader) error { return directory.ErrUnavailable })
	if !errors.Is(err, directory.ErrUnavailable) || head(t, store) != before {
		t.Errorf("%v; moved %v", err, head(t, store) != before)
	}
}
