package wire

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/problem"
)

// clientMetrics are about asks: a gate that lives asks all the time.
type clientMetrics struct {
	asks    *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newClientMetrics(reg prometheus.Registerer) *clientMetrics {
	m := &clientMetrics{
		asks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorward_gate_asks_total", Help: "Asks of the directory by this gate, by result (answered, refused, garbled, unreachable).",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorward_gate_ask_seconds", Help: "Time of an ask, with what the directory waited for a change.",
			Buckets: []float64{1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.25, 0.5, 1, 1.25, 2.5, 5, 10, 30},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.asks, m.seconds)
	}
	return m
}

func (m *clientMetrics) asked(began time.Time, err error) {
	result := "answered"
	switch {
	case errors.Is(err, ErrRefused):
		result = "refused"
	case errors.Is(err, ErrGarbled):
		result = "garbled"
	case err != nil:
		result = "unreachable"
	}
	m.asks.WithLabelValues(result).Inc()
	m.seconds.Observe(time.Since(began).Seconds())
}

// newServerMetrics counts asks that a token was good for.
func newServerMetrics(reg prometheus.Registerer) *prometheus.CounterVec {
	asks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doorward_directory_asks_total", Help: "Asks of gates, by result: answered, or the code of the problem.",
	}, []string{"result"})
	if reg != nil {
		reg.MustRegister(asks)
	}
	return asks
}

func result(err error) string {
	if err == nil {
		return "answered"
	}
	return string(problem.From(err).Code)
}
