package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// Records tests that what an empty Archive keeps can be read again, a page at a time, in
// the order in which it came (R16).
func Records(t *testing.T, a barrier.Archive) {
	began := time.Now().Add(-time.Hour) // clocks of machines differ
	all, err := a.Records(t.Context(), barrier.Kept{}, 10)
	if len(must(t, all, err)) > 0 {
		t.Errorf("kept before anything was: %+v", all)
	}
	for _, batch := range []struct {
		spool string
		seqs  []uint64
	}{{"z", []uint64{9, 10, 11}}, {"a", []uint64{1}}, {"z", []uint64{11, 12}}, {"Z", []uint64{1}}} {
		var records []gate.Record
		for _, seq := range batch.seqs {
			records = append(records, gate.Record{Seq: seq, Data: fmt.Append(nil, batch.spool, seq, "\x00\xff")})
		}
		if err := a.Keep(t.Context(), batch.spool, records); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"z9", "z10", "z11", "a1", "z12", "Z1"}
	for limit := 1; limit <= len(want)+1; limit++ {
		if got := pages(t, a, limit); !slices.Equal(got, want) {
			t.Errorf("%d at a time: %q, want %q", limit, got, want)
		}
	}
	since := func(at time.Time) int {
		all, err := a.Records(t.Context(), barrier.Kept{At: at}, 10)
		return len(must(t, all, err))
	}
	if early, late := since(began), since(time.Now().Add(time.Hour)); early != len(want) || late != 0 {
		t.Errorf("%d since an hour ago, %d from in an hour on", early, late)
	}
}

// pages reads all records, some at a time.
func pages(t *testing.T, a barrier.Archive, limit int) (names []string) {
	t.Helper()
	for after := (barrier.Kept{}); ; {
		page, err := a.Records(t.Context(), after, limit)
		if must(t, page, err); len(page) == 0 {
			return names
		}
		for _, k := range page {
			name := fmt.Sprint(k.Spool, k.Seq)
			if string(k.Data) != name+"\x00\xff" || k.At.Before(after.At) {
				t.Errorf("%s came at %v with %q, after %v", name, k.At, k.Data, after.At)
			}
			names = append(names, name)
		}
		after = page[len(page)-1]
	}
}
