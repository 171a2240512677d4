package postgres

import (
	"context"

	"doorward/internal/directory"
	"doorward/internal/gate"
)

// Tokens reads all client tokens for gates, and says from the database of which era.
func (g *Gates) Tokens(ctx context.Context) (all []directory.Token, era gate.Era, err error) {
	err = g.read(ctx, "read tokens for gates", func(c *session, o origin) (err error) {
		era = o.era
		all, err = c.tokens(ctx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return all, era, nil
}
