package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// An attempt is one update that was tried, and what Update said of it.
type attempt struct {
	user portal.UserID
	at   portal.Position
	err  error
}

// writers write through stores until done, each user once.
type writers struct {
	acknowledged chan struct{} // one for each, unless nobody asked for long
	done         context.CancelFunc
	group        sync.WaitGroup
	mu           sync.Mutex
	attempts     []attempt
}

// write starts two writers for each store.
func write(t *testing.T, stores ...*postgres.Store) *writers {
	ctx, done := context.WithCancel(t.Context())
	w := &writers{done: done, acknowledged: make(chan struct{}, 100)}
	for i := range 2 * len(stores) {
		s := stores[i%len(stores)]
		w.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				a := attempt{user: portal.UserID(fmt.Sprintf("w%d-%d", i, n))}
				a.at, a.err = addUser(t.Context(), s, a.user)
				w.mu.Lock()
				w.attempts = append(w.attempts, a)
				w.mu.Unlock()
				if a.err == nil {
					select {
					case w.acknowledged <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	return w
}

// acknowledge waits until n more updates are acknowledged.
func (w *writers) acknowledge(n int) {
	for len(w.acknowledged) > 0 {
		<-w.acknowledged
	}
	for range n {
		<-w.acknowledged
	}
}

// end stops the writers, and compares what they were told with what is there.
func (w *writers) end(t *testing.T, s *postgres.Store) {
	t.Helper()
	w.done()
	w.group.Wait()
	told := map[string]int{}
	var last portal.Position
	for _, a := range w.attempts {
		is := added(t, s, a.user)
		switch {
		case a.err == nil:
			told["made"]++
			if last.Revision < a.at.Revision {
				last = a.at
			}
			if _, _, err := s.Changes(t.Context(), a.at, 1); err != nil || !is {
				t.Errorf("%s was acknowledged at %v: %v, %v", a.user, a.at, is, err)
			}
		case errors.Is(a.err, directory.ErrOutcomeUnknown):
			told["unknown"]++
		case errors.Is(a.err, directory.ErrUnavailable):
			told["not made"]++
			if is {
				t.Errorf("%s was made, and said not to be: %v", a.user, a.err)
			}
		default:
			t.Errorf("%s: %v", a.user, a.err)
		}
	}
	t.Logf("said: %v", told)
	if told["unknown"] > 0 {
		t.Errorf("%d outcomes were not found out", told["unknown"])
	}
	witness := mark(t, last.String())
	report, err := directory.Verify(t.Context(), s, &witness)
	if err != nil || report.Position.Revision != portal.Revision(told["made"])+1 {
		t.Errorf("%+v, %v, with %d updates acknowledged", report, err, told["made"])
	}
}

func mark(t *testing.T, position string) portal.Mark {
	t.Helper()
	m, err := portal.ParseMark(position)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// While several replicas write, the server is restarted, and killed, again and again.
// Nothing acknowledged is lost, nothing is there that was said not to be, and whoever
// lost an answer found out.
func TestServerStopsAmidWriters(t *testing.T) {
	server := ownServer(t)
	dsn := server.DSN(server.Database(t))
	one, two := open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})
	w := write(t, one, two)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL, syscall.SIGINT, syscall.SIGKILL} {
		w.acknowledge(25)
		server.Stop(signal)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	w.acknowledge(10)
	w.end(t, one)
}
