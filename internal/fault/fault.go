// Package fault says what is wrong in a file a person wrote, where, and what to
// do about it.
//
// Readers of policy files report every fault they can find, not just the first,
// so that one look is enough to mend a file. The package knows no file format.
package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing wrong at one place of a file.
type Fault struct {
	File    string `json:"file"`              // path inside the policy folder
	Line    int    `json:"line,omitempty"`    // from 1; 0 when the whole file is meant
	Column  int    `json:"column,omitempty"`  // from 1, in bytes, in YAML and Rego in characters; 0 when the whole line is meant
	Pointer string `json:"pointer,omitempty"` // JSON pointer (RFC 6901) into the record at the line; "" when all of it is meant
	Message string `json:"message"`           // what is wrong
	Fix     string `json:"fix,omitempty"`     // what to do, as a sentence; may be empty
}

// Error returns the fault as file:line:column: pointer: message. fix.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
		if f.Column > 0 {
			fmt.Fprintf(&b, ":%d", f.Column)
		}
	}
	if f.Pointer != "" {
		b.WriteString(": " + f.Pointer)
	}
	b.WriteString(": " + f.Message)
	if f.Fix != "" {
		b.WriteString(". " + f.Fix)
	}
	return b.String()
}

// A List is the faults of one reading. A nil or empty List is no error: return
// Err(), never the List itself.
type List []Fault

// Add appends a fault.
func (l *List) Add(f Fault) { *l = append(*l, f) }

// Err returns the faults in order of place, or nil when there are none.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l
}

// Error returns the faults, one a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Closest returns the word of known that is nearest to got, quoted as a
// suggestion ("Did you mean ...?"), or "" when none is near.
func Closest(got string, known []string) string {
	best, bound := "", len(got)/3+1
	for _, k := range known {
		if d := distance(strings.ToLower(got), strings.ToLower(k)); d <= bound && (best == "" || d < bound) {
			best, bound = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("Did you mean %q?", best)
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			substitution := diagonal
			if a[i-1] != b[j-1] {
				substitution++
			}
			diagonal = row[j]
			row[j] = min(substitution, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
