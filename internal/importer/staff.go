package importer

import (
	"context"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/portal"
)

// What is said of a file that would change a staff member's login.
const (
	staffIsTouched  = "is staff, whose login no import changes"
	takeRightsFirst = "Take the staff rights away first (doorward staff remove)."
)

// refuseStaff refuses, before anything is written, a plan that would change the login of
// the provider's own people: who can change an address in the portal must not come to
// hold what staff may do in every account (A13.19).
func (p *Plan) refuseStaff(ctx context.Context, store directory.Reader) error {
	staff, err := store.Staff(ctx)
	if err != nil {
		return fmt.Errorf("list staff: %w", err)
	}
	stored := make(map[portal.UserID]portal.User, len(staff))
	for _, u := range staff {
		stored[u.ID] = u
	}
	var faults fault.List
	for _, u := range p.users {
		if old, known := stored[u.ID]; known && touchesStaff(old, u.over(old, known)) {
			faults.Add(fault.Fault{File: p.file, Line: u.line, Message: fmt.Sprintf("user %s %s", u.ID, staffIsTouched), Fix: takeRightsFirst})
		}
	}
	return faults.Err()
}

// touchesStaff tells whether old is staff and u would be somebody else, or let in where
// old is not or the other way round.
func touchesStaff(old, u portal.User) bool {
	return old.Staff != "" && (old.Person != u.Person || old.Status != u.Status)
}
