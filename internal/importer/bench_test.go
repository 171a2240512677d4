package importer

import (
	"os"
	"strings"
	"testing"
)

// BenchmarkImport imports a file into an empty directory: DOORWARD_BENCH_IMPORT, or a
// small one.
func BenchmarkImport(b *testing.B) {
	text := large()
	if name := os.Getenv("DOORWARD_BENCH_IMPORT"); name != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		text = string(data)
	}
	records := 0
	for b.Loop() {
		records += apply(b, plan(b, text), emptyStore(b)).done
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(records), "µs/record")
	b.ReportMetric(float64(strings.Count(text, "\n"))*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
