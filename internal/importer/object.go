package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// An object reads the members of one line and notes what is wrong with them.
// Its methods return the zero value for what is absent, null or wrong.
type object struct {
	in    *reader
	kind  string
	line  int
	value ijson.Value
	// before is how many faults there were before this line.
	before int
}

func (in *reader) object(r Record) object {
	return object{in, r.Value.Get("kind").Text(), r.Line, r.Value, len(in.faults)}
}

// storable notes what a store would refuse of a record whose members are all
// right by themselves, so that no import stops halfway for it.
func (o object) storable(err error) {
	if err != nil && len(o.in.faults) == o.before {
		o.in.faultf(o.line, "", "%v", err)
	}
}

// faultf notes that a member is wrong.
func (o object) faultf(member, fix, format string, args ...any) {
	o.in.addFault(fault.Fault{File: o.in.file, Line: o.line, Pointer: "/" + member, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// maxText bounds names of people and companies, in bytes.
const maxText = 512

// has tells whether the line has the member, be it empty. A null is none.
func (o object) has(member string) bool {
	kind := o.value.Get(member).Kind()
	return kind != ijson.Absent && kind != ijson.Null
}

// says tells whether the line has a word for the member: an empty one is none.
func (o object) says(member string) bool {
	return o.has(member) && o.value.Get(member).Text() != ""
}

// text reads a string without control characters.
func (o object) text(member string) string {
	switch v := o.value.Get(member); v.Kind() {
	case ijson.Absent, ijson.Null:
		return ""
	case ijson.String:
		if len(v.Text()) > maxText {
			o.faultf(member, "Shorten it.", "longer than %d bytes", maxText)
			return ""
		}
		if strings.ContainsFunc(v.Text(), unicode.IsControl) {
			o.faultf(member, "Take out line breaks and tabs.", "has a control character")
			return ""
		}
		return v.Text()
	default:
		o.faultf(member, "", "must be a string, not %s", v.Kind())
		return ""
	}
}

// id reads a required id.
func (o object) id(member string) string {
	v := o.value.Get(member)
	switch {
	case v.Kind() == ijson.Number:
		o.faultf(member, "Write "+quote(v.Text())+".", "ids are strings, not numbers")
		return ""
	case v.Kind() != ijson.String:
		o.faultf(member, "", "must be a string, not %s", v.Kind())
		return ""
	case !portal.ValidID(v.Text()):
		o.faultf(member, "Use 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ and -.", "%s cannot be an id", quote(v.Text()))
		return ""
	}
	return v.Text()
}

// flag reads a boolean; 0 and 1, as databases export them, will do.
func (o object) flag(member string) bool { return o.boolean(member, o.value.Get(member)) }

// boolean reads v, which stands at that place of the line.
func (o object) boolean(at string, v ijson.Value) bool {
	switch {
	case v.Kind() == ijson.Absent, v.Kind() == ijson.Null:
		return false
	case v.Kind() == ijson.Bool:
		return v.True()
	case v.Kind() == ijson.Number && (v.Text() == "0" || v.Text() == "1"):
		return v.Text() == "1"
	default:
		o.faultf(at, "", "must be true or false, not %s", v.Kind())
		return false
	}
}

// word reads one of a few words; absent gives the first of them.
func (o object) word(member string, words ...string) string {
	text := strings.ToLower(o.text(member))
	switch {
	case text == "":
		return words[0]
	case !slices.Contains(words, text):
		o.faultf(member, "Write one of: "+strings.Join(words, ", ")+".", "%s is not known", quote(text))
		return ""
	}
	return text
}

// words reads a list of strings.
func (o object) words(member string) []string {
	v := o.value.Get(member)
	if v.Kind() == ijson.Absent || v.Kind() == ijson.Null {
		return nil
	}
	if v.Kind() != ijson.Array {
		o.faultf(member, "", "must be a list of strings, not %s", v.Kind())
		return nil
	}
	var words []string
	for i, item := range v.Items() {
		if item.Kind() != ijson.String {
			o.faultf(member+"/"+strconv.Itoa(i), "", "must be a string, not %s", item.Kind())
			continue
		}
		words = append(words, item.Text())
	}
	return words
}

// civilTime is how databases write a time without its zone.
const civilTime = "2006-01-02 15:04:05"

// time reads a time: RFC 3339, or without a zone in that of the meta line. An
// absent, null or empty one, and MySQL's 0000-00-00, is no time.
func (o object) time(member string) time.Time {
	text := o.text(member)
	if text == "" || strings.HasPrefix(text, "0000-00-00") {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(civilTime, text, o.in.meta.zone)
	}
	if err != nil {
		o.faultf(member, "Write it as 2026-01-31T12:00:00Z, or as 2026-01-31 12:00:00 in the zone of the meta line.",
			"%s is not a time", quote(text))
		return time.Time{}
	}
	// The store keeps microseconds; more would look like a change each time.
	return at.UTC().Truncate(time.Microsecond)
}

// unknown deals with the members that mean nothing to this version. Exports
// carry whole database rows, so they are only counted. But one that nearly has
// the name of a member with a meaning, or is another system's word for one, is a slip
// that could cost or give somebody rights, and is refused.
func (o object) unknown(known ...string) {
	for _, m := range o.value.Members() {
		if m.Name == "kind" || slices.Contains(known, m.Name) {
			continue
		}
		if fix := o.slip(m, known); fix != "" {
			o.in.faultf(o.line, fix, "the name %s means nothing here", quote(m.Name))
			continue
		}
		o.in.notes.ignore(o.kind + "/" + m.Name)
	}
}

// slip says what may have been meant by a name that is not known; "": nothing.
func (o object) slip(m ijson.Member, known []string) string {
	name := strings.ToLower(m.Name)
	if slices.Contains(states, name) && slices.Contains(stateWords, strings.ToLower(m.Value.Text())) {
		name = "deleted_at" // also where state is a part of an address
	}
	for _, ours := range elsewhere[strings.ReplaceAll(name, "_", "")] {
		if slices.Contains(known, ours) {
			return fmt.Sprintf("Did you mean %q?", ours)
		}
	}
	if len(m.Name) <= len("id") || slices.Contains(exported, m.Name) {
		return ""
	}
	return fault.Closest(m.Name, known)
}

// elsewhere is what other systems call members of ours that limit or end rights, without
// their underscores: left out, the limit would be lost.
var elsewhere = map[string][]string{
	"expiresat": limit, "expires": limit, "expireat": limit, "expireson": limit, "expiredat": limit, "expiry": limit, "expirydate": limit,
	"validuntil": limit, "validto": limit, "until": limit, "endsat": limit, "enddate": limit,
	"deletedat": ends, "removedat": ends, "revokedat": ends, "cancelledat": ends, "canceledat": ends,
}

// Members that limit rights in time, and that end them.
var (
	limit = []string{"expires_at", "not_after"}
	ends  = []string{"deleted_at", "state", "status"}
)

// states are names of members that end rights, and stateWords what they say then.
var (
	states     = []string{"state", "status"}
	stateWords = []string{"active", "inactive", "disabled", "suspended", "closed", "pending", "accepted", "revoked", "removed"}
)

// exported are columns of real exports that this version leaves aside and that
// must not be taken for a slip of the pen: state is a part of an address.
var exported = []string{
	"uuid", "email", "state", "fullstate", "city", "country", "companyname", "groupid", "currency", "notes", "datecreated",
	"updated_at", "email_verified_at", "last_login", "last_ip", "last_hostname", "lastlogin", "credit",
	"language", "firstname", "lastname", "allow_sso", "billing_contact", "invite", "second_factor_config",
}

// maxQuote bounds how much of a foreign text a message repeats.
const maxQuote = 64

// quote shows foreign text in a message: escaped, so that it can neither forge
// a line nor steer a terminal (S42), and cut short.
func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.QuoteToASCII(s[:maxQuote]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
