package watch

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/policy"
)

// slow makes a Keeper whose first load takes until the channel is closed; others
// are done at once.
func slow(log *safe, put *[]string) (*Keeper, chan struct{}) {
	k := New("p", policy.Source{}, &policy.Policy{Digest: "good"}, Options{
		Log: slog.New(slog.NewTextHandler(log, nil)), Registerer: prometheus.NewRegistry(),
		Use: func(p *policy.Policy) { *put = append(*put, p.Digest) },
	})
	release := make(chan struct{})
	var loads atomic.Int64
	k.load = func(policy.Source) (*policy.Policy, error) {
		if loads.Add(1) == 1 {
			<-release
			return &policy.Policy{Digest: "late"}, nil
		}
		return &policy.Policy{Digest: "next"}, nil
	}
	return k, release
}

// A load that takes for ever is refused, aloud; when it ends at last nothing of it is
// put in force, and meanwhile the next edit is.
func TestALoadHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log safe
		var put []string
		k, release := slow(&log, &put)
		begun := time.Now()
		k.judge(t.Context(), policy.Source{})
		if took := time.Since(begun); took != DefaultDeadline {
			t.Errorf("judged after %v", took)
		}
		if state := k.State(); !state.Stale || state.Digest != "good" || len(put) != 0 {
			t.Errorf("%+v, put in force %v", state, put)
		}
		if n := testutil.ToFloat64(k.metrics.reloads.WithLabelValues(refused)); n != 1 || log.count("takes longer than 30s") != 1 || log.count("the last good policy serves") != 1 {
			t.Errorf("%v refused:\n%s", n, log.all.String())
		}
		k.judge(t.Context(), policy.Source{})
		close(release)
		synctest.Wait()
		if state := k.State(); state.Stale || state.Digest != "next" || strings.Join(put, " ") != "next" {
			t.Errorf("%+v, put in force %v", state, put)
		}
	})
}

// A load under way does not keep a server from stopping.
func TestRunEndsDuringALoad(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "p")
	k := prepare(t, folder)
	begun, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	k.load = func(policy.Source) (*policy.Policy, error) {
		close(begun)
		<-release
		return &policy.Policy{Digest: "late"}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { k.Run(ctx); close(ended) }()
	k.Force()
	<-begun
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Run waits for the load")
	}
	if k.handed() != 0 || k.State().Stale {
		t.Errorf("%+v, %d handed over", k.State(), k.handed())
	}
}
