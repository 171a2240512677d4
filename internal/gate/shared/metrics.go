package shared

import "github.com/prometheus/client_golang/prometheus"

// What became of looking for an entry, and of writing one.
const (
	found      = "found"
	missing    = "missing"
	malformed  = "malformed"   // no entry, or one of another version
	unknownKey = "unknown_key" // sealed with a key that is not known (any more, or yet)
	forged     = "forged"      // not sealed by a gate, or not for this name
	failed     = "failed"      // Redis did not answer, or not so
	skipped    = "skipped"     // Redis was not asked: it failed a moment ago, or too many ask

	written = "written"
	dropped = "dropped" // too many wait to be written
	unfit   = "unfit"   // too long
)

type metrics struct{ finds, fills *prometheus.CounterVec }

func newMetrics(reg prometheus.Registerer) *metrics {
	counters := func(name, help string, results ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"result"})
		for _, r := range results {
			v.WithLabelValues(r)
		}
		return v
	}
	m := &metrics{
		finds: counters("doorward_shared_finds_total", "Entries that were looked for in the shared cache, by what was found.",
			found, missing, malformed, unknownKey, forged, failed, skipped),
		fills: counters("doorward_shared_fills_total", "Entries that were read of the directory for the shared cache, by what became of them.",
			written, failed, dropped, unfit),
	}
	if reg != nil {
		reg.MustRegister(m.finds, m.fills)
	}
	return m
}
