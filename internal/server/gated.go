package server

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/portal"
)

// gated are facts that a gate finds, as fresh as questions need.
type gated struct{ gate *gate.Gate }

var _ interface {
	decision.Facts
	decision.FreshFacts
} = gated{}

// ReadFresh implements decision.FreshFacts.
func (g gated) ReadFresh(ctx context.Context, keys []portal.FactKey, need decision.Need) (decision.Known, error) {
	r, err := g.gate.Read(ctx, gate.Query{Keys: keys, Bounded: need.Bounded, Min: need.Min, Policy: need.Policy})
	if err != nil {
		return decision.Known{}, because(err)
	}
	return decision.Known{Facts: r.Facts, Position: r.Position, Now: decision.Moment(r.Now)}, nil
}

// Read implements decision.Facts.
func (g gated) Read(ctx context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	all, at, err := g.ReadAll(ctx, []portal.FactKey{key})
	if err != nil {
		return portal.Facts{}, portal.Position{}, err
	}
	return all[0], at, nil
}

// ReadAll implements decision.Facts.
func (g gated) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	known, err := g.ReadFresh(ctx, keys, decision.Need{Policy: g.gate.Status().Policy})
	return known.Facts, known.Position, err
}

// A reason wraps an error of a gate in the word that decisions have for it.
type reason struct{ why, err error }

func (r reason) Error() string   { return r.err.Error() }
func (r reason) Unwrap() []error { return []error{r.why, r.err} }

// because says why facts are missing. What is not here cannot be read.
func because(err error) error {
	for _, known := range []struct{ gate, decision error }{
		{gate.ErrPolicyMoved, decision.ErrPolicyMoved}, // before what it wraps
		{gate.ErrNotReady, decision.ErrNotReady},
		{gate.ErrStale, decision.ErrStale},
		{gate.ErrRevisionNotReached, decision.ErrRevisionNotReached},
	} {
		if errors.Is(err, known.gate) {
			return reason{known.decision, err}
		}
	}
	return err
}

// How long a gate waits after an ask that failed: little at first, and never as long as a
// lease, with some chance in it so that many gates do not come back at once.
const (
	firstRetry   = 20 * time.Millisecond
	longestRetry = 500 * time.Millisecond
	leaveTimeout = time.Second
)

// follow has a gate follow its directory until ctx ends. Then what is spooled is sent
// (R16), and the lease given back, so that nothing waits for it (R6).
func follow(ctx context.Context, g *gate.Gate, log *slog.Logger) {
	pause, lost := firstRetry, false
	for ctx.Err() == nil {
		err := g.Step(ctx)
		if err == nil {
			if lost {
				log.InfoContext(ctx, "the directory answers again")
			}
			pause, lost = firstRetry, false
			continue
		}
		if ctx.Err() != nil {
			break
		}
		if !lost {
			log.WarnContext(ctx, "the directory does not answer; trying on", "error", err)
		}
		lost = true
		wait(ctx, pause/2+rand.N(pause/2))
		pause = min(2*pause, longestRetry)
	}
	atLast := func(what func(context.Context) error, otherwise string) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		if err := what(ctx); err != nil {
			log.WarnContext(ctx, otherwise, "error", err)
		}
	}
	atLast(g.Flush, "decisions stay on disk until this sidecar runs again")
	atLast(g.Leave, "the lease could not be given back: removals wait for it")
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// every calls do again and again with pauses of d until ctx ends, and logs when it begins
// to fail and when that is over.
func every(ctx context.Context, d time.Duration, log *slog.Logger, what string, do func(context.Context) error) {
	failing := false
	for ctx.Err() == nil {
		err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			log.ErrorContext(ctx, what+" fails", "error", err)
		case err == nil && failing:
			log.InfoContext(ctx, what+" works again")
		}
		failing = err != nil
		wait(ctx, d)
	}
}

// tokens are those that a gate knows, for a token.Verifier.
type tokens struct {
	read func(context.Context) ([]directory.Token, error)
	gate *gate.Gate
}

// Tokens reads them anew.
func (t tokens) Tokens(ctx context.Context) ([]directory.Token, error) { return t.read(ctx) }

// Stamp says until when what was read counts.
func (t tokens) Stamp() directory.Stamp { return t.gate.Tokens() }
