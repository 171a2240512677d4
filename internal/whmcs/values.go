package whmcs

import (
	"slices"
	"strings"

	"doorward/internal/ijson"
)

// A row is what is read of one, by column.
type row struct {
	line     int
	values   map[string]value
	warnings []string
	wrong    string // why there is no record of it
}

// A value is what stands in a column.
type value struct {
	text string
	null bool
}

// The as functions make a value of columns of a row; nothing, when there is none to be
// made.

// asText is the text as it stands. NULL is none.
func asText(r *row, columns []string) ijson.Value {
	v, there := r.values[columns[0]]
	if !there || v.null {
		return ijson.Value{}
	}
	return ijson.StringValue(v.text)
}

// asTextIf is the first text where the second column is set.
func asTextIf(r *row, columns []string) ijson.Value {
	if !asFlag(r, columns[1:]).True() {
		return ijson.Value{}
	}
	return asText(r, columns)
}

// asReference is an id, where WHMCS writes 0 for none.
func asReference(r *row, columns []string) ijson.Value {
	if !set(r.values[columns[0]]) {
		return ijson.Value{}
	}
	return asText(r, columns)
}

// asReferenceUnless is an id, unless the second column is set.
func asReferenceUnless(r *row, columns []string) ijson.Value {
	if set(r.values[columns[1]]) {
		return ijson.Value{}
	}
	return asReference(r, columns)
}

// asWhetherNotZero tells whether there is anything but 0.
func asWhetherNotZero(r *row, columns []string) ijson.Value {
	return ijson.BoolValue(set(r.values[columns[0]]))
}

// asWhetherAny is "yes" for any text and "" for none: which second factor somebody has
// is nobody's business here, and its secret even less.
func asWhetherAny(r *row, columns []string) ijson.Value {
	if r.values[columns[0]].text == "" {
		return ijson.StringValue("")
	}
	return ijson.StringValue("yes")
}

// set tells whether a number is there that is not 0.
func set(v value) bool { return !v.null && v.text != "" && v.text != "0" }

// asFlag reads 0 and 1. NULL and no text are 0.
func asFlag(r *row, columns []string) ijson.Value {
	v, there := r.values[columns[0]]
	switch {
	case !there:
		return ijson.Value{}
	case v.null, v.text == "", v.text == "0":
		return ijson.BoolValue(false)
	case v.text == "1":
		return ijson.BoolValue(true)
	}
	r.wrong = columns[0] + " is neither 0 nor 1 but " + quote(v.text)
	return ijson.Value{}
}

// asTime is a time as it stands, in the zone that the meta record names. WHMCS writes
// 0000-00-00 for none.
func asTime(r *row, columns []string) ijson.Value {
	v := r.values[columns[0]]
	if v.null || v.text == "" || strings.HasPrefix(v.text, "0000-00-00") {
		return ijson.Value{}
	}
	if len(v.text) == len("2006-01-02") {
		return ijson.StringValue(v.text + " 00:00:00")
	}
	return ijson.StringValue(v.text)
}

// asFirstTime is the first of several times that is one.
func asFirstTime(r *row, columns []string) ijson.Value {
	for i := range columns {
		if at := asTime(r, columns[i:]); at.Kind() != ijson.Absent {
			return at
		}
	}
	return ijson.Value{}
}

// asName is the name of a company, else of a person.
func asName(r *row, columns []string) ijson.Value {
	company := r.values[columns[0]].text
	if strings.TrimSpace(company) != "" {
		return ijson.StringValue(company)
	}
	return ijson.StringValue(strings.TrimSpace(r.values[columns[1]].text + " " + r.values[columns[2]].text))
}

// mails are the mail categories of WHMCS. Its columns are called invoiceemails and so
// on.
var mails = []string{"invoice", "support", "product", "domain", "general", "affiliate"}

// asEmails are flags by mail category (21).
func asEmails(r *row, columns []string) ijson.Value {
	var flags []ijson.Member
	for i, column := range columns {
		flag := asFlag(r, columns[i:])
		flags = append(flags, ijson.Member{Name: strings.TrimSuffix(column, "emails"), Value: flag})
	}
	return ijson.ObjectValue(flags...)
}

// asPreferences are the flags by mail category that a client has as one text. In which
// form WHMCS stores it is not verified: a JSON object is read, and anything else is
// left out and told.
func asPreferences(r *row, columns []string) ijson.Value {
	v := r.values[columns[0]]
	if v.null || v.text == "" {
		return ijson.Value{}
	}
	written, err := ijson.Parse([]byte(v.text))
	if err != nil {
		r.warn(columns[0] + " is not a JSON object; it is left out")
		return ijson.Value{}
	}
	var flags []ijson.Member
	for _, m := range written.Members() {
		if !slices.Contains(mails, m.Name) {
			r.warn(columns[0] + " has " + quote(m.Name) + ", which is no mail category; that is left out")
			continue
		}
		flag, ok := preference(m.Value)
		if !ok {
			r.warn(columns[0] + " has something else than yes and no; it is left out")
			return ijson.Value{}
		}
		flags = append(flags, ijson.Member{Name: m.Name, Value: ijson.BoolValue(flag)})
	}
	return ijson.ObjectValue(flags...)
}

// preference reads a yes or no in the forms that PHP programs write.
func preference(v ijson.Value) (yes, ok bool) {
	switch v.Kind() {
	case ijson.Bool:
		return v.True(), true
	case ijson.Number, ijson.String:
		return v.Text() == "1", v.Text() == "1" || v.Text() == "0" || v.Text() == ""
	}
	return false, false
}

func (r *row) warn(message string) { r.warnings = append(r.warnings, message) }
