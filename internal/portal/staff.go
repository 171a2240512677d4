package portal

import (
	"slices"
	"strings"
)

// StaffRights are the staff actions that a user may do, as one of the provider's
// own people (A13.19): sorted names with commas between them. The zero value is
// nobody of the provider's.
type StaffRights string

// NewStaffRights returns the rights to the named actions, in whichever order they
// come and however often.
func NewStaffRights(actions ...string) StaffRights {
	sorted := slices.Clone(actions)
	slices.Sort(sorted)
	return StaffRights(strings.Join(slices.Compact(sorted), ","))
}

// Actions returns the names of the actions, sorted.
func (r StaffRights) Actions() []string {
	if r == "" {
		return nil
	}
	return strings.Split(string(r), ",")
}

// May tells whether action is one of them.
func (r StaffRights) May(action string) bool {
	for name := range strings.SplitSeq(string(r), ",") {
		if name == action {
			return action != ""
		}
	}
	return false
}
