package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/token"
)

func tokenCommand(p *Process) *cobra.Command {
	c := group("token", "Make, list and revoke client tokens",
		"A client token lets a portal's service ask a Doorward that runs with auth.mode token. The directory keeps only its digest.")
	c.AddCommand(tokenCreateCommand(p), tokenListCommand(p), tokenRevokeCommand(p))
	return c
}

// tokenJSON is a token as --json prints it. It has no digest: that is nobody's
// business.
type tokenJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Token     string     `json:"token,omitempty"` // the secret, when it was just made
}

func newTokenJSON(t directory.Token) tokenJSON {
	j := tokenJSON{ID: t.ID, Name: t.Name, Scopes: t.Scopes, CreatedAt: t.CreatedAt}
	if !t.RevokedAt.IsZero() {
		j.RevokedAt = &t.RevokedAt
	}
	return j
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
	var scopes []string
	c := &cobra.Command{
		Use: "create NAME", Short: "Make a token and print it, once", Args: exactly(1),
		Example: "  doorward token create billing > billing.token",
	}
	s := settingsFlags(p, c, "data")
	c.Flags().StringSliceVar(&scopes, "scope", []string{string(token.Decide)}, "what the token is good for")
	jsonFlag(c, &asJSON)
	c.RunE = func(c *cobra.Command, args []string) error {
		return withTokens(c.Context(), p, s, false, func(a *token.Admin) error {
			made, err := a.Create(c.Context(), args[0], scopes)
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

func tokenListCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List all tokens, revoked ones too", Args: exactly(0),
		Example: "  doorward token list --json",
	}
	s := settingsFlags(p, c, "data")
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
	fmt.Fprintln(table, "ID\tNAME\tSCOPES\tCREATED\tREVOKED")
	for _, t := range tokens {
		revoked := "-"
		if !t.RevokedAt.IsZero() {
			revoked = t.RevokedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", plain(t.ID), plain(t.Name), plain(fmt.Sprint(t.Scopes)), t.CreatedAt.Format(time.RFC3339), revoked)
	}
	return table.Flush()
}

func tokenRevokeCommand(p *Process) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a token for good; running servers refuse it from the next request on", Args: exactly(1),
		Example: "  doorward token revoke 3cztgfijh2eywahs",
	}
	s := settingsFlags(p, c, "data")
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
