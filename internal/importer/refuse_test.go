package importer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"doorward/internal/directory"

	"github.com/google/go-cmp/cmp"
)

// Every refusal says where and what to do. Lines of the file begin at 2, below
// the meta line.
func TestUnsoundFilesAreRefused(t *testing.T) {
	account := func(members string) string { return `{"kind":"account","id":"50",` + members + `}` }
	contact := func(members string) string { return `{"kind":"contact","id":"9","account":"42",` + members + `}` }
	for _, c := range []struct {
		lines []string
		want  string
	}{
		// JSON (S40, S41)
		{[]string{`{"kind":"user"`}, `export.jsonl:2:15: the text ends before the JSON value does. Each line is one JSON object.`},
		{[]string{`{"kind":"user","id":"1","id":"2"}`}, `export.jsonl:2:25: "/id": this name occurs twice in one object. Each line is one JSON object.`},
		{[]string{`{"kind":"user"} {}`}, `export.jsonl:2:16: something follows after the JSON value; send exactly one. Each line is one JSON object.`},
		{[]string{`{"kind":"user","note":"` + strings.Repeat("x", maxLine) + `"}`}, `export.jsonl:2: the line is longer than 65536 bytes. Export one record a line.`},
		// kinds
		{[]string{`{"id":"1"}`}, `export.jsonl:2: /kind: must be a string, not nothing. Each line says what it is, as in "kind":"user".`},
		{[]string{`{"kind":"acount"}`}, `export.jsonl:2: /kind: there is no kind "acount". Did you mean "account"?`},
		{[]string{`{"kind":"User"}`}, `export.jsonl:2: /kind: there is no kind "User". Did you mean "user"?`},
		{[]string{metaLine}, `export.jsonl:2: a second meta line; the first is in line 1. Import files one by one.`},
		// members
		{[]string{`{"kind":"user","id":7,"email":"a@b.example"}`}, `export.jsonl:2: /id: ids are strings, not numbers. Write "7".`},
		{[]string{`{"kind":"user","email":"a@b.example"}`}, `export.jsonl:2: /id: must be a string, not nothing`},
		{[]string{`{"kind":"user","id":"a b","email":"a@b.example"}`}, `export.jsonl:2: /id: "a b" cannot be an id. Use 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ and -.`},
		{[]string{`{"kind":"user","id":"1","email":"a@b.example","first_name":"A\nB"}`}, `export.jsonl:2: /first_name: has a control character. Take out line breaks and tabs.`},
		{[]string{`{"kind":"user","id":"1","email":"a@b.example","last_name":["B"]}`}, `export.jsonl:2: /last_name: must be a string, not an array`},
		{[]string{`{"kind":"user","id":"1","email":"a@b.example","status":"dsabled"}`}, `export.jsonl:2: /status: "dsabled" is not known. Write one of: active, disabled.`},
		{[]string{`{"kind":"user","id":"1","email":"a@b.example","created_at":"yesterday"}`}, `export.jsonl:2: /created_at: "yesterday" is not a time. Write it as 2026-01-31T12:00:00Z, or as 2026-01-31 12:00:00 in the zone of the meta line.`},
		{[]string{userAnna, account(`"mfa_required":"yes"`)}, `export.jsonl:3: /mfa_required: must be true or false, not a string`},
		{[]string{userAnna, account(`"name":"` + strings.Repeat("x", maxText+1) + `"`)}, `export.jsonl:3: /name: longer than 512 bytes. Shorten it.`},
		// slips of the pen that would change rights
		{[]string{userAnna, account(`"mfa_requred":true`)}, `export.jsonl:3: the name "mfa_requred" means nothing here. Did you mean "mfa_required"?`},
		{[]string{deeHas(`"permisions":"invoices"`)}, `export.jsonl:2: the name "permisions" means nothing here. Did you mean "permissions"?`},
		{[]string{deeHas(`"Owner":true`)}, `export.jsonl:2: the name "Owner" means nothing here. Did you mean "owner"?`},
		// grants
		{[]string{deeHas(`"presets":["biling"]`)}, `export.jsonl:2: /presets/0: there is no preset "biling". Did you mean "billing"?`},
		{[]string{deeHas(`"presets":["owner"]`)}, `export.jsonl:2: /presets/0: only the owner is the owner. Write "owner":true for the one owner, or choose another preset.`},
		{[]string{deeHas(`"presets":"billing"`)}, `export.jsonl:2: /presets: must be a list of strings, not a string`},
		{[]string{deeHas(`"categories":["tickets","invoces"]`)}, `export.jsonl:2: /categories/1: there is no category "invoces". Did you mean "invoices"?`},
		{[]string{deeHas(`"categories":["ownership"]`)}, `export.jsonl:2: /categories/0: ownership belongs to the owner alone. Leave it out.`},
		{[]string{deeHas(`"permissions":"[\"invoices\""`)}, `export.jsonl:2: /permissions: not a list: "the text ends before the JSON value does (byte 11)". Write keys with commas between them, or a JSON array.`},
		{[]string{deeHas(`"scope":["5"]`)}, `export.jsonl:2: /scope/0: "5" does not name a resource. Write type:id, as in service:5.`},
		{[]string{deeHas(`"scope":["sevice:5"]`)}, `export.jsonl:2: /scope/0: nothing is limited to things of type "sevice". Did you mean "service"?`},
		{[]string{deeHas(`"scope":["none:1"]`)}, `export.jsonl:2: /scope/0: nothing is limited to things of type "none". There are: service, domain.`},
		{[]string{deeHas(`"scope":[]`)}, `export.jsonl:2: /scope: lists nothing. Leave it out for the whole account.`},
		{[]string{deeHas(`"scope":null`)}, `export.jsonl:2: /scope: lists nothing. Leave it out for the whole account.`},
		{[]string{contact(`"email":"books@acme.example","scope":null`)}, `export.jsonl:2: /scope: lists nothing. Leave it out for the whole account.`},
		{[]string{deeHas(`"expires_at":"2026-02-01T00:00:00Z"`)}, `export.jsonl:2: the name "expires_at" means nothing here. Did you mean "not_after"?`},
		{[]string{deeHas(`"Expires":"2026-02-01"`)}, `export.jsonl:2: the name "Expires" means nothing here. Did you mean "not_after"?`},
		{[]string{deeHas(`"valid_until":null`)}, `export.jsonl:2: the name "valid_until" means nothing here. Did you mean "not_after"?`},
		{[]string{deeHas(`"expiresAt":"2026-02-01"`)}, `export.jsonl:2: the name "expiresAt" means nothing here. Did you mean "not_after"?`},
		{[]string{deeHas(`"expiry":"2026-02-01"`)}, `export.jsonl:2: the name "expiry" means nothing here. Did you mean "not_after"?`},
		{[]string{deeHas(`"deleted_at":"2026-02-01"`)}, `export.jsonl:2: the name "deleted_at" means nothing here. Did you mean "state"?`},
		{[]string{deeHas(`"status":"removed"`)}, `export.jsonl:2: the name "status" means nothing here. Did you mean "state"?`},
		{[]string{`{"kind":"user","id":"9","email":"a@b.example","state":"Disabled"}`}, `export.jsonl:2: the name "state" means nothing here. Did you mean "status"?`},
		{[]string{account(`"state":"closed"`)}, `export.jsonl:2: the name "state" means nothing here. Did you mean "status"?`},
		{[]string{contact(`"email":"books@acme.example","state":"removed"`)}, `export.jsonl:2: the name "state" means nothing here. Did you mean "status"?`},
		{[]string{strings.Replace(inviteNew, `"permissions"`, `"status":"revoked","permissions"`, 1)}, `export.jsonl:2: the name "status" means nothing here. Did you mean "deleted_at"?`},
		{[]string{strings.Replace(inviteNew, `"permissions"`, `"revoked_at":null,"permissions"`, 1)}, `export.jsonl:2: the name "revoked_at" means nothing here. Did you mean "deleted_at"?`},
		{[]string{deeHas(`"not_before":"2026-02-01T00:00:00Z","not_after":"2026-02-01T00:00:00Z"`)}, `export.jsonl:2: /not_after: the grant is never in force. Let it end after it begins.`},
		{[]string{deeHas(`"owner":true,"not_after":"2026-02-01T00:00:00Z"`)}, `export.jsonl:2: /not_after: the owner holds everything, always. Leave it out.`},
		{[]string{deeHas(`"owner":true,"state":"removed"`)}, `export.jsonl:2: /state: the owner's membership is always active. Leave it out.`},
		{[]string{deeHas(`"scope":["service:5"],"account_wide":["ownership"]`)}, `export.jsonl:2: /account_wide/0: ownership belongs to the owner alone. Leave it out.`},
		{[]string{deeHas(`"scope":["service:5"],"account_wide":["tickts"]`)}, `export.jsonl:2: /account_wide/0: there is no category "tickts". Did you mean "tickets"?`},
		{[]string{deeHas(`"presets":["developer"],"account_wide":["tickets"]`)}, `export.jsonl:2: /account_wide: there is no scope. Add the scope that the rest is limited to, or write them in categories.`},
		{[]string{deeHas(`"owner":true,"account_wide":["tickets"]`)}, `export.jsonl:2: /account_wide: the owner holds everything, always. Leave it out.`},
		// mail
		{[]string{deeHas(`"emails":["invoice"]`)}, `export.jsonl:2: /emails: must be an object, not an array. Write it as {"invoice":true,"domain":false}.`},
		{[]string{deeHas(`"emails":{"invoice":"yes"}`)}, `export.jsonl:2: /emails/invoice: must be true or false, not a string`},
		{[]string{deeHas(`"emails":{"invoices":true}`)}, `export.jsonl:2: /emails: there is no mail category "invoices". Did you mean "invoice"?`},
		{[]string{deeHas(`"emails":{"security":false}`)}, `export.jsonl:2: /emails/security: members are always sent it, and contacts never. Leave it out.`},
		{[]string{account(`"email_preferences":{"Invoice":false}`)}, `export.jsonl:2: /email_preferences: there is no mail category "Invoice". Did you mean "invoice"?`},
		{[]string{account(`"email_prefrences":{"invoice":false}`)}, `export.jsonl:2: the name "email_prefrences" means nothing here. Did you mean "email_preferences"?`},
		// contacts
		{[]string{contact(`"email":"books@acme.example","emails":{"security":true}`)}, `export.jsonl:2: /emails/security: members are always sent it, and contacts never. Leave it out.`},
		{[]string{contact(`"email":"books@acme.example","status":"closed"`)}, `export.jsonl:2: /status: "closed" is not known. Write one of: active, removed.`},
		{[]string{contact(`"email":"books@acme.example","emials":{"invoice":true}`)}, `export.jsonl:2: the name "emials" means nothing here. Did you mean "emails"?`},
		{[]string{contact(`"email":"books@acme.example","scope":["invoice:5"]`)}, `export.jsonl:2: /scope/0: nothing is limited to things of type "invoice". There are: service, domain.`},
		{[]string{contact(`"email":"books@acme.example","subaccount":"no"`)}, `export.jsonl:2: /subaccount: must be true or false, not a string`},
		{[]string{`{"kind":"contact","email":"books@acme.example","account":"42"}`}, `export.jsonl:2: /id: must be a string, not nothing`},
		{[]string{`{"kind":"contact","id":"9","email":"books@acme.example"}`}, `export.jsonl:2: /account: must be a string, not nothing`},
		{[]string{userAnna, accountAcme, annaOwns, booksOfAcme, booksOfAcme}, `export.jsonl:6: /id: contact 9 is already in line 5. Ids are unique within the file.`},
		// how lines fit together
		{[]string{userAnna, userAnna}, `export.jsonl:3: /id: user 1 is already in line 2. Ids are unique within the file.`},
		{[]string{userAnna, accountAcme, accountAcme, annaOwns}, `export.jsonl:4: /id: account 42 is already in line 3. Ids are unique within the file.`},
		{[]string{userAnna, accountAcme, annaOwns, annaOwns}, `export.jsonl:5: /id: membership 310 is already in line 4. Ids are unique within the file.`},
		{[]string{userAnna, accountAcme, annaOwns, strings.Replace(annaOwns, "310", "999", 1)}, `export.jsonl:5: user 1 is already a member of account 42 in line 4. Put what both grant into one.`},
	} {
		got := strings.Join(faultsOf(t, file(c.lines...)), "\n")
		if !strings.Contains("\n"+got+"\n", "\n"+c.want+"\n") {
			t.Errorf("%s\n got %s\nwant %s", strings.Join(c.lines, "\n"), got, c.want)
		}
	}
}

// Names and values are others' bytes: they come out escaped (S42).
func TestMessagesCannotForgeLines(t *testing.T) {
	got := strings.Join(faultsOf(t, file(`{"kind":"x\n\u001b[31mexport.jsonl:9: all is well\u202e"}`)), "\n")
	want := `export.jsonl:2: /kind: there is no kind "x\n\x1b[31mexport.jsonl:9: all is well\u202e". ` +
		`There are: user, account, membership, contact, invite, history, meta.`
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestMetaLine(t *testing.T) {
	for _, c := range []struct{ meta, want string }{
		{``, `export.jsonl: there is no meta line. Begin it with {"kind":"meta","format":"doorward-import/1","source":"…"}.`},
		{`{"kind":"meta","format":"doorward-import/2","source":"x"}`, `export.jsonl:1: /format: cannot read "doorward-import/2". This version reads "doorward-import/1".`},
		{`{"kind":"meta","source":"x"}`, `export.jsonl:1: /format: cannot read "". This version reads "doorward-import/1".`},
		{`{"kind":"meta","format":"doorward-import/1","source":"Mr X"}`, `export.jsonl:1: /source: missing, or not a short lower-case name. Name the system it comes from, as in "source":"whmcs".`},
		{`{"kind":"meta","format":"doorward-import/1","source":"x","timezone":"Local"}`, `export.jsonl:1: /timezone: there is no time zone "Local". Use an IANA name, as in "Europe/London".`},
		{"\ufeff" + metaLine, `export.jsonl:1: the file begins with a byte order mark. Save the file as UTF-8 without it.`},
	} {
		got := faultsOf(t, c.meta+"\n"+userAnna+"\n")
		if diff := cmp.Diff([]string{c.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.meta, diff)
		}
	}
}

// A faulty line is reported once; what refers to it is not called an orphan.
func TestOneSlipIsOneFault(t *testing.T) {
	got := faultsOf(t, file(strings.Replace(userAnna, `"1"`, `1`, 1), accountAcme, annaOwns))
	if diff := cmp.Diff([]string{`export.jsonl:2: /id: ids are strings, not numbers. Write "1".`}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	got := faultsOf(t, file(strings.Repeat("nonsense\n", 5*maxFaults)))
	if len(got) != maxFaults+1 || got[0] != fmt.Sprintf("export.jsonl: reading stopped at %d faults. Mend these and try again.", maxFaults) {
		t.Errorf("%d faults, the first %q", len(got), got[0])
	}
	// What was not read may have the meta line.
	if late := faultsOf(t, strings.Repeat("nonsense\n", 2*maxFaults)+metaLine); len(late) != maxFaults+1 || late[0] != got[0] {
		t.Errorf("%d faults, the first %q", len(late), late[0])
	}
}

func TestUnreadableFilesAreNoFaults(t *testing.T) {
	broken := errors.New("disk on fire")
	cat, table := shipped(t)
	from := io.MultiReader(strings.NewReader(metaLine+"\n"), iotest.ErrReader(broken))
	_, err := Read(t.Context(), "export.jsonl", from, Words{Catalogue: cat, Presets: table}, Options{})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "read export.jsonl: ") {
		t.Errorf("got %v", err)
	}
}

// S33, S34.
func TestAddresses(t *testing.T) {
	for _, s := range []string{
		"a@b", "anna@acme.example", "anna+portal@acme.example", "o'hara@acme.example", "jürgen@bücher.example", "mıke@acme.example",
	} {
		if why := emailFault(s); why != "" {
			t.Errorf("%q is refused: %s", s, why)
		}
	}
	for _, s := range []string{
		"", "anna", "@acme.example", "anna@", "a@b@c.example", `"a@b"@c.example`, `Bob <bob@acme.example>`, "<bob@acme.example>",
		"a@b.example,c@d.example", "a@b.example;c@d.example", "a@b.example\r\nBcc: x@y.example", "a@b.example\n", " a@b.example",
		"a b@c.example", "a\x00@b.example", "a@b..example", "a@.example", "a@b.example.", "a@-b.example", "a@b_c.example",
		"a@[127.0.0.1]", "a(comment)@b.example", ".a@b.example", "a..b@c.example", "a\u200b@b.example", "a\u202e@b.example", "a@b.example\xff",
		strings.Repeat("a", 65) + "@b.example", "a@" + strings.Repeat("b", 64) + ".example", "a@" + strings.Repeat("b.", 130) + "example",
	} {
		if emailFault(s) == "" {
			t.Errorf("%q is taken", s)
		}
	}
}

func FuzzRead(f *testing.F) {
	cat, table := shipped(f)
	f.Add(file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"permissions":"invoices,orders"`)))
	f.Add(file(deeHas(`"presets":["billing"],"categories":["mail:invoice"],"scope":["service:5"],"not_after":"0000-00-00"`)))
	f.Add(userAnna + "\r\n\n" + metaLine)
	f.Add(file(userAnna, userDee, accountAcme, annaOwns, booksOfAcme, deeHas(`"scope":["service:5"],"account_wide":["tickets"],"emails":{"domain":0}`)))
	f.Add(file(userAnna, `{"kind":"account","id":"42","email_preferences":{"invoice":false}}`, annaOwns, `{"kind":"contact","id":"9","account":"42","status":"removed"}`))
	f.Add(file(userAnna, userDee, accountAcme, annaOwns, deeHas(`"scope":null,"expires_at":0,"state":null`)))
	f.Add(portalOf(`,"status":null,"second_factor":""`, `,"mfa_required":0`, `,"state":"removed"`, `,"status":""`))
	f.Add(file(`{"kind":"contact"}`, `{"kind":"user","id":"\ud800"}`, "\xff", `[]`))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read(t.Context(), "fuzz.jsonl", strings.NewReader(text), Words{Catalogue: cat, Presets: table}, Options{})
		if (p == nil) == (err == nil) {
			t.Fatal("a plan and faults, or neither")
		}
		if err != nil {
			return
		}
		defer p.Close()
		for _, a := range planned(t, p) {
			checkPlanned(t, a)
		}
	})
}

// checkPlanned holds what no file can bring about: an account without its one
// owner, last in line (req 4), or somebody else with an owner's rights.
func checkPlanned(t *testing.T, a accountPlan) {
	t.Helper()
	for i, m := range a.members {
		if m.Account != a.account.ID {
			t.Errorf("%s is among the members of %s", m.Account, a.account.ID)
		}
		if m.Owner != (i == len(a.members)-1) {
			t.Errorf("member %d of %d: owner is %v", i, len(a.members), m.Owner)
		}
		for _, name := range slices.Concat(m.Grant.Presets, m.Grant.Categories, m.Grant.AccountWide) {
			if !m.Owner && (name == ownerPreset || name == "ownership" || name == "security") {
				t.Errorf("%s is given %s", m.User, name)
			}
		}
	}
	if len(a.members) == 0 {
		t.Errorf("%s has no owner", a.account.ID)
	}
	for _, c := range a.contacts {
		if c.Account != a.account.ID || slices.Contains(c.Mails, securityMail) || directory.CheckContact(c.Contact) != nil {
			t.Errorf("%+v is among the contacts of %s", c, a.account.ID)
		}
	}
}
