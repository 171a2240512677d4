package server

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/config"
	"doorward/internal/decision"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// hoarding are facts of which one that allows something is never forgotten.
type hoarding struct {
	Directory
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
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	store, err := OpenDirectory(t.Context(), c, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rows, err := store.rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keeper, err := barrier.New(barrier.Config{Store: rows, Clock: gate.NewClock()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	canaryWith := func(kept map[portal.FactKey]portal.Facts) *canary {
		b := &builder{Service: &Service{Store: store}, c: c, o: Options{Log: slog.New(slog.DiscardHandler)}, reg: prometheus.NewRegistry()}
		b.decider = decision.New(p, &hoarding{store, kept}, decision.Options{Timeout: time.Minute})
		return b.newCanary(keeper, "here")
	}
	if here := canaryWith(nil).name; !portal.ValidID(here) || here == (&builder{Service: &Service{Store: store}, c: c, reg: prometheus.NewRegistry()}).newCanary(keeper, "there").name {
		t.Errorf("two directories have the canary %s", here)
	}
	if err := canaryWith(nil).fly(t.Context()); err != nil {
		t.Errorf("with new facts: %v", err)
	}
	old := canaryWith(map[portal.FactKey]portal.Facts{})
	if err := old.fly(t.Context()); !errors.Is(err, errCanaryStale) {
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
	if err := old.refused(t.Context(), action); !errors.Is(err, errCanaryShared) || testutil.ToFloat64(old.stale) != 1 {
		t.Errorf("given by another: %v", err)
	}
}
