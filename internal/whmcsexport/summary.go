package whmcsexport

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"doorward/internal/portal"
)

// A Summary counts what an export has, and has not.
type Summary struct {
	Accounts int // with a member that is listed
	Members  int // that are listed
	Empty    int // of these, without any permission
	// LeftOut are the memberships that are not listed, by why: owner, pending, expired,
	// removed, disabled.
	LeftOut map[string]int
	// Lost and Gained count members by what they lose and gain.
	Lost, Gained map[string]int
	// Moved tells that the directory changed while it was read: rows of different
	// accounts may be of different states.
	Moved bool

	position portal.Position
}

func newSummary() Summary {
	return Summary{LeftOut: map[string]int{}, Lost: map[string]int{}, Gained: map[string]int{}}
}

// read notes where the directory stood when a part of it was read.
func (s *Summary) read(at portal.Position) {
	s.Moved = s.Moved || s.position != portal.Position{} && s.position != at
	s.position = at
}

func (s *Summary) add(l list) {
	s.Members++
	if len(l.keys) == 0 {
		s.Empty++
	}
	count(s.Lost, l.lost)
	count(s.Gained, l.gained)
}

// count counts each kind of difference once.
func count(in map[string]int, differences []difference) {
	for i, d := range differences {
		if !slices.ContainsFunc(differences[:i], func(earlier difference) bool { return earlier.what == d.what }) {
			in[d.what]++
		}
	}
}

// Print writes the summary as a table.
func (s Summary) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "listed\t%d members of %d accounts, %d without any permission\n", s.Members, s.Accounts, s.Empty)
	for _, row := range []struct {
		name   string
		counts map[string]int
	}{{"left out", s.LeftOut}, {"lost", s.Lost}, {"gained", s.Gained}} {
		fmt.Fprintf(table, "%s\t%s\n", row.name, counted(row.counts))
	}
	if s.Moved {
		fmt.Fprintf(table, "changed\tthe directory, while it was read: export again for one state of it\n")
	}
	return table.Flush()
}

// counted writes counts by name.
func counted(counts map[string]int) string {
	if len(counts) == 0 {
		return "nothing"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}
