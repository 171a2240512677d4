package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/shared"
)

// Keys are read every minute. Those that cannot be read again end: else who has one that
// leaked, and can keep a sidecar from reading, could use it for ever (R10).
func TestKeysThatCannotBeReadAgainEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var used shared.Keys
		var refused error
		reads := 0
		step := keysFor(func(keys shared.Keys) { used = keys }, func(context.Context) ([]gate.SharingKey, error) {
			reads++
			return []gate.SharingKey{{Number: 1}}, refused
		})
		pass := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(sharingRetry) {
				_ = step(t.Context())
			}
		}
		if pass(10 * time.Minute); reads != 10 || len(used) != 1 {
			t.Errorf("%d reads, %d keys", reads, len(used))
		}
		refused = errors.New("refused")
		if pass(sharingLife / 2); len(used) != 1 {
			t.Error("a directory that is away for a moment costs the keys")
		}
		if pass(sharingLife); len(used) != 0 {
			t.Errorf("%d keys, which nobody has vouched for in %v", len(used), 3*sharingLife/2)
		}
		refused = nil
		if pass(time.Minute); len(used) != 1 {
			t.Error("they are not used again")
		}
	})
}
