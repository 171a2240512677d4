package whmcs_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"doorward/internal/fault"
	"doorward/internal/ijson"
	"doorward/internal/whmcs"
)

// FuzzRecords: no file makes the reader panic or say two things; a record is an object
// of a kind and never much larger than what may be in memory at once; an error is a
// list of faults (S41).
func FuzzRecords(f *testing.F) {
	for _, name := range []string{"select.xml", "dump.xml"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, fixture := range fixtures {
		f.Add(fixture.xml())
	}
	f.Add(export(edited("tblclients", `email_preferences={"invoice":"0","x":[1]}`)))
	f.Add("<mysqldump><database name='x'><table_data name='tblusers'><row/></table_data><a><b/>c<!-- --></a></database></mysqldump>")
	f.Add(`<?xml version="1.0"?><!DOCTYPE x><resultset statement="SELECT 1 FROM a JOIN b"/>`)
	f.Fuzz(func(t *testing.T, text string) {
		first, second := read("x", text, whmcs.Options{}), read("x", text, whmcs.Options{})
		if first.lines != second.lines || !maps.EqualFunc(first.warnings, second.warnings, slices.Equal) ||
			(first.err == nil) != (second.err == nil) || first.err != nil && first.err.Error() != second.err.Error() {
			t.Fatal("read twice, it says two things")
		}
		for _, r := range first.records {
			if r.Line < 1 || r.Value.Kind() != ijson.Object || r.Value.Get("kind").Text() == "" {
				t.Fatalf("line %d: %s", r.Line, line(r))
			}
			if said := line(r); !utf8.ValidString(said) || len(said) > 8<<20 {
				t.Fatalf("line %d: %.300s", r.Line, said)
			}
		}
		if list, ok := errors.AsType[fault.List](first.err); first.err != nil && (!ok || len(list) == 0 || len(list) > 101) {
			t.Fatalf("bad error %v", first.err)
		}
	})
}
