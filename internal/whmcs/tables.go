package whmcs

import "doorward/internal/ijson"

// A table is one of WHMCS, and how its rows are records of ours (E1, E3).
type table struct {
	name     string
	kind     string
	required bool
	members  []member
}

// A member of a record is made of the columns of a row. An optional one is made of
// columns that not every version has.
type member struct {
	name     string
	as       func(r *row, columns []string) ijson.Value
	columns  []string
	optional bool
}

// from makes a member that every export must have the columns of.
func from(name string, as func(*row, []string) ijson.Value, columns ...string) member {
	return member{name: name, as: as, columns: columns}
}

// perhaps makes a member that is left out where a column is missing.
func perhaps(name string, as func(*row, []string) ijson.Value, columns ...string) member {
	return member{name: name, as: as, columns: columns, optional: true}
}

// tables are those that are read, and all that is read of them. In tblcontacts and
// tblactivitylog userid is the client: they are older than users.
var tables = []table{
	{name: "tblusers", kind: "user", required: true, members: []member{
		from("id", asText, "id"),
		from("email", asText, "email"),
		from("first_name", asText, "first_name"),
		from("last_name", asText, "last_name"),
		from("language", asText, "language"),
		from("second_factor", asWhetherAny, "second_factor"),
		from("email_verified_at", asTime, "email_verified_at"),
		from("last_login", asTime, "last_login"),
		from("created_at", asTime, "created_at"),
	}},
	{name: "tblclients", kind: "account", required: true, members: []member{
		from("id", asText, "id"),
		from("uuid", asText, "uuid"),
		from("name", asName, "companyname", "firstname", "lastname"),
		from("email", asText, "email"),
		from("status", asText, "status"),
		from("allow_sso", asFlag, "allow_sso"),
		from("billing_contact", asReference, "billingcid"),
		from("email_preferences", asPreferences, "email_preferences"),
		from("created_at", asFirstTime, "created_at", "datecreated"),
	}},
	{name: "tblusers_clients", kind: "membership", required: true, members: []member{
		from("id", asText, "id"),
		from("user", asText, "auth_user_id"),
		from("account", asText, "client_id"),
		from("owner", asFlag, "owner"),
		from("permissions", asText, "permissions"),
		from("invite", asReference, "invite_id"),
		from("last_login", asTime, "last_login"),
		from("created_at", asTime, "created_at"),
	}},
	{name: "tblcontacts", kind: "contact", members: []member{
		from("id", asText, "id"),
		from("account", asText, "userid"),
		from("first_name", asText, "firstname"),
		from("last_name", asText, "lastname"),
		from("email", asText, "email"),
		from("emails", asEmails, "invoiceemails", "supportemails", "productemails", "domainemails", "generalemails", "affiliateemails"),
		perhaps("subaccount", asFlag, "subaccount"),
		perhaps("permissions", asTextIf, "permissions", "subaccount"),
		from("created_at", asTime, "created_at"),
	}},
	{name: "tbluser_invites", kind: "invite", members: []member{
		from("id", asText, "id"),
		from("account", asText, "client_id"),
		from("email", asText, "email"),
		from("permissions", asText, "permissions"),
		// Of an invitation by staff it is the id of an administrator, and not of a user.
		from("invited_by", asReferenceUnless, "invited_by", "invited_by_admin"),
		from("by_staff", asWhetherNotZero, "invited_by_admin"),
		from("created_at", asTime, "created_at"),
		from("updated_at", asTime, "updated_at"),
		from("accepted_at", asTime, "accepted_at"),
		from("deleted_at", asTime, "deleted_at"),
	}},
	{name: "tblactivitylog", kind: "history", members: []member{
		from("id", asText, "id"),
		from("at", asTime, "date"),
		from("account", asReference, "userid"),
		from("user", asReference, "user_id"),
		from("staff", asReference, "admin_id"),
		from("text", asText, "description"),
		from("ip", asText, "ipaddr"),
		from("actor", asText, "user"),
	}},
}

// reads tells whether the column is read.
func (t table) reads(column string) bool {
	for _, m := range t.members {
		for _, c := range m.columns {
			if c == column {
				return true
			}
		}
	}
	return false
}

// lacks returns the columns that should be among values and are not.
func (t table) lacks(values map[string]value) []string {
	var lacks []string
	for _, m := range t.members {
		for _, c := range m.columns {
			if _, there := values[c]; !there && !m.optional {
				lacks = append(lacks, c)
			}
		}
	}
	return lacks
}
