package token

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// checkLimits refuses limits that no question can be within.
func checkLimits(l portal.Limits) error {
	for _, id := range l.Accounts {
		if !portal.ValidID(string(id)) {
			return &ArgumentError{fmt.Sprintf("%q is no account's id: 1 to 128 of A-Z a-z 0-9 . _ : @ + ~ -", id)}
		}
	}
	for _, typ := range l.Types {
		if !portal.ValidName(typ) {
			return &ArgumentError{fmt.Sprintf("%q is no type of a resource: 1 to 256 bytes without control characters", typ)}
		}
	}
	return nil
}

// limitsOf returns limits as the directory keeps them: sorted, each once, nil when
// they name nothing.
func limitsOf(l portal.Limits) *portal.Limits {
	if len(l.Accounts)+len(l.Types) == 0 {
		return nil
	}
	return &portal.Limits{
		Accounts: slices.Compact(slices.Sorted(slices.Values(l.Accounts))),
		Types:    slices.Compact(slices.Sorted(slices.Values(l.Types))),
	}
}

// detail is what the trail tells of a new token.
func detail(t directory.Token) map[string]string {
	all := map[string]string{"scopes": strings.Join(t.Scopes, " ")}
	if t.Limits == nil {
		return all
	}
	if len(t.Limits.Accounts) > 0 {
		all["accounts"] = fmt.Sprint(t.Limits.Accounts)
	}
	if len(t.Limits.Types) > 0 {
		all["types"] = fmt.Sprintf("%q", t.Limits.Types)
	}
	return all
}

// clientKey is where a request's context has its token.
type clientKey struct{}

// Limits returns what the client of a request that a Guard let pass may ask about; nil
// when nothing limits it.
func Limits(ctx context.Context) *portal.Limits {
	t, _ := ctx.Value(clientKey{}).(directory.Token)
	return t.Limits
}

// Client returns the id of the token that a request to manage came with.
func Client(ctx context.Context) string {
	t, _ := ctx.Value(clientKey{}).(directory.Token)
	return t.ID
}
