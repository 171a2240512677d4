package whmcs_test

import (
	"io"
	"strings"
	"testing"

	"doorward/internal/whmcs"
)

// BenchmarkRecords reads one row of the activity log at a time.
func BenchmarkRecords(b *testing.B) {
	head, row, _ := strings.Cut(edited("tblactivitylog", "").xml(), "<row>")
	row = "<row>" + row[:strings.Index(row, "</row>")] + "</row>"
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	n := 0
	for _, err := range whmcs.Records("x", io.MultiReader(strings.NewReader(head), &repeated{text: row}), whmcs.Options{}) {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n > b.N {
			break
		}
	}
}
