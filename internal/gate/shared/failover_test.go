package shared

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// Connections that ended while nobody used them cost no question anything: else each of
// them would be a failure, and a second of rest, after every restart of Redis.
func TestConnectionsThatEndedMeanwhile(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	works(t, w)
	var open []*redis.Conn
	for range 8 {
		c := w.client.(*redis.Client).Conn()
		must(t, 0, c.Ping(t.Context()).Err())
		open = append(open, c)
	}
	for _, c := range open {
		must(t, 0, c.Close())
	}
	s.Stop()
	must(t, 0, s.Start())
	w.rested()
	w.metrics.fills.Reset()
	w.keep([]portal.FactKey{anna, bob}, read)
	if w.filled(failed) != 0 || w.filled(written) != 2 {
		t.Errorf("%v failed: %s", w.filled(failed), w.log.String())
	}
}

// A Redis that is full, or may only be read, is still asked, and it is logged once.
func TestARedisThatTakesNothing(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	works(t, w)
	must(t, 0, raw(t, s).ConfigSet(t.Context(), "maxmemory", "1").Err())
	for range 5 {
		w.rested()
		w.keep([]portal.FactKey{anna, bob}, read)
		if w.finding.resting() {
			t.Fatal("it is not asked: ", w.log.String())
		}
		if _, result := w.find(anna); result != found {
			t.Error(result)
		}
	}
	if n := strings.Count(w.log.String(), "OOM"); n != 1 || w.filled(failed) != 10 {
		t.Errorf("%d lines, %v failed: %s", n, w.filled(failed), w.log.String())
	}
}

// What waits to be written is dropped while Redis is left alone: it is not asked a
// thousand times in a row.
func TestFillsThatWaitWhileRedisFails(t *testing.T) {
	server, calls := somebody(t, "-ERR\r\n")
	w := cache(t, server)
	for range 500 {
		w.Keep([]portal.FactKey{anna, bob}, read)
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { w.Run(ctx) })
	for w.filled(failed)+w.filled(dropped) < 500 {
		runtime.Gosched()
	}
	stop()
	work.Wait()
	if n := calls.Load(); n > 50 {
		t.Errorf("%d connections", n)
	}
}

// What Redis, or something before it, says of a command that it does not know has the
// password in it. Nobody else has.
func TestAnErrorWithThePasswordInIt(t *testing.T) {
	for _, quote := range []string{"'", "`"} {
		at := sentinel(t, func(words []string) string {
			return "-ERR unknown command " + quote + words[0] + quote + ", with args beginning with: " + quote + strings.Join(words[1:], quote+" "+quote) + "\r\n"
		})
		w := cache(t, Server{URL: "redis://doorward@" + at, PasswordFile: file(t, "pass-word")})
		w.keep([]portal.FactKey{anna, bob}, read)
		_, looked := w.Look(t.Context(), "era", []portal.FactKey{anna})
		_, wrote := w.Write(t.Context(), []portal.FactKey{anna, bob}, read)
		if text := w.log.String() + fmt.Sprint(looked, wrote); looked == nil || wrote == nil || strings.Contains(text, "pass-word") || !strings.Contains(text, "ERR unknown command") {
			t.Error(text)
		}
	}
}
