package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// gateMetrics tell where a gate stands when they are asked for.
type gateMetrics struct {
	gate                            *gate.Gate
	leased, age, lag, revision, odd *prometheus.Desc
	reads                           *prometheus.Desc
}

func newGateMetrics(g *gate.Gate) *gateMetrics {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &gateMetrics{
		gate:     g,
		leased:   desc("doorward_gate_leased", "1 while this process holds a lease, else 0."),
		age:      desc("doorward_gate_lease_age_seconds", "How long ago the directory was asked for the last lease."),
		lag:      desc("doorward_gate_revision_lag", "How many revisions the directory was ahead when it was heard of last."),
		revision: desc("doorward_gate_revision", "The revision that this process has applied."),
		odd: prometheus.NewDesc("doorward_gate_odd_total", "What this process was told and did not believe: other_answer, foreign_history, unknown_change, no_lease, unfit_facts.",
			[]string{"what"}, nil),
		reads: prometheus.NewDesc("doorward_gate_reads_total", "Questions by what their facts came from: memory, shared (what another sidecar has read), directory, nowhere.",
			[]string{"from"}, nil),
	}
}

// Describe tells which metrics these are.
func (m *gateMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.leased, m.age, m.lag, m.revision, m.odd, m.reads} {
		ch <- d
	}
}

// Collect gives them. A lease that was never given has no age.
func (m *gateMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.gate.Status()
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	leased := 0.0
	if s.Leased {
		leased = 1
	}
	gauge(m.leased, leased)
	gauge(m.lag, float64(s.Head-s.Position.Revision))
	gauge(m.revision, float64(s.Position.Revision))
	if s.Joined {
		gauge(m.age, s.Since.Seconds())
	}
	for what, n := range map[string]uint64{
		"other_answer": s.Odd.OtherAnswers, "foreign_history": s.Odd.Foreign, "unknown_change": s.Odd.Unknown,
		"no_lease": s.Odd.NoLease, "unfit_facts": s.Odd.Unfit,
	} {
		ch <- prometheus.MustNewConstMetric(m.odd, prometheus.CounterValue, float64(n), what)
	}
	for from, n := range map[string]uint64{"memory": s.Reads.Memory, "shared": s.Reads.Shared, "directory": s.Reads.Directory, "nowhere": s.Reads.Failed} {
		ch <- prometheus.MustNewConstMetric(m.reads, prometheus.CounterValue, float64(n), from)
	}
}

// enforcing is a keeper whose gates hear of a change before they are waited for, and that
// measures how long that takes.
type enforcing struct {
	*barrier.Keeper
	seconds *prometheus.HistogramVec
	gates   *prometheus.GaugeVec
}

// The outcomes that barriers are counted by, and the states that gates are.
const (
	outcomeEnforced, outcomePending, outcomeFailed = "enforced", "pending", "failed"
	stateCurrent, stateBehind, stateSilent         = "current", "behind", "silent"
)

func newEnforcing(k *barrier.Keeper, reg prometheus.Registerer) *enforcing {
	e := &enforcing{
		Keeper: k,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doorward_revocation_seconds", Help: "Time from the commit of a change until every gate had it in force, or the wait was given up (pending, failed).",
			Buckets: []float64{1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 3.5, 10, 35},
		}, []string{"outcome"}),
		gates: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "doorward_gates", Help: "Gates that may answer from memory, by state: current, behind, silent (waited for in vain).",
		}, []string{"state"}),
	}
	for _, o := range []string{outcomeEnforced, outcomePending, outcomeFailed} {
		e.seconds.WithLabelValues(o)
	}
	reg.MustRegister(e.seconds, e.gates)
	return e
}

// Enforce implements manage.Gates.
func (e *enforcing) Enforce(ctx context.Context, done barrier.Done) (barrier.Outcome, error) {
	e.News()
	began := time.Now()
	o, err := e.Keeper.Enforce(ctx, done)
	if o.Waived {
		return o, err
	}
	outcome := outcomeEnforced
	switch {
	case err != nil:
		outcome = outcomeFailed
	case !o.Enforced:
		outcome = outcomePending
	}
	e.seconds.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
	return o, err
}

// count counts the gates.
func (e *enforcing) count(ctx context.Context, store Directory) error {
	head, err := store.Head(ctx)
	if err != nil {
		return err
	}
	all, err := e.Gates(ctx)
	if err != nil {
		return err
	}
	states := map[string]int{stateCurrent: 0, stateBehind: 0, stateSilent: 0}
	for _, s := range all {
		switch {
		case s.Mark != "":
			states[stateSilent]++
		case s.Acknowledged < head.Revision:
			states[stateBehind]++
		default:
			states[stateCurrent]++
		}
	}
	for state, n := range states {
		e.gates.WithLabelValues(state).Set(float64(n))
	}
	return nil
}
