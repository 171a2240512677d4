package barrier_test

import (
	"context"

	"doorward/internal/gate"
	"doorward/internal/gate/simulation"
	"doorward/internal/portal"
)

// failing is a database that fails over after every read of facts.
type failing struct{ *simulation.Memory }

func (f failing) Facts(ctx context.Context, keys []portal.FactKey) (gate.Found, error) {
	defer f.FailOver()
	return f.Memory.Facts(ctx, keys)
}
