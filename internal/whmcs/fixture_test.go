package whmcs_test

import (
	"encoding/xml"
	"slices"
	"strings"
)

// A fixture is a table of an export with one row. A text NULL is NULL.
type fixture struct {
	table  string
	fields [][2]string
}

// fixtures are all tables with all columns that are read.
var fixtures = []fixture{
	{"tblusers", columns("id first_name last_name email language second_factor email_verified_at last_login created_at")},
	{"tblclients", columns("id uuid firstname lastname companyname email status allow_sso billingcid email_preferences datecreated created_at")},
	{"tblusers_clients", columns("id auth_user_id client_id invite_id owner permissions last_login created_at")},
	{"tblcontacts", columns("id userid firstname lastname email invoiceemails supportemails productemails domainemails generalemails " +
		"affiliateemails subaccount permissions created_at")},
	{"tbluser_invites", columns("id client_id email permissions invited_by invited_by_admin accepted_at created_at updated_at deleted_at")},
	{"tblactivitylog", columns("id date description user userid user_id admin_id ipaddr")},
}

// columns gives each column a text.
func columns(names string) [][2]string {
	var fields [][2]string
	for name := range strings.FieldsSeq(names) {
		value := "1"
		switch {
		case strings.HasSuffix(name, "_at"), name == "date", name == "last_login":
			value = "2025-06-01 12:00:00"
		case name == "email_preferences":
			value = "NULL"
		case strings.Contains(name, "email") && !strings.HasSuffix(name, "emails"):
			value = "x@shop.example"
		}
		fields = append(fields, [2]string{name, value})
	}
	return fields
}

// edited is a table with some columns otherwise, as in id=7|email=NULL; those that end
// in =MISSING are left out.
func edited(table, changes string) fixture {
	i := slices.IndexFunc(fixtures, func(f fixture) bool { return f.table == table })
	f := fixture{table: table, fields: slices.Clone(fixtures[i].fields)}
	for change := range strings.SplitSeq(changes, "|") {
		column, value, _ := strings.Cut(change, "=")
		at := slices.IndexFunc(f.fields, func(field [2]string) bool { return field[0] == column })
		switch {
		case at < 0 && column != "":
			f.fields = append(f.fields, [2]string{column, value})
		case value == "MISSING":
			f.fields = slices.Delete(f.fields, at, at+1)
		case column != "":
			f.fields[at][1] = value
		}
	}
	return f
}

// xml writes the table as mysql --xml does, a field a line.
func (f fixture) xml() string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n\n<resultset statement=\"SELECT * FROM " + f.table +
		"\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n  <row>\n")
	for _, field := range f.fields {
		if field[1] == "NULL" {
			b.WriteString("\t<field name=\"" + field[0] + "\" xsi:nil=\"true\" />\n")
			continue
		}
		b.WriteString("\t<field name=\"" + field[0] + "\">")
		_ = xml.EscapeText(&b, []byte(field[1]))
		b.WriteString("</field>\n")
	}
	b.WriteString("  </row>\n</resultset>\n")
	return b.String()
}

// export is a file of the tables that there must be, and then of this one.
func export(last fixture) string {
	var b strings.Builder
	for _, f := range fixtures[:3] {
		if f.table != last.table {
			b.WriteString(f.xml())
		}
	}
	return b.String() + last.xml()
}
