package server_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"doorward/internal/config"
	"doorward/internal/directory/pgtest"
	"doorward/internal/gate/shared/redistest"
	"doorward/internal/server"
)

// R10: sidecars of a fleet find in Redis what another has read, whatever happens to Redis
// they answer as before, and nobody who was removed is allowed from it.
func TestAFleetSharesWhatItReads(t *testing.T) {
	postgres, err := pgtest.New("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { postgres.Close() })
	for name, url := range map[string]func(t *testing.T) string{
		"SQLite":     func(*testing.T) string { return "" },
		"PostgreSQL": func(t *testing.T) string { return postgres.DSN(postgres.Database(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			f, redis := newFleet(t, url(t)), redistest.New(t)
			f.directory(t)
			for range 2 {
				f.ready(t, f.sidecar(t, func(c *config.Config) { c.Redis.URL = "redis://" + redis.Address }))
			}
			f.borrowing(t)
			t.Run("edited", func(t *testing.T) { f.edited(t, redis) })
			t.Run("lost", func(t *testing.T) { f.redisLost(t, redis) })
		})
	}
}

const (
	sharedFound   = `doorward_shared_finds_total{result="found"}`
	sharedForged  = `doorward_shared_finds_total{result="forged"}`
	sharedFailed  = `doorward_shared_finds_total{result="failed"}`
	sharedWritten = `doorward_shared_fills_total{result="written"}`
)

// toggled gives Carl his place and takes it away, and has every sidecar say so.
func (f *fleet) toggled(t *testing.T) {
	t.Helper()
	for _, step := range []struct{ body, want string }{{given, `"decision":true`}, {removed, `"reason":"removed"`}} {
		f.put(t, f.directories[0], carlsPlace, step.body)
		for _, s := range f.sidecars {
			if status, answer := reached(t, s, question, asJSON); status != http.StatusOK || !strings.Contains(answer, step.want) {
				t.Fatalf("after %s: %d %s", step.body, status, answer)
			}
		}
	}
}

// borrowing goes on until the second sidecar has found what the first has read.
func (f *fleet) borrowing(t *testing.T) {
	eventually(t, "one finds what another has read", func() bool {
		f.toggled(t)
		return metric(t, f.sidecars[0].running, sharedWritten) > 0 && metric(t, f.sidecars[1].running, sharedFound) > 0 &&
			metric(t, f.sidecars[1].running, `doorward_gate_reads_total{from="shared"}`) > 0
	})
	if n := metric(t, f.sidecars[0].running, `doorward_gate_reads_total{from="directory"}`); n < 1 {
		t.Errorf("%v questions were answered from the directory", n)
	}
}

// edited has somebody who may write to Redis grant more: it is counted and not believed.
func (f *fleet) edited(t *testing.T, redis *redistest.Server) {
	before := metric(t, f.sidecars[1].running, sharedForged)
	eventually(t, "an edited entry is met", func() bool {
		f.put(t, f.directories[0], carlsPlace, removed)
		reached(t, f.sidecars[0], question, asJSON)
		send(t, redis, "EVAL", `for _, k in ipairs(redis.call('KEYS', '*')) do
			local v = redis.call('GET', k)
			redis.call('SET', k, (string.gsub(v, '"removed"', '"active"')))
		end`, "0")
		if status, answer := reached(t, f.sidecars[1], question, asJSON); status != http.StatusOK || !strings.Contains(answer, `"reason":"removed"`) {
			t.Fatalf("%d %s", status, answer)
		}
		f.put(t, f.directories[0], carlsPlace, given)
		return metric(t, f.sidecars[1].running, sharedForged) > before
	})
}

// send sends a command to Redis and waits for an answer.
func send(t *testing.T, redis *redistest.Server, command ...string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", redis.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := fmt.Sprintf("*%d\r\n", len(command))
	for _, word := range command {
		text += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
	}
	answer := make([]byte, 1000)
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(answer); err != nil || answer[0] == '-' {
		t.Fatalf("%s: %q, %v", command[0], answer[:n], err)
	}
}

// redisLost has Redis end, hang, and come back empty: nothing changes but a metric.
func (f *fleet) redisLost(t *testing.T, redis *redistest.Server) {
	s := f.sidecars[1]
	before := metric(t, s.running, sharedFailed)
	redis.Pause()
	f.toggled(t)
	redis.Resume()
	redis.Stop()
	eventually(t, "it is noticed", func() bool { f.toggled(t); return metric(t, s.running, sharedFailed) > before })
	if r := readiness(t, s); r.Status != server.Ready {
		t.Errorf("%+v", r)
	}
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	known := metric(t, s.running, sharedFound)
	eventually(t, "it is used again", func() bool { f.toggled(t); return metric(t, s.running, sharedFound) > known })
}
