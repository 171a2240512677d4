package whmcs

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"

	"doorward/internal/ijson"
)

// document reads what mysqldump --xml wrote, or one of the results that mysql --xml
// wrote one after the other.
func (x *export) document(e xml.StartElement) error {
	switch local(e.Name) {
	case "mysqldump":
		return x.elements(false, x.database)
	case "resultset":
		table, err := x.tableOf(attribute(e, "statement"))
		if err != nil {
			return err
		}
		return x.rows(table)
	}
	return x.faultf(howToExport, "<%s> is not what mysql --xml and mysqldump --xml write", e.Name.Local)
}

// database reads the tables of a database. How they are made, triggers and the like are
// passed over.
func (x *export) database(e xml.StartElement) error {
	if local(e.Name) != "database" {
		return x.faultf(howToExport, "<%s> stands where a database belongs", e.Name.Local)
	}
	return x.elements(false, func(e xml.StartElement) error {
		if local(e.Name) == "table_data" {
			return x.rows(attribute(e, "name"))
		}
		return x.skip()
	})
}

// fromWord finds what a statement reads from.
var fromWord = regexp.MustCompile(`(?i)\bfrom\b`)

// oneTable is the name of a table, of a database or not, quoted or not, renamed or not,
// and whether others follow.
var oneTable = regexp.MustCompile("(?is)^\\s*(?:`?[\\w$-]+`?\\s*\\.\\s*)?`?([\\w$]+)`?(?:\\s+(?:as\\s+)?`?\\w+`?)?\\s*(,|.*\\bjoin\\b)?")

// tableOf returns the table that a statement reads; "" when it reads none.
func (x *export) tableOf(statement string) (string, error) {
	found := fromWord.FindAllStringIndex(statement, -1)
	if len(found) == 0 {
		return "", nil
	}
	name := oneTable.FindStringSubmatch(statement[found[0][1]:])
	if len(found) > 1 || name == nil || name[2] != "" {
		return "", x.faultf("Write SELECT columns FROM one table, as docs/import.md does.", "which table is %s?", quote(statement))
	}
	return name[1], nil
}

// rows reads the rows of the table just begun. Those of tables that mean nothing here
// are passed over, and told.
func (x *export) rows(name string) error {
	i := slices.IndexFunc(tables, func(t table) bool { return t.name == strings.ToLower(name) })
	if i >= 0 {
		x.seen[tables[i].name] = true
	}
	return x.elements(false, func(e xml.StartElement) error {
		switch {
		case local(e.Name) != "row":
			return x.faultf(howToExport, "<%s> stands where a row belongs", e.Name.Local)
		case i < 0:
			x.warn(x.line(), "rows of the table "+quote(name)+" are not imported")
			return x.skip()
		}
		return x.row(tables[i])
	})
}

// row reads the row just begun and yields its record. A row that is wrong is noted and
// has none.
func (x *export) row(t table) error {
	x.inRow, x.source.left = true, maxPiece
	r := row{line: x.line(), values: make(map[string]value, len(t.members))}
	twice := ""
	err := x.elements(false, func(e xml.StartElement) error {
		column, v, err := x.field(t, e)
		if _, known := r.values[column]; known {
			twice = column
		}
		if column != "" {
			r.values[column] = v
		}
		return err
	})
	x.inRow = false
	if err != nil {
		return err
	}
	if lacks := t.lacks(r.values); len(lacks) > 0 || twice != "" {
		return x.badColumns(t, r.line, lacks, twice)
	}
	return x.record(t, &r)
}

// badColumns notes once of a table that its columns are not those to be exported.
func (x *export) badColumns(t table, line int, lacks []string, twice string) error {
	if x.lacking[t.name] {
		return nil
	}
	x.lacking[t.name] = true
	if twice != "" {
		return x.fault(line, "Select each once.", "%s has the column %s twice", t.name, twice)
	}
	return x.fault(line, "Select these, too.", "%s lacks %s", t.name, strings.Join(lacks, ", "))
}

// xsi is the namespace in which MySQL's tools say that a value is NULL.
const xsi = "http://www.w3.org/2001/XMLSchema-instance"

// field reads one value of a row, if its column is one to be read; else the column is
// "".
func (x *export) field(t table, e xml.StartElement) (column string, v value, err error) {
	if local(e.Name) != "field" {
		return "", v, x.faultf(howToExport, "<%s> stands where a field belongs", e.Name.Local)
	}
	column = attribute(e, "name")
	wanted := t.reads(column)
	for _, a := range e.Attr {
		switch {
		case a.Name.Space == xsi && a.Name.Local == "nil" && a.Value == "true":
			v.null = true
		case a.Name.Space == xsi && wanted:
			return "", v, x.faultf("Export without --hex-blob.", "the column %s is not written as text", column)
		}
	}
	v.text, err = x.scanner.text(wanted)
	if err != nil || !wanted {
		return "", value{}, err
	}
	return column, v, nil
}

// record yields what a row says.
func (x *export) record(t table, r *row) error {
	members := []ijson.Member{text("kind", t.kind)}
	for _, m := range t.members {
		if v := m.as(r, m.columns); v.Kind() != ijson.Absent {
			members = append(members, ijson.Member{Name: m.name, Value: v})
		}
	}
	for _, message := range r.warnings {
		x.warn(r.line, message)
	}
	if r.wrong != "" {
		return x.fault(r.line, "Mend it in the database.", "%s: %s", t.name, r.wrong)
	}
	if !x.yield(Record{Line: r.line, Value: ijson.ObjectValue(members...)}) {
		return errStopped
	}
	return nil
}
