package sqlite

import (
	"context"

	"doorward/internal/directory"
	"doorward/internal/gate"
)

// Tokens reads all client tokens for gates, and says from the database of which era.
func (g *Gates) Tokens(ctx context.Context) ([]directory.Token, gate.Era, error) {
	all, err := g.store.Tokens(ctx)
	return all, g.era, err
}
