package fault

import (
	"errors"
	"testing"
)

func TestAListIsAnErrorOnlyWhenItHasFaults(t *testing.T) {
	var none List
	if err := none.Err(); err != nil {
		t.Errorf("an empty list is the error %v", err)
	}
}

func TestFaultsComeInOrderOfPlace(t *testing.T) {
	var l List
	l.Add(Fault{File: "b.yaml", Line: 2, Message: "second"})
	l.Add(Fault{File: "b.yaml", Line: 1, Column: 9, Message: "first", Fix: "Do this."})
	l.Add(Fault{File: "a.yaml", Message: "is missing"})
	l.Add(Fault{File: "c.jsonl", Line: 3, Pointer: "/emails/invoice", Message: "must be true or false"})
	want := "a.yaml: is missing\nb.yaml:1:9: first. Do this.\nb.yaml:2: second\nc.jsonl:3: /emails/invoice: must be true or false"
	err := l.Err()
	if err.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", err, want)
	}
	var again List
	if !errors.As(err, &again) || len(again) != 4 {
		t.Errorf("the list is lost in %T", err)
	}
}

func TestClosestSuggestsOnlyWhatIsNear(t *testing.T) {
	known := []string{"allow", "deny", "invoices"}
	for got, want := range map[string]string{
		"denny":   `Did you mean "deny"?`,
		"Deny":    `Did you mean "deny"?`,
		"invoice": `Did you mean "invoices"?`,
		"tickets": "",
		"":        "",
	} {
		if s := Closest(got, known); s != want {
			t.Errorf("Closest(%q) = %q, want %q", got, s, want)
		}
	}
}
