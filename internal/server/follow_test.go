package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/simulation"
	"doorward/internal/gate/spool"
	"doorward/internal/portal"
)

// R6, R16: a gate that is stopped leaves neither decisions on its disk nor a row that
// somebody waits for.
func TestAGateThatStopsLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := simulation.NewMemory()
		keeper, err := barrier.New(barrier.Config{Store: memory, Clock: gate.NewClock()})
		if err != nil {
			t.Fatal(err)
		}
		disk, err := spool.Open(filepath.Join(t.TempDir(), "spool"), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer disk.Close()
		g, err := gate.New(gate.Config{Directory: keeper, Clock: gate.NewClock(), Spool: disk})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			follow(ctx, g, slog.New(slog.DiscardHandler))
			close(ended)
		}()
		synctest.Wait() // it waits for news
		if err := g.Record([]byte("decision")); err != nil {
			t.Fatal(err)
		}
		stop()
		<-ended
		if n, _ := disk.Waiting(); n != 0 {
			t.Errorf("%d decisions are left", n)
		}
		if rows, err := memory.Rows(t.Context(), portal.Position{}); err != nil || len(rows.Rows) != 0 {
			t.Errorf("%+v, %v", rows.Rows, err)
		}
	})
}
