package token

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Admin makes and revokes tokens. Every change leaves a line in the audit trail
// (req 111).
type Admin struct {
	Store directory.Store
	Now   func() time.Time
	Actor string // who does it, as the trail names them
}

// A Created token comes with its text, which cannot be had again.
type Created struct {
	directory.Token
	Text string
}

// maxTokenName is the longest name, in bytes, a token can have.
const maxTokenName = 64

// An ArgumentError tells what is wrong with what the caller asked for.
type ArgumentError struct{ Message string }

// Error returns the message.
func (e *ArgumentError) Error() string { return e.Message }

// Create makes a token called name. Without scopes it may do nothing, so that is
// an *ArgumentError, as are an unknown scope and a name that cannot be shown.
func (a *Admin) Create(ctx context.Context, name string, scopes []string) (Created, error) {
	return a.CreateLimited(ctx, name, scopes, portal.Limits{})
}

// CreateLimited is Create of a token that may ask only what the limits admit; those
// that name nothing limit nothing.
func (a *Admin) CreateLimited(ctx context.Context, name string, scopes []string, limits portal.Limits) (Created, error) {
	if !portal.ValidName(name) || len(name) > maxTokenName {
		return Created{}, &ArgumentError{fmt.Sprintf("a token's name has 1 to %d bytes and no control characters", maxTokenName)}
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	if err := checkScopes(scopes); err != nil {
		return Created{}, err
	}
	if err := checkLimits(limits); err != nil {
		return Created{}, err
	}
	id, text := generate()
	_, digest, err := parse(text)
	if err != nil {
		return Created{}, fmt.Errorf("read new token: %w", err)
	}
	made := directory.Token{ID: id, Name: name, Digest: digest, Scopes: scopes, CreatedAt: a.Now().UTC().Truncate(time.Microsecond)}
	made.Limits = limitsOf(limits)
	_, err = a.Store.Update(ctx, func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: a.Actor, Action: "token.create", Object: "token:" + id, Detail: detail(made)})
		return tx.PutToken(ctx, made)
	})
	if err != nil {
		return Created{}, fmt.Errorf("create token: %w", err)
	}
	return Created{made, text}, nil
}

func checkScopes(scopes []string) error {
	known := make([]string, 0, len(Scopes()))
	for _, s := range Scopes() {
		known = append(known, string(s))
	}
	if len(scopes) == 0 {
		return &ArgumentError{"a token needs a scope: " + strings.Join(known, ", ")}
	}
	for _, s := range scopes {
		if !slices.Contains(known, s) {
			return &ArgumentError{fmt.Sprintf("%q is no scope; there is: %s", s, strings.Join(known, ", "))}
		}
	}
	return nil
}

// List returns all tokens by id, revoked ones too.
func (a *Admin) List(ctx context.Context) ([]directory.Token, error) {
	tokens, err := a.Store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// Revoke ends a token for good and returns it. Revoking again changes nothing.
// An id that no token has is directory.ErrNotFound.
func (a *Admin) Revoke(ctx context.Context, id string) (directory.Token, error) {
	var revoked directory.Token
	_, err := a.Store.Update(ctx, func(tx directory.Tx) error {
		tokens, err := tx.Tokens(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(tokens, func(t directory.Token) bool { return t.ID == id })
		if i < 0 {
			return directory.ErrNotFound
		}
		revoked = tokens[i]
		if !inForce(revoked) {
			return nil
		}
		revoked.RevokedAt = a.Now().UTC().Truncate(time.Microsecond)
		tx.Log(audit.Entry{Actor: a.Actor, Action: "token.revoke", Object: "token:" + id})
		return tx.PutToken(ctx, revoked)
	})
	if err != nil {
		return directory.Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	return revoked, nil
}
