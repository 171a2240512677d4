package sqlite

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListsThatNobodyWrote(t *testing.T) {
	for _, column := range []string{
		"", "null", " []", "[null]", "{}", `"a"`, `["a"`, `["a"]]`, `[1]`, `[["a"]]`, "[\"\xff\"]", `["a",]`, `a,b`,
	} {
		if got, err := names(column); !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("%q reads as %q, %v", column, got, err)
		}
	}
	for _, column := range []string{"", "null", "[]", `{"a":null}`, `{"a":1}`, `{"a":"1","a":"2"}`, `{"a":"1"} x`} {
		if got, err := detail(column); !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("%q reads as %q, %v", column, got, err)
		}
	}
	if got, err := refs(sql.NullString{String: `["service"]`, Valid: true}); !errors.Is(err, ErrDamaged) || got != nil {
		t.Errorf("a scope without id reads as %v, %v", got, err)
	}
}

// A list that can be read at all is written back as a list that reads the same.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{`[]`, `["a"]`, `["a","b\u00e9"]`, `["\ud800"]`, `[null]`, `{`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, column string) {
		list, err := names(column)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			return
		}
		written, err := texts(list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := names(written)
		if diff := cmp.Diff(list, again); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", column, err, diff)
		}
	})
}
