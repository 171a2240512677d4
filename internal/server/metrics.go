package server

import (
	"regexp"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newRegistry makes the process's own registry, with what every Go process
// tells. Nothing registers in the global one.
func newRegistry(version string) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "doorward_build_info", Help: "Always 1; the labels say which program runs.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	})
	build.Set(1)
	reg.MustRegister(build,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(gcShare)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// gcShare adds the processor time that collecting garbage takes.
var gcShare = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/cpu/classes/gc/total:`)}

// A policyInfo tells the digest of the policy in force at the time of asking.
type policyInfo struct {
	description *prometheus.Desc
	digest      func() string
}

func newPolicyInfo(digest func() string) *policyInfo {
	return &policyInfo{prometheus.NewDesc("doorward_policy_info",
		"Always 1; the label is the digest of the policy in force.", []string{"digest"}, nil), digest}
}

// Describe tells which metric this is.
func (p *policyInfo) Describe(ch chan<- *prometheus.Desc) { ch <- p.description }

// Collect gives it, if a policy is in force.
func (p *policyInfo) Collect(ch chan<- prometheus.Metric) {
	if digest := p.digest(); digest != "" {
		ch <- prometheus.MustNewConstMetric(p.description, prometheus.GaugeValue, 1, digest)
	}
}
