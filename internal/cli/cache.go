package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"doorward/internal/cachetool"
	"doorward/internal/explain"
	"doorward/internal/portal"
	"doorward/internal/server"
)

// sharingSettings are the settings that the commands of the shared cache need.
var sharingSettings = []string{"data", "database.url_file", "redis", "redis_password_file", "redis_sentinel_password_file", "redis_ca_file"}

func cacheCommand(p *Process) *cobra.Command {
	c := group("cache", "Work on the cache that sidecars share", "What sidecars share in Redis (docs/freshness.md). Nobody's rights hang on it.")
	c.AddCommand(cacheWarmCommand(p), cacheShowCommand(p))
	return c
}

func cacheWarmCommand(p *Process) *cobra.Command {
	c := &cobra.Command{
		Use: "warm [ACCOUNT...]", Short: "Put everybody into the cache", Args: cobra.ArbitraryArgs,
		Long: "Writes the facts of all members and contacts of the accounts, or of all accounts, so that sidecars that start find them. What\n" +
			"is written ends after ten minutes at most.",
		Example: "  doorward cache warm --redis redis://127.0.0.1\n  doorward cache warm account:42 --redis redis://127.0.0.1",
	}
	s := settingsFlags(p, c, sharingSettings...)
	c.RunE = func(c *cobra.Command, args []string) error {
		return p.sharing(c.Context(), s, func(t *cachetool.Tool) error {
			n, err := t.Warm(c.Context(), accountsOf(args)...)
			if err == nil || n > 0 {
				p.notef("Entries written: %d.", n)
			}
			return err
		})
	}
	return c
}

func cacheShowCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show SUBJECT [ACCOUNT...]", Short: "Show what the cache holds for a person", Args: atLeastOne,
		Long: "Shows what is held of a user in the accounts, or in all where the user has a membership, beside what the directory says now. Of a\n" +
			"contact, name the account. What is outdated is not taken by sidecars that know of the change; what is forged by none.",
		Example: "  doorward cache show user:7 --redis redis://127.0.0.1\n  doorward cache show contact:9 account:42 --redis redis://127.0.0.1",
	}
	s := settingsFlags(p, c, sharingSettings...)
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		who, err := portal.ParseRef(args[0])
		if err != nil {
			return usagef("SUBJECT: %v", err)
		}
		if who.Type != portal.TypeUser && len(args) == 1 {
			return usagef("Name the account of %s: %s", args[0], c.UseLine())
		}
		return p.sharing(c.Context(), s, func(t *cachetool.Tool) error {
			lines, err := t.Show(c.Context(), who, accountsOf(args[1:])...)
			if err != nil {
				return err
			}
			return p.showHeld(who, lines, asJSON)
		})
	}
	return c
}

// sharing has a tool work on the cache of the directory that the settings name.
func (p *Process) sharing(ctx context.Context, s *settings, work func(*cachetool.Tool) error) (err error) {
	c, err := s.load(ctx)
	if err != nil {
		return err
	}
	if c.Redis.URL == "" {
		return usagef("Name the Redis that sidecars share: --redis URL")
	}
	store, done, err := p.openDirectory(ctx, c, true)
	if err != nil {
		return err
	}
	defer done(&err)
	return server.Sharing(ctx, c, store, logger(p.Stderr, c.Log), work)
}

// A heldJSON is what the cache holds of somebody in an account, as --json prints it.
type heldJSON struct {
	Account  portal.AccountID `json:"account"`
	State    cachetool.State  `json:"state"`
	Position string           `json:"position,omitempty"`
	Held     *explain.Facts   `json:"held,omitempty"`
	Now      explain.Facts    `json:"now"`
}

func (p *Process) showHeld(who portal.Ref, lines []cachetool.Line, asJSON bool) error {
	all := make([]heldJSON, len(lines))
	for i, l := range lines {
		all[i] = heldJSON{Account: l.Account, State: l.State, Now: explain.FactsOf(l.Account, who, l.Now)}
		if len(l.Held.Facts) > 0 {
			held := explain.FactsOf(l.Account, who, l.Held.Facts[0])
			all[i].Held, all[i].Position = &held, l.Held.Position.String()
		}
	}
	if asJSON {
		return p.printJSON(all)
	}
	for _, h := range all {
		if err := p.printHeld(h); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		p.notef("%s has no membership in any account.", plain(who.String()))
	}
	return nil
}

func (p *Process) printHeld(h heldJSON) error {
	first := "account:" + string(h.Account) + ": " + string(h.State)
	if h.Held != nil {
		first += ", of position " + h.Position
	}
	lines := append([]string{first}, saidOf("held", h.Held)...)
	if h.State != cachetool.Current {
		lines = append(lines, saidOf("now", &h.Now)...)
	}
	for _, line := range lines {
		if err := p.printf("%s\n", plain(line)); err != nil {
			return err
		}
	}
	return nil
}

// saidOf are the lines that say what facts are, and when they are so.
func saidOf(when string, f *explain.Facts) (lines []string) {
	if f == nil {
		return nil
	}
	all := memberLines(f.Membership)
	if f.Contact != nil {
		all = append(all, contactLine(f.Contact))
	}
	if f.User != nil {
		all = append(all, userLine(f.User))
	}
	if f.Account != nil {
		all = append(all, accountLine(f.Account))
	}
	for _, line := range all {
		lines = append(lines, fmt.Sprintf("  %-4s  %s", when, strings.TrimSpace(line)))
	}
	if len(all) == 0 {
		lines = []string{fmt.Sprintf("  %-4s  nothing is known", when)}
	}
	return lines
}

// accountsOf reads accounts as people write them.
func accountsOf(args []string) []portal.AccountID {
	all := make([]portal.AccountID, len(args))
	for i, arg := range args {
		all[i] = portal.AccountID(strings.TrimPrefix(arg, portal.TypeAccount+":"))
	}
	return all
}
