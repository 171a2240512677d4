package canary

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/importer"
	"doorward/internal/policy"
	"doorward/internal/portal"
	"doorward/policies"
)

// hoarding are facts of which one that allows something is never forgotten.
type hoarding struct {
	directory.Store
	kept map[portal.FactKey]portal.Facts
}

func (h *hoarding) Read(ctx context.Context, key portal.FactKey) (portal.Facts, portal.Position, error) {
	all, at, err := h.ReadAll(ctx, []portal.FactKey{key})
	if err != nil {
		return portal.Facts{}, at, err
	}
	return all[0], at, nil
}

func (h *hoarding) ReadAll(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all, at, err := h.Facts(ctx, keys)
	for i, key := range keys {
		if kept, known := h.kept[key]; known {
			all[i] = kept
		} else if err == nil && all[i].Membership.State == portal.MembershipActive && h.kept != nil {
			h.kept[key] = all[i]
		}
	}
	return all, at, err
}

// R6: a directory that goes on allowing what was taken away is found out, and what is wrong is
// told apart from another directory that has the same canary.
func TestTheCanaryFindsOldFacts(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rows, err := store.Gates(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keeper, err := barrier.New(barrier.Config{Store: rows, Clock: gate.NewClock()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Read(policies.FS).Load()
	if err != nil {
		t.Fatal(err)
	}
	canaryOf := func(place string, kept map[portal.FactKey]portal.Facts) *Canary {
		return New(Options{
			Place: place, Store: store, Salt: store.Salt(), Keeper: keeper, Limit: time.Minute, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
			Decider: decision.New(p, &hoarding{store, kept}, decision.Options{Timeout: time.Minute}),
			Words:   func() importer.Words { return importer.Words{Catalogue: p.Catalogue, Presets: p.Presets} },
		})
	}
	if here := canaryOf("here", nil).name; !portal.ValidID(here) || here == canaryOf("there", nil).name {
		t.Errorf("two directories have the canary %s", here)
	}
	if err := canaryOf("here", nil).Fly(t.Context()); err != nil {
		t.Errorf("with new facts: %v", err)
	}
	old := canaryOf("here", map[portal.FactKey]portal.Facts{})
	if err := old.Fly(t.Context()); !errors.Is(err, errStale) {
		t.Errorf("with old facts: %v", err)
	}
	if failures, stale := testutil.ToFloat64(old.failures), testutil.ToFloat64(old.stale); failures != 1 || stale != 1 {
		t.Errorf("%v failures, %v stale", failures, stale)
	}
	action, category, err := old.perch()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.put(t.Context(), old.membership(category)); err != nil {
		t.Fatal(err)
	}
	if err := old.refused(t.Context(), action); !errors.Is(err, errShared) || testutil.ToFloat64(old.stale) != 1 {
		t.Errorf("given by another: %v", err)
	}
}
