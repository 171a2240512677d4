package watch

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What is watched is used at once, and again once it has changed and been still.
func TestEachUsesWhatIsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var now atomic.Value
		now.Store("a")
		go func() {
			for _, step := range []struct {
				after time.Duration
				print string
			}{
				{2500 * time.Millisecond, "b"}, {time.Second, "c"},
				{3 * time.Second, "d"}, {time.Second, "e"}, // d is seen at 7.4 s and was not still when e came
			} {
				time.Sleep(step.after)
				now.Store(step.print)
			}
			time.Sleep(5 * time.Second)
			cancel()
		}()
		var used []string
		o := Options{Log: slog.New(slog.DiscardHandler)}.filled()
		e := &each{still: o.Still, poll: o.Poll, print: func() string { return now.Load().(string) }, use: func() { used = append(used, now.Load().(string)) }}
		loop(ctx, &hints{}, o, nil, func(now time.Time, _ bool) time.Time { return e.look(now) })
		if got := strings.Join(used, ""); got != "abce" {
			t.Errorf("used %q", got)
		}
	})
}
