package decision_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/decision"
	"doorward/internal/lastuse"
	"doorward/internal/portal"
)

// BenchmarkDecide judges one question whose facts are a map away: what is left
// is considering, reducing and the memo; and, where uses are marked, to see that this one
// is already.
func BenchmarkDecide(b *testing.B) {
	marker := lastuse.New(func(context.Context, []portal.Use) error { return nil }, prometheus.NewRegistry())
	for name, c := range map[string]struct {
		action string
		note   decision.Noter
	}{"plain": {"invoice.list", nil}, "declared": {"ticket.view", nil}, "marked": {"invoice.list", marker.Note}} {
		b.Run(name, func(b *testing.B) {
			w := world{}.with("bo", "billing", "support")
			d := decision.New(shipped(b), w, decision.Options{Now: func() time.Time { return now }, Timeout: 10 * time.Second, Note: c.note})
			q := question("bo", c.action)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decide(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
