package decision

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/policy"
)

// metrics are what is counted over all policies.
type metrics struct {
	decisions *prometheus.CounterVec
	seconds   prometheus.Histogram
}

// buckets of the latency histogram, in seconds: a memo hit takes a microsecond,
// a rule some tens, a read of the directory more.
var buckets = []float64{
	5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 1e-1, 2.5e-1, 1,
}

// newMetrics makes a Decider's metrics and registers them unless reg is nil.
func newMetrics(reg prometheus.Registerer, d *Decider) *metrics {
	m := &metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_decisions_total",
			Help: "Questions judged, by outcome (allow, deny, error), reason, and how the answer was found.",
		}, []string{"outcome", "reason", "tier"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorward_decision_seconds", Help: "Time to judge one question.", Buckets: buckets,
		}),
	}
	if reg == nil {
		return m
	}
	reg.MustRegister(m.decisions, m.seconds,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "doorward_memo_entries", Help: "Outcomes of rules remembered under the policy in use.",
		}, func() float64 { return float64(d.inUse.Load().remembered()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "doorward_policy_generation", Help: "How many policies have been put in use since the start.",
		}, func() float64 { return float64(d.inUse.Load().generation) }),
	)
	return m
}

// An outcomeKey is a combination of labels.
type outcomeKey struct {
	outcome string
	reason  string
	tier    Tier
}

// counters are the counters of one policy, resolved beforehand: looking labels
// up costs more than judging.
type counters struct {
	decisions map[outcomeKey]prometheus.Counter
	seconds   prometheus.Histogram
}

// forPolicy resolves a counter for every answer the policy can give.
func (m *metrics) forPolicy(p *policy.Policy) counters {
	c := counters{decisions: make(map[outcomeKey]prometheus.Counter), seconds: m.seconds}
	add := func(outcome, reason string, tiers ...Tier) {
		for _, tier := range tiers {
			c.decisions[outcomeKey{outcome, reason, tier}] = m.decisions.WithLabelValues(outcome, reason, string(tier))
		}
	}
	add("allow", "", TierMemo, TierRules)
	for _, reason := range Reasons {
		add("deny", string(reason), TierMemo, TierRules)
	}
	for _, reason := range []Reason{ActionUnknown, BadInput, AccountRequired} {
		add("deny", string(reason), TierRefused)
	}
	if p.Entities != nil {
		add("deny", string(SubjectUnknown), TierRefused)
		add("deny", string(OutOfScope), TierRefused)
	}
	for _, guardrail := range p.Rules.Guardrails() {
		add("deny", guardrail, TierMemo, TierRules)
	}
	for _, code := range []Unavailability{NotReady, FactsUnavailable, PolicyError, Deadline, Stale, RevisionNotReached, NotRecorded} {
		add("error", string(code), "")
	}
	return c
}

// observe counts an answer and how long it took.
func (e *engine) observe(a Answer, took time.Duration) {
	e.took(took)
	e.count(a)
}

func (e *engine) took(d time.Duration) { e.counters.seconds.Observe(d.Seconds()) }

func (e *engine) count(a Answer) {
	if counter := e.counters.decisions[keyOf(a)]; counter != nil {
		counter.Inc()
	}
}

func keyOf(a Answer) outcomeKey {
	if a.Err != nil {
		code := FactsUnavailable
		if known := (*UnavailableError)(nil); errors.As(a.Err, &known) {
			code = known.Code
		}
		return outcomeKey{outcome: "error", reason: string(code)}
	}
	d := &a.Decision
	if d.Allow {
		return outcomeKey{outcome: "allow", tier: d.Basis.Tier}
	}
	return outcomeKey{outcome: "deny", reason: string(d.Reason), tier: d.Basis.Tier}
}
