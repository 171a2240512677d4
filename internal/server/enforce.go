package server

import (
	"context"
	"errors"
	"fmt"

	"doorward/internal/config"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// Enforce waits until what a command has committed in d is in force at every sidecar
// (R6), as a directory does for its clients. Where no directory process has ever run
// there is nobody to wait for.
func Enforce(ctx context.Context, c config.Config, d Directory, at portal.Position) (o barrier.Outcome, err error) {
	if !d.hasRows() {
		return barrier.Outcome{Enforced: true}, nil
	}
	rows, err := d.rows(ctx)
	if err != nil {
		return o, fmt.Errorf("open the rows of gates: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keeper, err := barrier.New(barrier.Config{Store: rows, Clock: gate.NewClock(), Margin: c.Gates.Margin, Longest: c.Gates.LongestTerm})
	if err != nil {
		return o, fmt.Errorf("look for gates: %w", err)
	}
	return keeper.Enforce(ctx, barrier.Done{At: at, Committed: true})
}
