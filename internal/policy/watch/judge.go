package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/fault"
	"doorward/internal/policy"
)

// The results of a reload, as they are counted.
const (
	applied   = "applied"
	refused   = "refused"
	unchanged = "unchanged"
)

// judge loads what was read and hands it over if it is sound and new.
func (k *Keeper) judge(ctx context.Context, source policy.Source) {
	interrupted := k.interrupt()
	p, err := k.loaded(ctx, source)
	if err == nil {
		err = k.refusing(ctx, source)
	}
	if ctx.Err() != nil {
		return
	}
	was := k.State()
	if err != nil {
		k.refuse(was, err)
		if interrupted {
			k.report(ctx, k.from)
		}
		return
	}
	result := unchanged
	if p.Digest != was.Digest {
		result = applied
	}
	k.metrics.reloads.WithLabelValues(result).Inc()
	if result == applied {
		k.o.Use(p)
	}
	k.state.Store(&State{Digest: p.Digest, At: time.Now()})
	if result == applied || was.Stale {
		k.o.Log.Info("the policy folder is in force", "policy", p.Digest, "was", was.Digest)
	}
	k.refused, k.from = "", source
	k.report(ctx, source)
}

// A verdict is what a load came to.
type verdict struct {
	policy *policy.Policy
	err    error
}

// loaded loads what was read, and waits for it until the deadline or the end of ctx.
// Compiling cannot be interrupted: a load that takes longer is left to itself, and what
// it comes to is dropped.
func (k *Keeper) loaded(ctx context.Context, source policy.Source) (*policy.Policy, error) {
	done, load := make(chan verdict, 1), k.load
	go func() { done <- guarded(load, source) }()
	deadline := time.NewTimer(k.o.Deadline)
	defer deadline.Stop()
	select {
	case v := <-done:
		return v.policy, v.err
	case <-deadline.C:
		return nil, fmt.Errorf("load policy folder: it takes longer than %v", k.o.Deadline)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// guarded loads what was read. Who edits a policy must not be able to end the
// process that serves the last good one, so a panic of a parser is an error.
func guarded(load func(policy.Source) (*policy.Policy, error), source policy.Source) (v verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			v = verdict{err: fmt.Errorf("load policy folder: panic: %v", cause)}
		}
	}()
	p, err := load(source)
	return verdict{p, err}
}

// refuse notes why the folder does not load. The same reasons are logged once.
func (k *Keeper) refuse(was State, err error) {
	faults, _ := errors.AsType[fault.List](err)
	k.metrics.reloads.WithLabelValues(refused).Inc()
	if k.refused != err.Error() {
		k.refused = err.Error()
		k.logRefusal(was, faults, err)
	}
	k.state.Store(&State{Digest: was.Digest, Stale: true, Faults: faults, At: time.Now()})
}

func (k *Keeper) logRefusal(was State, faults fault.List, err error) {
	if faults == nil {
		k.o.Log.Error("the policy folder does not load; the last good policy serves", "policy", was.Digest, "error", err)
		return
	}
	k.o.Log.Error("the policy folder does not load; the last good policy serves", "policy", was.Digest, "faults", len(faults))
	for _, f := range faults {
		f.File = filepath.Join(k.folder, f.File)
		k.o.Log.Error("fault in the policy folder", "fault", f.Error())
	}
}

// metrics are what a Keeper counts.
type metrics struct {
	reloads *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, k *Keeper) *metrics {
	m := &metrics{reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doorward_policy_reloads_total",
		Help: "Times the policy folder was loaded again, by result (applied, refused, unchanged).",
	}, []string{"result"})}
	for _, result := range []string{applied, refused, unchanged} {
		m.reloads.WithLabelValues(result)
	}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.reloads, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "doorward_policy_tables_failing", Help: "Rows of the policy folder's tables that the policy in force does not answer as they expect.",
	}, func() float64 { return float64(len(k.Failing())) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "doorward_policy_stale", Help: "1 while the policy folder does not load and an older policy is in force.",
	}, func() float64 {
		if k.State().Stale {
			return 1
		}
		return 0
	}))
	return m
}
