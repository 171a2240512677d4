package whmcs_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"doorward/internal/fault"
	"doorward/internal/whmcs"
)

// xsi is what MySQL's tools declare.
const xsi = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`

// results are the rows of tblusers as mysql --xml writes them.
func results(rows string) string {
	return `<?xml version="1.0"?>` + "\n" + `<resultset statement="SELECT id FROM tblusers"` + xsi + `>` + rows + `</resultset>`
}

// What is no export of these tools is refused with its line. A zip bomb of entities, a
// file pulled in, and nesting without end are no export (S41).
func TestUnsoundExportsAreRefused(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct{ what, text, want string }{
		{"nothing", "", "x:1: the table tblusers is missing"},
		{"another format", `{"kind":"meta"}`, "x:1: there is text where only elements belong"},
		{"SQL", "-- MySQL dump 10.13\n", "x:2: there is text where only elements belong"},
		{"another root", "<html></html>", "x:1: <html> is not what mysql --xml and mysqldump --xml write"},
		{"a root of another namespace", `<mysqldump xmlns="urn:x"></mysqldump>`, "is not what mysql --xml"},
		{"a document type", "<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a \"b\">]>\n<mysqldump/>", "x:2: document types and processing instructions are not read"},
		{"an entity", results(`<row><field name="id">&a;</field></row>`), "x:2: not valid XML: invalid character entity &a;"},
		{"an instruction", `<?php echo 1 ?><mysqldump/>`, "x:1: document types"},
		{"a declaration inside", results(`<?xml version="1.0"?>`), "x:2: document types"},
		{"a document type inside what is passed over", `<mysqldump><database name="x"><a><!DOCTYPE x></a></database></mysqldump>`, "x:1: document types"},
		{"another encoding", `<?xml version="1.0" encoding="UTF-16"?><mysqldump/>`, "x:1: not valid XML"},
		{"Latin-1", results("<row><field name=\"id\">\xe9</field></row>"), "x:2: not valid XML: invalid UTF-8"},
		{"a control character", results("<row><field name=\"id\">\x01</field></row>"), "x:2: not valid XML: illegal character code U+0001"},
		{"cut short", results("")[:60], "x:2: not valid XML: unexpected EOF"},
		{"cut short in a row", `<resultset statement="SELECT id FROM tblusers"><row><field name="id">1`, "x:1: not valid XML: unexpected EOF"},
		{"wrong nesting", results(`<row><field name="id">1</row></field>`), "x:2: not valid XML: element <field> closed by </row>"},
		{"no row", results("<field/>"), "x:2: <field> stands where a row belongs"},
		{"no field", results("<row><id>1</id></row>"), "x:2: <id> stands where a field belongs"},
		{"no database", "<mysqldump><table_data/></mysqldump>", "x:1: <table_data> stands where a database belongs"},
		{"an element in a field", results(`<row><field name="id">1<b/></field></row>`), "x:2: a field has something else than text"},
		{"a comment in a field", results(`<row><field name="id">1<!-- -->2</field></row>`), "x:2: a field has something else than text"},
		{"text between rows", results("NULL"), "x:2: there is text"},
		{"hex", results(`<row><field name="id" xsi:type="xs:hexBinary">31</field></row>`), "x:2: the column id is not written as text. Export without --hex-blob."},
		{"a long value", results(`<row><field name="id">` + long + `</field></row>`), "x:2: a row or value is longer than 1048576 bytes"},
		{"a long row", results(`<row>` + strings.Repeat(`<field name="y">`+long[:1<<17]+`</field>`, 9) + `</row>`), "x:2: a row or value is longer"},
		{"a long name", results(`<row><` + long + `/></row>`), "x:2: a row or value is longer"},
		{"a long comment", `<!--` + long, "x:1: a row or value is longer"},
		{"a long value of another table", strings.Replace(results(`<row><field name="id">`+long+`</field></row>`), "tblusers", "tblx", 1), "x:2: a row or value is longer"},
		{"deep nesting", `<mysqldump><database>` + strings.Repeat("<a>", 100_000), "x:1: elements nest deeper than 16 levels"},
		{"two tables", `<resultset statement="SELECT u.id FROM tblusers u, tblclients c"></resultset>`, "x:1: which table is"},
		{"two tables without a word between", `<resultset statement="SELECT 1 FROM tblusers, tblclients"></resultset>`, "x:1: which table is"},
		{"a join", "<resultset statement=\"SELECT u.id FROM tblusers u\n LEFT join tblclients c\"></resultset>", `x:2: which table is "SELECT u.id FROM tblusers u\n LEFT join tblclients c"?`},
		{"a union", `<resultset statement="SELECT id FROM tblusers UNION SELECT id FROM tblclients"></resultset>`, "x:1: which table is"},
		{"a query in a query", `<resultset statement="SELECT id FROM (SELECT id FROM tblusers) x"></resultset>`, "x:1: which table is"},
	} {
		got := read("x", c.text, whmcs.Options{})
		list, _ := errors.AsType[fault.List](got.err)
		if len(list) == 0 || !strings.Contains(list.Error(), c.want) {
			t.Errorf("%s: got error %.300v, want %q", c.what, got.err, c.want)
		}
	}
}

// Every fault of rows and tables is told, and where.
func TestFaultsOfRows(t *testing.T) {
	lacking := edited("tblusers", "email=MISSING|created_at=MISSING").xml()
	file := strings.Replace(lacking, "</row>", "</row><row></row>", 1) + // told once
		edited("tblusers_clients", "owner=2").xml() +
		edited("tblcontacts", "invoiceemails=on").xml() +
		edited("tblactivitylog", "id=1").xml()
	got := read("x", file, whmcs.Options{})
	want := strings.Join([]string{
		"x:4: tblusers lacks email, created_at. Select these, too.",
		"x:17: tblusers_clients: owner is neither 0 nor 1 but \"2\". Mend it in the database.",
		"x:31: tblcontacts: invoiceemails is neither 0 nor 1 but \"on\". Mend it in the database.",
		"x:62: the table tblclients is missing. Export as docs/import.md says.",
	}, "\n")
	if got.err == nil || got.err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got.err, want)
	}
	if len(got.records) != 2 { // meta and history
		t.Errorf("%d records", len(got.records))
	}
	twice := strings.Replace(export(edited("tblusers", "")), "</row>", `<field name="id">2</field></row>`, 1)
	if got := read("x", twice, whmcs.Options{}); got.err == nil || !strings.Contains(got.err.Error(), "has the column id twice") {
		t.Errorf("a column twice: %v", got.err)
	}
	many := edited("tblusers_clients", "owner=2").xml()
	row := many[strings.Index(many, "<row>") : strings.Index(many, "</row>")+len("</row>")]
	many = strings.Replace(many, row, strings.Repeat(row, 1000), 1)
	got = read("x", many, whmcs.Options{})
	if list, _ := errors.AsType[fault.List](got.err); len(list) != 101 || !strings.Contains(list.Error(), "reading stopped at 100 faults") {
		t.Errorf("%d faults", len(list))
	}
}

// Columns that not every version has may be missing; the tables that need not be there,
// too, which is told.
func TestWhatNeedNotBeThere(t *testing.T) {
	got := read("x", export(edited("tblcontacts", "subaccount=MISSING|permissions=MISSING")), whmcs.Options{})
	if got.err != nil || strings.Contains(got.lines, "subaccount") {
		t.Errorf("%v\n%s", got.err, got.lines)
	}
	for _, table := range []string{"tbluser_invites", "tblactivitylog"} {
		if at := got.warnings["the table "+table+" is not in the file"]; !slices.Equal(at, []int{66}) {
			t.Errorf("%s: warned at %v", table, at)
		}
	}
}

// A table is known by its name alone, however the statement writes it. Statements that
// read none of these are passed over.
func TestStatements(t *testing.T) {
	for statement, known := range map[string]bool{
		"SELECT * FROM tblusers":                             true,
		"select id\n\tfrom\n`tblusers` WHERE id &gt; 5\n;\n": true,
		"SELECT id FROM `whmcs-8`.`tblUsers` AS u LIMIT 5":   true,
		"SELECT id FROM whmcs . tblusers":                    true,
		"SELECT id FROM mytblusers":                          false,
		"SELECT VERSION()":                                   false,
		"SHOW TABLES":                                        false,
		"":                                                   false,
	} {
		text := strings.Replace(export(edited("tblusers", "")), `"SELECT * FROM tblusers"`, `"`+statement+`"`, 1)
		got := read("x", text, whmcs.Options{})
		if missing := got.err != nil && strings.Contains(got.err.Error(), "tblusers is missing"); missing == known {
			t.Errorf("%q: %v", statement, got.err)
		}
	}
}

// What cannot be read is no fault of the file.
func TestReadingFails(t *testing.T) {
	broken := errors.New("disk on fire")
	var last error
	for _, err := range whmcs.Records("x", io.MultiReader(strings.NewReader("<mysqldump>"), iotest.ErrReader(broken)), whmcs.Options{}) {
		last = err
	}
	if _, wrong := errors.AsType[fault.List](last); wrong || !errors.Is(last, broken) || last.Error() != "read x: disk on fire" {
		t.Errorf("got %v", last)
	}
}
