package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"doorward/internal/gate"
	"doorward/internal/portal"
)

// text draws what ids and names may be, and more.
var text = rapid.StringMatching(`[a-z"\\<é日 ]{1,6}`)

var ref = rapid.Custom(func(t *rapid.T) portal.Ref { return portal.Ref{Type: text.Draw(t, "type"), ID: text.Draw(t, "id")} })

// some draws a list; nil when it is empty.
func some[T any](t *rapid.T, of *rapid.Generator[T], name string) []T {
	if all := rapid.SliceOfN(of, 0, 3).Draw(t, name); len(all) > 0 {
		return all
	}
	return nil
}

func moment(t *rapid.T, name string) time.Time {
	if rapid.Bool().Draw(t, name+" is set") {
		return time.UnixMicro(rapid.Int64Range(-1e17, 1e17).Draw(t, name)).UTC()
	}
	return time.Time{}
}

func promoted(t *rapid.T) portal.Promoted {
	if rapid.Bool().Draw(t, "none is promoted") {
		return portal.Promoted{}
	}
	return portal.Promoted{At: portal.Revision(rapid.Uint64Min(1).Draw(t, "policy")), Digest: text.Draw(t, "digest")}
}

var anyFacts = rapid.Custom(func(t *rapid.T) (f portal.Facts) {
	f.Account.Status = rapid.SampledFrom([]portal.AccountStatus{"", portal.AccountActive, portal.AccountSuspended, portal.AccountClosed}).Draw(t, "account")
	f.Account.MFARequired = rapid.Bool().Draw(t, "mfa")
	f.User.Status = rapid.SampledFrom([]portal.UserStatus{"", portal.UserActive, portal.UserDisabled}).Draw(t, "user")
	f.User.Staff = portal.NewStaffRights(some(t, text, "staff")...)
	if rapid.Bool().Draw(t, "member") {
		f.Membership = portal.MembershipFacts{
			State: rapid.SampledFrom([]portal.MembershipState{portal.MembershipActive, portal.MembershipPending, portal.MembershipRemoved}).Draw(t, "state"),
			Owner: rapid.Bool().Draw(t, "owner"),
			Grant: &portal.Grant{
				Presets: some(t, text, "presets"), Categories: some(t, text, "categories"), Scope: some(t, ref, "scope"),
				AccountWide: some(t, text, "account-wide"), NotBefore: moment(t, "not before"), NotAfter: moment(t, "not after"),
			},
		}
		if rapid.Bool().Draw(t, "mail") {
			f.Membership.Mail = &portal.MailChoices{On: some(t, text, "on"), Off: some(t, text, "off")}
		}
	}
	if rapid.Bool().Draw(t, "contact") {
		f.Contact = &portal.ContactFacts{
			Status: rapid.SampledFrom([]portal.ContactStatus{portal.ContactActive, portal.ContactRemoved}).Draw(t, "status"),
			Mails:  some(t, text, "mails"), Scope: some(t, ref, "scope of mail"),
		}
	}
	return f
})

var anyRead = rapid.Custom(func(t *rapid.T) read {
	r := read{call: text.Draw(t, "call"), confirmed: rapid.Bool().Draw(t, "confirmed")}
	for _, s := range some(t, ref, "subjects") {
		account := rapid.OneOf(text, rapid.Just("")).Draw(t, "account")
		r.keys = append(r.keys, portal.FactKey{Account: portal.AccountID(account), Subject: s})
	}
	return r
})

var anyPosition = rapid.Custom(func(t *rapid.T) portal.Position {
	return portal.Position{
		Revision: portal.Revision(rapid.Uint64().Draw(t, "revision")),
		Tag:      portal.Tag(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "tag")),
	}
})

func must[T any](t interface{ Fatal(...any) }, value T, err error) T {
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// What is found comes out as it went in, to the microsecond and the whole tag.
func TestFoundIsCarriedWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := anyRead.Draw(t, "read")
		body, err := encodeRead(asked)
		same, err := decodeRead(must(t, body, err))
		if diff := cmp.Diff(asked, must(t, same, err), cmp.AllowUnexported(read{})); diff != "" {
			t.Fatal(diff)
		}
		want := gate.Found{
			Position: anyPosition.Draw(t, "position"), Era: gate.Era(text.Draw(t, "era")), Time: moment(t, "time"),
			Policy: promoted(t), Confirmed: asked.confirmed || rapid.Bool().Draw(t, "is confirmed"),
		}
		for range asked.keys {
			want.Facts = append(want.Facts, anyFacts.Draw(t, "facts"))
		}
		body, err = encodeFound(asked, want)
		got, err := decodeFound(must(t, body, err), asked)
		if diff := cmp.Diff(want, must(t, got, err)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// full gives every field of v a value of its own. A field of a type it does not know is
// one that nobody has thought about carrying.
func full(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch at := v.Addr().Interface().(type) {
	case *portal.AccountStatus:
		*at = portal.AccountSuspended
	case *portal.UserStatus:
		*at = portal.UserDisabled
	case *portal.MembershipState:
		*at = portal.MembershipPending
	case *portal.ContactStatus:
		*at = portal.ContactRemoved
	case *portal.StaffRights:
		*at = "staff.login_as,staff.read"
	case *time.Time:
		*at = time.UnixMicro(int64(*n)).UTC()
	case *[]string:
		*at = []string{fmt.Sprint("a", *n), "b"}
	case *[]portal.Ref:
		*at = []portal.Ref{{Type: "service", ID: fmt.Sprint(*n)}}
	case *bool:
		*at = true
	default:
		switch v.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			full(t, v.Elem(), n)
		case reflect.Struct:
			for i := range v.NumField() {
				full(t, v.Field(i), n)
			}
		default:
			t.Fatalf("nothing is known of %s", v.Type())
		}
	}
}

func fullFacts(t *testing.T) (f portal.Facts) {
	t.Helper()
	n := 0
	full(t, reflect.ValueOf(&f).Elem(), &n)
	return f
}

var (
	anna = portal.FactKey{Account: "acme", Subject: portal.Ref{Type: "user", ID: "anna"}}
	one  = read{call: "c", keys: []portal.FactKey{anna}}
)

// Whoever adds a field to facts has to carry it.
func TestEveryFieldOfFactsIsCarried(t *testing.T) {
	want := gate.Found{Facts: []portal.Facts{fullFacts(t)}}
	body, err := encodeFound(one, want)
	got, err := decodeFound(must(t, body, err), one)
	if diff := cmp.Diff(want, must(t, got, err)); diff != "" {
		t.Error(diff)
	}
}

// objects are all objects in a value.
func objects(v any) (all []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		all = append(all, v)
		for _, member := range v {
			all = append(all, objects(member)...)
		}
	case []any:
		for _, item := range v {
			all = append(all, objects(item)...)
		}
	}
	return all
}

// Facts of which any member was lost are not read: a grant without its scope would be one
// for the whole account. What a newer directory adds is ignored, unless it says that it
// must be understood.
func TestFactsThatAreNotUnderstoodAreNotBelieved(t *testing.T) {
	body, err := encodeFound(one, gate.Found{Facts: []portal.Facts{fullFacts(t)}})
	body = must(t, body, err)
	var whole any
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	decode := func() error {
		changed, err := json.Marshal(whole)
		_, err = decodeFound(must(t, changed, err), one)
		return err
	}
	all := objects(whole)
	if len(all) != 8 {
		t.Fatalf("%d objects", len(all))
	}
	for _, object := range all {
		for name, value := range maps.Clone(object) {
			delete(object, name)
			if err := decode(); err == nil {
				t.Errorf("without %s it is read", name)
			}
			object[name] = value
		}
		object["unheard_of"] = map[string]any{"requires": 1}
		if err := decode(); err != nil {
			t.Errorf("a member more: %v", err)
		}
		for _, requires := range []any{[]any{"unheard_of"}, []any{1}, "unheard_of", nil, map[string]any{}} {
			object["requires"] = requires
			if err := decode(); err == nil {
				t.Errorf("requires %v is read", requires)
			}
		}
		object["requires"] = []any{}
		if err := decode(); err != nil {
			t.Errorf("nothing is required: %v", err)
		}
		delete(object, "requires")
		delete(object, "unheard_of")
	}
}

// An answer to another read, and one that says less than was asked, are errors.
func TestFactsOfAnotherRead(t *testing.T) {
	found := gate.Found{Facts: []portal.Facts{fullFacts(t)}}
	body, err := encodeFound(one, found)
	body = must(t, body, err)
	bob := portal.FactKey{Account: "acme", Subject: portal.Ref{Type: "user", ID: "bob"}}
	for name, r := range map[string]read{
		"another call":    {call: "d", keys: one.keys},
		"another key":     {call: "c", keys: []portal.FactKey{bob}},
		"another account": {call: "c", keys: []portal.FactKey{{Account: "Acme", Subject: anna.Subject}}}, // S14
		"more keys":       {call: "c", keys: []portal.FactKey{anna, bob}},
		"no keys":         {call: "c"},
		"confirmed":       {call: "c", keys: one.keys, confirmed: true},
	} {
		if got, err := decodeFound(body, r); err == nil || got.Facts != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for was, is := range map[string]string{
		`"version":1`:                  `"version":2`,
		`"status":"suspended"`:         `"status":"frozen"`,
		`"state":"pending"`:            `"state":"Active"`,
		`"state":"pending",`:           `"state":"pending","state":"active",`, // S40
		`"not_after_us":`:              `"not_after_us":-62135596800000000,"x":`,
		`"not_before_us":`:             `"not_before_us":1.5,"x":`,
		`"scope":[["service",`:         `"scope":[["service","1",`,
		`"position":"0.`:               `"position":"-1.`,
		`"policy":0`:                   `"policy":18446744073709551616`, // S40
		`"staff":"`:                    `"staff":null,"x":"`,
		`"facts":[`:                    `"facts":[{},`,
		`"call":"c"`:                   `"call":"c"}`, // S40
		`"owner":true`:                 `"owner":1`,
		`"presets":[`:                  `"presets":[null,`,
		`"subject":["user"`:            `"subject":["` + strings.Repeat("x", 257) + `"`,
		`"era":""`:                     "\"era\":\"\xff\"",                                                                    // S40
		`"membership":{"state"`:        `"membership":{"x":` + strings.Repeat("[", 17) + strings.Repeat("]", 17) + `,"state"`, // S41
		strings.Repeat("0", 64) + `",`: strings.Repeat("0", 62) + `",`,
	} {
		changed := strings.Replace(string(body), was, is, 1)
		if _, err := decodeFound([]byte(changed), one); changed == string(body) || err == nil {
			t.Errorf("%s is read", is)
		}
	}
}

// A text that is not UTF-8 is not sent: repaired it would name somebody else.
func TestWhatIsNotTextIsNotSent(t *testing.T) {
	for _, id := range []string{"\xff", "a\xc3"} {
		if _, err := encodeRead(read{keys: []portal.FactKey{{Account: portal.AccountID(id)}}}); err == nil {
			t.Errorf("%q was written", id)
		}
	}
}

// Whatever comes, reading it ends in facts of the keys asked for, or in an error, and what
// is read is written and read alike.
func FuzzFound(f *testing.F) {
	body, err := encodeFound(one, gate.Found{Facts: []portal.Facts{{Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{
		Scope: []portal.Ref{{Type: "service", ID: "1"}}, NotAfter: time.UnixMicro(1).UTC()}}, Contact: &portal.ContactFacts{Status: portal.ContactActive}}}})
	f.Add(must(f, body, err))
	f.Add([]byte(`{"version":1,"call":"c","requires":["x"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeFound(body, one)
		if err != nil {
			return
		}
		again, err := encodeFound(one, got)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := decodeFound(again, one); err != nil || !cmp.Equal(got, same) {
			t.Fatalf("%v: %s", err, cmp.Diff(got, same))
		}
	})
}

// FuzzRead is the same of what a directory reads.
func FuzzRead(f *testing.F) {
	body, err := encodeRead(one)
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeRead(body)
		if err != nil {
			return
		}
		again, err := encodeRead(got)
		if err != nil || len(got.keys) > maxKeys {
			t.Fatal(len(got.keys), err)
		}
		if same, err := decodeRead(again); err != nil || !cmp.Equal(got, same, cmp.AllowUnexported(read{})) {
			t.Fatalf("%v: %+v", err, same)
		}
	})
}

// A fault has its place, and nothing of the sender's but quoted (S42).
func TestAFaultHasItsPlace(t *testing.T) {
	_, err := decodeRead([]byte(`{"call":"c","confirmed":false,"keys":[{"account":"a","subject":["user","u"]},{"account":"a","subject":["user"]}]}`))
	if f, ok := errors.AsType[*fault](err); !ok || f.pointer != "/keys/1/subject" {
		t.Errorf("%v", err)
	}
	_, err = decodeRead([]byte(`{"requires":["x\n\u001b[31m"]}`))
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("%q", err)
	}
}
