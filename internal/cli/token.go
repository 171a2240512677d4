package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/portal"
	"doorward/internal/token"
)

func tokenCommand(p *Process) *cobra.Command {
	c := group("token", "Make, list and revoke client tokens",
		"A client token lets a portal's service ask a Doorward that runs with auth.mode token. With the scope manage "+
			"it keeps the directory in step with the portal, in any mode. The directory keeps only its digest.")
	c.AddCommand(tokenCreateCommand(p), tokenListCommand(p), tokenRevokeCommand(p))
	return c
}

// tokenJSON is a token as --json prints it. It has no digest: that is nobody's
// business.
type tokenJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Accounts  []string   `json:"accounts,omitempty"` // absent: all
	Types     []string   `json:"types,omitempty"`    // absent: all
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Token     string     `json:"token,omitempty"` // the secret, when it was just made
}

func newTokenJSON(t directory.Token) tokenJSON {
	j := tokenJSON{ID: t.ID, Name: t.Name, Scopes: t.Scopes, CreatedAt: t.CreatedAt}
	if t.Limits != nil {
		j.Accounts, j.Types = texts(t.Limits.Accounts), t.Limits.Types
	}
	if !t.RevokedAt.IsZero() {
		j.RevokedAt = &t.RevokedAt
	}
	return j
}

// texts returns names as plain strings.
func texts[S ~string](names []S) (all []string) {
	for _, name := range names {
		all = append(all, string(name))
	}
	return all
}

// withTokens opens the directory and hands its tokens to do.
func withTokens(ctx context.Context, p *Process, s *settings, mustExist bool, do func(*token.Admin) error) (err error) {
	c, err := s.load(ctx)
	if err != nil {
		return err
	}
	store, done, err := p.openDirectory(ctx, c, mustExist)
	if err != nil {
		return err
	}
	defer done(&err)
	return do(&token.Admin{Store: store, Now: time.Now, Actor: actor()})
}

func tokenCreateCommand(p *Process) *cobra.Command {
	var asJSON bool
	var scopes, accounts, types []string
	c := &cobra.Command{
		Use: "create NAME", Short: "Make a token and print it, once", Args: exactly(1),
		Example: "  doorward token create billing > billing.token\n  doorward token create reseller --accounts acme,clinic --types account,service > reseller.token\n  doorward token create portal --scope manage > portal.token",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	c.Flags().StringSliceVar(&scopes, "scope", []string{string(token.Decide)}, "what the token is good for: "+strings.Join(texts(token.Scopes()), ", "))
	_ = c.RegisterFlagCompletionFunc("scope", cobra.FixedCompletions(texts(token.Scopes()), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	c.Flags().StringSliceVar(&accounts, "accounts", nil, "the only accounts that its client may ask about, or manage; none given: all")
	c.Flags().StringSliceVar(&types, "types", nil, "the only types of resources that its client may ask about, or manage; none given: all")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		limits, err := limitsFrom(c, accounts, types)
		if err != nil {
			return err
		}
		return withTokens(c.Context(), p, s, false, func(a *token.Admin) error {
			made, err := a.CreateLimited(c.Context(), args[0], scopes, limits)
			if err != nil {
				return err
			}
			if asJSON {
				j := newTokenJSON(made.Token)
				j.Token = made.Text
				return p.printJSON(j)
			}
			p.notef("Token %s for %s. It is shown only now; keep it in a file that only its client can read.", made.ID, plain(made.Name))
			return p.printf("%s\n", made.Text)
		})
	}
	return c
}

// limitsFrom reads the limits of a new token. A list that is given and empty, as from a
// variable that is not set, is refused: it would limit nothing.
func limitsFrom(c *cobra.Command, accounts, types []string) (portal.Limits, error) {
	for flag, given := range map[string][]string{"accounts": accounts, "types": types} {
		if c.Flags().Changed(flag) && len(given) == 0 {
			return portal.Limits{}, &token.ArgumentError{Message: "--" + flag + " is empty: name some, or leave it out for all"}
		}
	}
	limits := portal.Limits{Types: types}
	for _, id := range accounts {
		limits.Accounts = append(limits.Accounts, portal.AccountID(id))
	}
	return limits, nil
}

func tokenListCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List all tokens, revoked ones too", Args: exactly(0),
		Example: "  doorward token list --json",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withTokens(c.Context(), p, s, true, func(a *token.Admin) error {
			tokens, err := a.List(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				all := make([]tokenJSON, len(tokens))
				for i, t := range tokens {
					all[i] = newTokenJSON(t)
				}
				return p.printJSON(map[string]any{"tokens": all})
			}
			return p.printTokens(tokens)
		})
	}
	return c
}

func (p *Process) printTokens(tokens []directory.Token) error {
	if len(tokens) == 0 {
		p.notef("There are no tokens. Make one: doorward token create NAME")
		return nil
	}
	table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tSCOPES\tACCOUNTS\tTYPES\tCREATED\tREVOKED")
	for _, t := range tokens {
		revoked := "-"
		if !t.RevokedAt.IsZero() {
			revoked = t.RevokedAt.Format(time.RFC3339)
		}
		accounts, types := "all", "all"
		if l := t.Limits; l != nil && len(l.Accounts) > 0 {
			accounts = plain(fmt.Sprint(l.Accounts))
		}
		if l := t.Limits; l != nil && len(l.Types) > 0 {
			types = plain(fmt.Sprint(l.Types))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(t.ID), plain(t.Name), plain(fmt.Sprint(t.Scopes)), accounts, types, t.CreatedAt.Format(time.RFC3339), revoked)
	}
	return table.Flush()
}

func tokenRevokeCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a token for good; running servers refuse it from the next request on", Args: exactly(1),
		Example: "  doorward token revoke 3cztgfijh2eywahs",
	}
	s := settingsFlags(p, c, "data", "database.url_file")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		return withTokens(c.Context(), p, s, true, func(a *token.Admin) error {
			revoked, err := a.Revoke(c.Context(), args[0])
			if errors.Is(err, directory.ErrNotFound) {
				return unknownToken(c.Context(), a, args[0])
			}
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(newTokenJSON(revoked))
			}
			p.notef("Token %s of %s is revoked since %s.", plain(revoked.ID), plain(revoked.Name), revoked.RevokedAt.Format(time.RFC3339))
			return nil
		})
	}
	return c
}

// unknownToken suggests the id that was meant. What was typed is not repeated: it
// may be a whole token.
func unknownToken(ctx context.Context, a *token.Admin, typed string) error {
	tokens, err := a.List(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
		if t.Name == typed {
			return fmt.Errorf("no token has this id. The token of %s is %s", t.Name, t.ID)
		}
	}
	hint := fault.Closest(typed, ids)
	if hint == "" {
		hint = "See doorward token list."
	}
	return fmt.Errorf("no token has this id. %s", hint)
}
