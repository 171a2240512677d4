package decision_test

import (
	"testing"
)

// BenchmarkDecide judges one question whose facts are a map away: what is left
// is considering, reducing and the memo.
func BenchmarkDecide(b *testing.B) {
	for name, action := range map[string]string{"plain": "invoice.list", "declared": "ticket.view"} {
		b.Run(name, func(b *testing.B) {
			d := decider(b, world{}.with("bo", "billing", "support"))
			q := question("bo", action)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decide(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
