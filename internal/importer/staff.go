package importer

import (
	"context"
	"fmt"

	"doorward/internal/fault"
	"doorward/internal/importer/shelf"
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
func (r *run) refuseStaff(ctx context.Context) error {
	staff, err := r.read.Staff(ctx)
	if err != nil {
		return fmt.Errorf("list staff: %w", err)
	}
	var faults fault.List
	for _, old := range staff {
		row, known, err := r.shelf.Find(ctx, shelf.User, string(old.ID))
		if err != nil {
			return err
		}
		if !known || row.Reason != "" {
			continue
		}
		o, err := r.reader.again(row)
		if err != nil {
			return err
		}
		if u := o.user(); touchesStaff(old, u.over(old, true)) {
			faults.Add(fault.Fault{File: r.file, Line: u.line, Message: fmt.Sprintf("user %s %s", u.ID, staffIsTouched), Fix: takeRightsFirst})
		}
	}
	return faults.Err()
}

// touchesStaff tells whether old is staff and u would be somebody else, or let in where
// old is not or the other way round.
func touchesStaff(old, u portal.User) bool {
	return old.Staff != "" && (old.Person != u.Person || old.Status != u.Status)
}
