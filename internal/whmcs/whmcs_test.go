package whmcs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/ijson"
	"doorward/internal/whmcs"
)

var update = flag.Bool("update", false, "rewrite testdata/records.jsonl")

// line writes a record as a line of an import file.
func line(r whmcs.Record) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	var write func(ijson.Value)
	write = func(v ijson.Value) {
		switch v.Kind() {
		case ijson.Object:
			for i, m := range v.Members() {
				b.WriteByte("{,"[min(i, 1)])
				_ = e.Encode(m.Name)
				b.WriteByte(':')
				write(m.Value)
			}
			if len(v.Members()) == 0 {
				b.WriteByte('{')
			}
			b.WriteByte('}')
		case ijson.Bool:
			b.WriteString(v.Text())
		default:
			_ = e.Encode(v.Text())
		}
	}
	write(r.Value)
	return strings.ReplaceAll(b.String(), "\n", "")
}

// An outcome is all that comes of reading an export.
type outcome struct {
	records  []whmcs.Record
	lines    string
	warnings map[string][]int
	err      error
}

func read(name, text string, o whmcs.Options) outcome {
	got := outcome{warnings: map[string][]int{}}
	o.Warn = func(line int, message string) { got.warnings[message] = append(got.warnings[message], line) }
	for r, err := range whmcs.Records(name, strings.NewReader(text), o) {
		if err != nil {
			got.err = err
			continue
		}
		got.records = append(got.records, r)
		got.lines += line(r) + "\n"
	}
	return got
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var london = whmcs.Options{Timezone: "Europe/London", InviteTTL: 168 * time.Hour}

// What MariaDB's tools wrote of one portal is read as the same records, whichever tool
// wrote it (E1, E3). Only what the statement changes differs.
func TestRealExports(t *testing.T) {
	selected := read("select.xml", testdata(t, "select.xml"), london)
	if selected.err != nil || len(selected.warnings) != 1 {
		t.Fatalf("select.xml: %v, %v", selected.err, selected.warnings)
	}
	if *update {
		if err := os.WriteFile("testdata/records.jsonl", []byte(selected.lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := testdata(t, "records.jsonl")
	if diff := cmp.Diff(want, selected.lines); diff != "" {
		t.Errorf("select.xml (-want +got):\n%s", diff)
	}
	dumped := read("dump.xml", testdata(t, "dump.xml"), london)
	if dumped.err != nil {
		t.Fatal(dumped.err)
	}
	// A line break in a text.
	if diff := cmp.Diff(want, strings.ReplaceAll(dumped.lines, `\n`, " ")); diff != "" {
		t.Errorf("dump.xml (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]int{
		`rows of the table "tblinvoices" are not imported`:       {13, 20},
		"email_preferences is not a JSON object; it is left out": {223},
	}, dumped.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// 0000-00-00, NULL and no text are no time; a date is the beginning of its day (E3).
// A time is left as it stands: its zone is the meta record's.
func TestRecordsSayWhatTheColumnsSay(t *testing.T) {
	for _, c := range []struct{ table, columns, want, warning string }{
		{"tblusers", "last_login=0000-00-00 00:00:00|created_at=|email_verified_at=NULL", `"last_login":`, ""},
		{"tblusers", "created_at=2020-12-15 15:29:49", `!"created_at":"2020-12-15 15:29:49"`, ""},
		{"tblusers", "second_factor=duosecurity", `!"second_factor":"yes"`, ""},
		{"tblusers", "second_factor=", `!"second_factor":""`, ""},
		{"tblclients", "companyname=  |firstname= Bob|lastname=", `!"name":"Bob"`, ""},
		{"tblclients", "created_at=0000-00-00 00:00:00|datecreated=2019-01-02", `!"created_at":"2019-01-02 00:00:00"`, ""},
		{"tblclients", "created_at=0000-00-00 00:00:00|datecreated=0000-00-00", `"created_at"`, ""},
		{"tblclients", "billingcid=0", `"billing_contact"`, ""},
		{"tblclients", `email_preferences={"invoice":"0","domain":true,"general":1,"support":""}`,
			`!"email_preferences":{"invoice":false,"domain":true,"general":true,"support":false}`, ""},
		{"tblclients", `email_preferences={"invoice":"0","news":"1"}`, `!"email_preferences":{"invoice":false}`, `has "news"`},
		{"tblclients", `email_preferences={}`, `!"email_preferences":{}`, ""},
		{"tblclients", `email_preferences=a:1:{s:7:"general";s:1:"1";}`, `"email_preferences"`, "is not a JSON object"},
		{"tblclients", `email_preferences={"invoice":"maybe"}`, `"email_preferences"`, "something else than yes and no"},
		{"tblclients", `email_preferences={"invoice":{}}`, `"email_preferences"`, "something else than yes and no"},
		{"tblclients", "email_preferences=NULL", `"email_preferences"`, ""},
		{"tblusers_clients", "owner=NULL|permissions=NULL|invite_id=0", `!"owner":false`, ""},
		{"tblusers_clients", "permissions=NULL", `"permissions"`, ""},
		{"tblusers_clients", "permissions= Products,manageProducts,x", `!"permissions":" Products,manageProducts,x"`, ""},
		{"tblusers_clients", "invite_id=55", `!"invite":"55"`, ""},
		// userid is the client in the older tables.
		{"tblcontacts", "userid=42", `!"account":"42"`, ""},
		{"tblactivitylog", "userid=42|user_id=7|admin_id=0|user=x", `!"account":"42","user":"7","text"`, ""},
		{"tblcontacts", "subaccount=0|permissions=tickets", `"permissions"`, ""},
		{"tblcontacts", "subaccount=1|permissions=tickets", `!"subaccount":true,"permissions":"tickets"`, ""},
		// An administrator's id is not taken for a user's.
		{"tbluser_invites", "invited_by=3|invited_by_admin=1", `"invited_by"`, ""},
		{"tbluser_invites", "invited_by=3|invited_by_admin=1", `!"by_staff":true`, ""},
		{"tbluser_invites", "invited_by=3|invited_by_admin=0", `!"invited_by":"3","by_staff":false`, ""},
		{"tbluser_invites", "accepted_at=NULL", `"accepted_at"`, ""},
	} {
		got := read("x", export(edited(c.table, c.columns)), whmcs.Options{})
		if got.err != nil {
			t.Errorf("%s %s: %v", c.table, c.columns, got.err)
			continue
		}
		last := line(got.records[len(got.records)-1])
		if want, has := strings.CutPrefix(c.want, "!"); strings.Contains(last, want) != has {
			t.Errorf("%s %s: %s", c.table, c.columns, last)
		}
		warned := ""
		for message := range got.warnings {
			if !strings.Contains(message, "is not in the file") {
				warned += message
			}
		}
		if (c.warning == "") != (warned == "") || !strings.Contains(warned, c.warning) {
			t.Errorf("%s %s: warned %q, want %q", c.table, c.columns, warned, c.warning)
		}
	}
}

// Passwords, tokens, security answers and the secrets of second factors are in dump.xml,
// marked, and in no record, no warning and no error (E3).
func TestSecretsAreInNoRecord(t *testing.T) {
	text := testdata(t, "dump.xml")
	for _, column := range []string{
		"password", "second_factor_config", "remember_token", "reset_token", "security_question_answer", "email_verification_token",
		"authdata", "securityqans", "cardnum", "pwresetkey", "token",
	} {
		if !regexp.MustCompile(`<field name="` + column + `">[^<]*SECRET`).MatchString(text) {
			t.Errorf("dump.xml has no secret in the column %s", column)
		}
	}
	got := read("dump.xml", text, london)
	for _, r := range got.records {
		if said := line(r); strings.Contains(said, "SECRET") {
			t.Errorf("line %d: %s", r.Line, said)
		}
	}
	// Nor in what is said of rows that are wrong.
	broken := strings.NewReplacer(`<field name="owner">`, `<field name="owner">7`, "{&quot;general", "{SECRET&quot;").Replace(text)
	got = read("dump.xml", broken, london)
	if got.err == nil || strings.Contains(got.err.Error(), "SECRET") {
		t.Errorf("%v", got.err)
	}
	for message := range got.warnings {
		if strings.Contains(message, "SECRET") {
			t.Errorf("warned: %s", message)
		}
	}
}

// The statements of docs/import.md are those that select.xml was made with: they have
// all the columns that are read, and none with a secret.
func TestThePageHasTheStatements(t *testing.T) {
	page, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	statements := regexp.MustCompile(`<resultset statement="([^"]*)"`).FindAllStringSubmatch(testdata(t, "select.xml"), -1)
	if len(statements) != 6 {
		t.Errorf("select.xml has %d statements, want 6", len(statements))
	}
	for _, s := range statements {
		if !strings.Contains(string(page), "\n"+strings.TrimSpace(s[1])+";") {
			t.Errorf("docs/import.md has no\n%s;", s[1])
		}
	}
	for _, secret := range []string{"password", "token", "config", "security", "answer", "pwreset", "auth" + "data"} {
		for _, s := range statements {
			if strings.Contains(s[1], secret) {
				t.Errorf("%s is selected: %s", secret, s[1])
			}
		}
	}
}

// Whoever reads on no further is not read for: a file may be endless.
func TestRecordsComeWhileTheFileIsRead(t *testing.T) {
	head, row, _ := strings.Cut(export(edited("tblusers", "")), "<row>")
	row = "<row>" + row[:strings.Index(row, "</row>")] + "</row>"
	endless := io.MultiReader(strings.NewReader(head), &repeated{text: row})
	n := 0
	for r, err := range whmcs.Records("x", endless, whmcs.Options{}) {
		if n++; err != nil || n == 5000 {
			if r.Value.Get("id").Text() != "1" || err != nil {
				t.Errorf("record %d: %v", n, err)
			}
			break
		}
	}
	if n != 5000 {
		t.Errorf("%d records", n)
	}
}

// repeated is a text without end.
type repeated struct {
	text string
	at   int
}

// Read reads on.
func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}
