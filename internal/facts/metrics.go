package facts

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	hits, misses, applied, forgotten prometheus.Counter
}

// newMetrics makes the cache's metrics and registers them unless reg is nil.
func newMetrics(reg prometheus.Registerer, c *Cache) metrics {
	counter := func(name, help string, labels prometheus.Labels) prometheus.Counter {
		m := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels})
		if reg != nil {
			reg.MustRegister(m)
		}
		return m
	}
	const reads, readsHelp = "doorward_facts_reads_total", "Facts read, by where they were found."
	m := metrics{
		hits:      counter(reads, readsHelp, prometheus.Labels{"from": "cache"}),
		misses:    counter(reads, readsHelp, prometheus.Labels{"from": "directory"}),
		applied:   counter("doorward_facts_changes_applied_total", "Changes of the directory applied to the cache of facts.", nil),
		forgotten: counter("doorward_facts_forgotten_total", "Times the whole cache of facts was dropped because changes could not be followed.", nil),
	}
	if reg == nil {
		return m
	}
	for kind, length := range map[string]func() int{
		"account": c.memory.accounts.len, "user": c.memory.users.len, "membership": c.memory.memberships.len, "contact": c.memory.contacts.len,
	} {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "doorward_facts_cache_entries", Help: "Facts remembered.",
			ConstLabels: prometheus.Labels{"kind": kind},
		}, func() float64 { return float64(length()) }))
	}
	return m
}
