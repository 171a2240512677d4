// Package staff makes users the provider's own people and takes it back (A13.19).
//
// It knows the directory's store and the actions of the policy in force, and nothing
// of what staff may then do: rules decide that. Its invariants: only a user who is
// there becomes staff, with rights that are staff actions of the catalogue; every
// change leaves a line in the audit trail (req 120), and what changes nothing
// leaves none.
package staff

import (
	"context"
	"fmt"
	"strings"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
)

// Admin says who is staff.
type Admin struct {
	Store directory.Store
	Actor string // who does it, as the trail names them
}

// An ArgumentError tells what is wrong with what the caller asked for.
type ArgumentError struct{ Message string }

// Error returns the message.
func (e *ArgumentError) Error() string { return e.Message }

// Rights lists the rights that staff can have: the staff actions of the catalogue, by
// name.
func Rights(cat *catalogue.Catalogue) []string {
	var names []string
	for _, a := range cat.Actions() {
		if a.Class == catalogue.Staff {
			names = append(names, a.Name)
		}
	}
	return names
}

// Add gives a user exactly the rights in may, and returns the user and the rights that
// these replace. No right, or one that is no staff action of the catalogue, is an
// *ArgumentError; an id that no user has is directory.ErrNotFound.
func (a *Admin) Add(ctx context.Context, cat *catalogue.Catalogue, id portal.UserID, may []string) (u portal.User, before portal.StaffRights, err error) {
	if err := check(Rights(cat), may); err != nil {
		return portal.User{}, "", err
	}
	return a.set(ctx, id, portal.NewStaffRights(may...), "staff.add")
}

func check(known, may []string) error {
	all := strings.Join(known, ", ")
	if len(may) == 0 {
		return &ArgumentError{"staff need a right: " + all}
	}
	for _, name := range may {
		if portal.NewStaffRights(known...).May(name) {
			continue
		}
		hint := fault.Closest(name, known)
		if hint == "" {
			hint = "There are: " + all + "."
		}
		return &ArgumentError{fmt.Sprintf("%q is no right of staff. %s", name, hint)}
	}
	return nil
}

// List returns all staff by id.
func (a *Admin) List(ctx context.Context) ([]portal.User, error) {
	all, err := a.Store.Staff(ctx)
	if err != nil {
		return nil, fmt.Errorf("list staff: %w", err)
	}
	return all, nil
}

// Remove takes all rights of staff from a user and returns them as they are then; what
// else they are stays. Removing again changes nothing. An id that no user has is
// directory.ErrNotFound.
func (a *Admin) Remove(ctx context.Context, id portal.UserID) (portal.User, error) {
	u, _, err := a.set(ctx, id, "", "staff.remove")
	return u, err
}

// set makes rights the user's, and logs that with the rights before and after.
func (a *Admin) set(ctx context.Context, id portal.UserID, rights portal.StaffRights, action string) (u portal.User, before portal.StaffRights, err error) {
	_, err = a.Store.Update(ctx, func(tx directory.Tx) (err error) {
		u, err = tx.User(ctx, id)
		if before = u.Staff; err != nil || before == rights {
			return err
		}
		detail := map[string]string{"before": written(before), "may": written(rights)}
		u.Staff = rights
		tx.Log(audit.Entry{Actor: a.Actor, Action: action, Object: "user:" + string(id), Detail: detail})
		return tx.PutUser(ctx, u)
	})
	if err != nil {
		return portal.User{}, "", fmt.Errorf("%s user:%s: %w", action, id, err)
	}
	return u, before, nil
}

// written is rights as the trail has them.
func written(r portal.StaffRights) string { return strings.Join(r.Actions(), " ") }
