package gate_test

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/spool"
)

// Without a spool nothing that must be kept can be, so nothing sensitive is answered
// (R16).
func TestWithoutASpoolNothingIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := newWorld(t).gate(false, gate.Config{}).Record([]byte("decision")); !errors.Is(err, gate.ErrSpoolFull) {
			t.Errorf("%v", err)
		}
	})
}

// R16: what is spooled goes with the next ask, which does not wait for news then, a hundred
// at a time. A process that ends sends the rest.
func TestWhatIsSpooledIsSentSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		disk, err := spool.Open(filepath.Join(t.TempDir(), "spool"), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		g := w.gate(false, gate.Config{Spool: disk})
		step := func() (took time.Duration) {
			began := time.Now()
			if err := g.Step(w.ctx); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		for !g.Status().Leased {
			step()
		}
		for range 250 {
			if err := g.Record([]byte("decision")); err != nil {
				t.Fatal(err)
			}
		}
		if took := step(); took > 10*time.Millisecond || len(disk.Oldest(250)) != 150 {
			t.Errorf("after %v there are %d", took, len(disk.Oldest(250)))
		}
		if err := g.Flush(w.ctx); err != nil || len(disk.Oldest(250)) != 0 {
			t.Errorf("%d are left: %v", len(disk.Oldest(250)), err)
		}
		if took := step(); took < gate.DefaultLease/3 {
			t.Errorf("nothing is spooled, and the ask waited %v for news", took)
		}
		w.near.broken.Store(true)
		if err := errors.Join(g.Record([]byte("decision")), g.Flush(w.ctx)); !errors.Is(err, errBroken) || len(disk.Oldest(1)) != 1 {
			t.Errorf("the directory is away: %v", err)
		}
	})
}
