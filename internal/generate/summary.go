package generate

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// A Summary counts what a portal has.
type Summary struct {
	Accounts, Suspended, Closed, MFARequired int
	Users, SecondFactor, Disabled            int
	SharedOwners                             int // accounts whose owner has an earlier one, too
	Memberships, Pending, Removed            int
	Presets, Granular, Scoped, MailChoices   int
	Expired, InForce, Future                 int // memberships with an end, by the time of the file
	Contacts                                 int
	// Sizes counts accounts by members, the owner included, up to the numbers of Steps.
	Sizes [len(Steps)]int
	// Largest is the most members that an account has.
	Largest int
	// LargestAgency and LargestBookkeeper are the most accounts one of them works for.
	LargestAgency, LargestBookkeeper int
}

// Steps are the sizes that accounts are counted by: up to one member, two, and so on;
// the last has no end.
var Steps = [...]int{1, 2, 5, 10, 25, 100, 1000, 1 << 30}

func (s *Summary) size(members int) {
	s.Largest = max(s.Largest, members)
	for i, most := range Steps {
		if members <= most {
			s.Sizes[i]++
			return
		}
	}
}

func (s *Summary) status(status string) {
	switch status {
	case "suspended":
		s.Suspended++
	case "closed":
		s.Closed++
	}
}

func (s *Summary) membership(line membershipLine) {
	s.Memberships++
	switch line.State {
	case "pending":
		s.Pending++
	case "removed":
		s.Removed++
	}
}

// grant counts g. Times in one form and zone compare as texts do.
func (s *Summary) grant(g grantMembers, now string) {
	if len(g.Presets) > 0 {
		s.Presets++
	}
	if len(g.Categories) > 0 {
		s.Granular++
	}
	if len(g.Scope) > 0 {
		s.Scoped++
	}
	switch {
	case g.NotAfter == "":
	case g.NotAfter <= now:
		s.Expired++
	case g.NotBefore > now:
		s.Future++
	default:
		s.InForce++
	}
}

// Print writes the summary as a table.
func (s Summary) Print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		name  string
		count int
		more  string
	}{
		{"accounts", s.Accounts, fmt.Sprintf("%d suspended, %d closed, %d require a second factor", s.Suspended, s.Closed, s.MFARequired)},
		{"users", s.Users, fmt.Sprintf("%d with a second factor, %d disabled", s.SecondFactor, s.Disabled)},
		{"memberships", s.Memberships, fmt.Sprintf("%d pending, %d removed", s.Pending, s.Removed)},
		{"with presets", s.Presets, fmt.Sprintf("%d with single categories", s.Granular)},
		{"scoped", s.Scoped, fmt.Sprintf("%d that end: %d have, %d are in force, %d have not begun", s.Expired+s.InForce+s.Future, s.Expired, s.InForce, s.Future)},
		{"choices of mail", s.MailChoices, ""},
		{"contacts", s.Contacts, ""},
		{"shared owners", s.SharedOwners, "accounts whose owner has another one"},
		{"largest account", s.Largest, "members"},
		{"largest agency", s.LargestAgency, fmt.Sprintf("accounts; %d the largest bookkeeper", s.LargestBookkeeper)},
	} {
		fmt.Fprintf(table, "%s\t%d\t%s\n", row.name, row.count, row.more)
	}
	for i, accounts := range s.Sizes {
		fmt.Fprintf(table, "%s\t%d\taccounts\n", step(i), accounts)
	}
	return table.Flush()
}

// step names the sizes that are counted together.
func step(i int) string {
	low := 1
	if i > 0 {
		low = Steps[i-1] + 1
	}
	switch {
	case i == len(Steps)-1:
		return fmt.Sprintf("%d members or more", low)
	case low == Steps[i]:
		return fmt.Sprintf("%d members", low)
	}
	return fmt.Sprintf("%d to %d members", low, Steps[i])
}
