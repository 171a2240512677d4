package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/portal"
	"doorward/internal/server"
	"doorward/internal/staff"
)

func staffCommand(p *Process) *cobra.Command {
	c := group("staff", "Say who of the provider's people are staff, and what they may do",
		"Staff are users with rights besides their memberships: single staff.* actions, staff.read to read in every account, "+
			"staff.login_as to act in an owner's name with a ticket and an end.")
	c.AddCommand(staffAddCommand(p), staffListCommand(p), staffRemoveCommand(p))
	return c
}

// staffJSON is one of the staff as --json prints them.
type staffJSON struct {
	User   portal.UserID     `json:"user"`
	Status portal.UserStatus `json:"status"`
	May    []string          `json:"may"`
}

func newStaffJSON(u portal.User) staffJSON {
	return staffJSON{u.ID, u.Status, append([]string{}, u.Staff.Actions()...)}
}

// withStaff opens the directory and hands its staff to do.
func withStaff(ctx context.Context, p *Process, s *settings, do func(config.Config, *staff.Admin) error) (err error) {
	c, err := s.load(ctx)
	if err != nil {
		return err
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return err
	}
	defer done(&err)
	return do(c, &staff.Admin{Store: store, Actor: actor()})
}

func staffAddCommand(p *Process) *cobra.Command {
	var asJSON bool
	var may []string
	c := &cobra.Command{
		Use: "add USER --may ACTION[,ACTION]", Short: "Give a user exactly these rights of staff", Args: exactly(1),
		Example: "  doorward staff add user:tess --may staff.read,staff.login_as",
	}
	s := settingsFlags(p, c, "data", "database.url_file", "policies")
	c.Flags().StringSliceVar(&may, "may", nil, "staff `actions` of the policy, with commas between them")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		return withStaff(c.Context(), p, s, func(settings config.Config, a *staff.Admin) error {
			policy, err := server.LoadPolicy(settings.Policies)
			if err != nil {
				return err
			}
			u, before, err := a.Add(c.Context(), policy.Catalogue, userID(args[0]), may)
			if errors.Is(err, directory.ErrNotFound) {
				return fmt.Errorf("there is no user:%s; staff have a login like everybody: import them first", userID(args[0]))
			}
			if err != nil {
				return err
			}
			return p.printStaffed(u, asJSON, "user:%s is staff and may: %s.%s", u.ID, strings.Join(u.Staff.Actions(), ", "), replaced(before, u.Staff))
		})
	}
	return c
}

// replaced says which other rights somebody had before; nothing when they had none.
func replaced(before, now portal.StaffRights) string {
	if before == "" || before == now {
		return ""
	}
	return " Before: " + strings.Join(before.Actions(), ", ") + "."
}

// userID takes an id, or what questions call the user: user:tess.
func userID(s string) portal.UserID {
	return portal.UserID(strings.TrimPrefix(s, portal.TypeUser+":"))
}

// printStaffed prints what became of u: as JSON, else as a message.
func (p *Process) printStaffed(u portal.User, asJSON bool, format string, args ...any) error {
	if asJSON {
		return p.printJSON(newStaffJSON(u))
	}
	p.notef("%s", plain(fmt.Sprintf(format, args...)))
	return nil
}

func staffListCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List all staff with their rights", Args: exactly(0),
		Example: "  doorward staff list --json",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withStaff(c.Context(), p, s, func(_ config.Config, a *staff.Admin) error {
			users, err := a.List(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				all := make([]staffJSON, len(users))
				for i, u := range users {
					all[i] = newStaffJSON(u)
				}
				return p.printJSON(map[string]any{"staff": all})
			}
			return p.printStaff(users)
		})
	}
	return c
}

func (p *Process) printStaff(users []portal.User) error {
	if len(users) == 0 {
		p.notef("Nobody is staff. Make somebody: doorward staff add USER --may ACTION")
		return nil
	}
	table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tSTATUS\tMAY")
	for _, u := range users {
		fmt.Fprintf(table, "user:%s\t%s\t%s\n", plain(string(u.ID)), u.Status, plain(strings.Join(u.Staff.Actions(), " ")))
	}
	return table.Flush()
}

func staffRemoveCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "remove USER", Short: "Take all rights of staff from a user; running servers follow at the next question", Args: exactly(1),
		Example: "  doorward staff remove user:tess",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		return withStaff(c.Context(), p, s, func(_ config.Config, a *staff.Admin) error {
			u, err := a.Remove(c.Context(), userID(args[0]))
			if errors.Is(err, directory.ErrNotFound) {
				return unknownStaff(c.Context(), a, userID(args[0]))
			}
			if err != nil {
				return err
			}
			return p.printStaffed(u, asJSON, "user:%s is not staff.", u.ID)
		})
	}
	return c
}

// unknownStaff suggests who was meant.
func unknownStaff(ctx context.Context, a *staff.Admin, typed portal.UserID) error {
	users, err := a.List(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = string(u.ID)
	}
	hint := fault.Closest(string(typed), ids)
	if hint == "" {
		hint = "See doorward staff list."
	}
	return fmt.Errorf("there is no user:%s. %s", typed, hint)
}
