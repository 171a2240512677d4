package shared

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

// somebody listens where Redis should be, and answers every connection with text.
func somebody(t *testing.T, text string) (Server, *atomic.Int64) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, 0, err)
	var calls atomic.Int64
	var work sync.WaitGroup
	t.Cleanup(func() { l.Close(); work.Wait() })
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			work.Go(func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1))
				_, _ = io.WriteString(conn, text)
				if text == "" {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
		}
	})
	return Server{URL: "redis://" + l.Addr().String()}, &calls
}

// A Redis that answers something else, or nothing, or lengths for which there is no
// memory, is counted and finds nothing; nothing falls over, and it is not asked again at
// once (S29).
func TestARedisThatIsNone(t *testing.T) {
	for what, text := range map[string]string{
		"nothing": "", "another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n", "half a line": "$5", "an error": "-ERR secret-word\r\n", "a number": ":5\r\n",
		"a string that ends early": "$9\r\nabc\r\n", "more than there is memory": "$999999999999999999\r\nabc", "more than the machine has": "$99999999999\r\n",
		"a negative length": "$-9\r\n", "no length": "$\r\n", "a list without end": "*9999999999\r\n", "a map without end": "%9999999999\r\n",
		"lists in lists": strings.Repeat("*1\r\n", 1_000_000), "a line without end": "+" + strings.Repeat("x", 10_000_000), "zeros": strings.Repeat("\x00", 1000),
		"a list": "*2\r\n+a\r\n+b\r\n", "somewhere else": "-MOVED 1 127.0.0.1:1\r\n", "busy": "-LOADING\r\n", "a streamed string": "$?\r\n;4\r\nabcd\r\n;0\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			server, calls := somebody(t, text)
			w := cache(t, server)
			for w.filled(failed) == 0 {
				w.keep([]portal.FactKey{anna, bob}, read)
			}
			if w.filled(failed) != 2 || !w.filling.resting() {
				t.Errorf("%v fills failed", w.filled(failed))
			}
			for !w.finding.resting() { // a find that failed may be noted only now
				w.Find(t.Context(), "era", []portal.FactKey{anna})
			}
			before := w.counts()[skipped]
			n := calls.Load()
			for range 100 {
				if all := w.Find(t.Context(), "era", []portal.FactKey{anna}); all != nil {
					t.Errorf("%+v", all)
				}
			}
			if w.counts()[skipped] != before+100 || calls.Load() > n+1 { // one may be on its way
				t.Errorf("%v, %d connections", w.counts(), calls.Load()-n)
			}
		})
	}
}

// A Redis that stops, or loses everything, costs finds and nothing else; when it is back it
// is used again. That is logged once each.
func TestARedisThatComesAndGoes(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	w.keep([]portal.FactKey{anna, bob}, read)
	for _, away := range []struct{ leave, back func() }{
		{s.Pause, s.Resume},
		{s.Stop, func() { must(t, 0, s.Start()) }},
	} {
		away.leave()
		w.rested()
		if all := w.Find(t.Context(), "era", []portal.FactKey{anna}); all != nil || w.counts()[found] != 0 {
			t.Errorf("%+v", all)
		}
		away.back()
		for w.rested(); w.filled(written) < 4; w.rested() {
			w.keep([]portal.FactKey{anna, bob}, read)
		}
		for result := ""; result != found; w.rested() {
			_, result = w.find(anna)
		}
		w.metrics.finds.Reset()
		w.metrics.fills.Reset()
		w.keep([]portal.FactKey{anna, bob}, read)
	}
	if text := w.log.String(); strings.Count(text, "WARN") < 1 || strings.Count(text, "WARN") != strings.Count(text, "works again") {
		t.Error(text)
	}
}

// Something else of our name is no entry.
func TestAListUnderTheNameOfAnEntry(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	must(t, 0, raw(t, s).LPush(t.Context(), Name("era", anna), "x").Err())
	if f, result := w.find(anna); result != malformed || len(f.Facts) != 0 || w.finding.resting() {
		t.Error(result)
	}
}

// Who gives a question up does not wait, and does not have the others wait.
func TestAQuestionThatIsGivenUp(t *testing.T) {
	server, _ := somebody(t, "")
	w := cache(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if all := w.Find(ctx, "era", []portal.FactKey{anna}); all != nil {
		t.Errorf("%+v", all)
	}
}

// Many goroutines find and keep at the same time.
func TestManyGoroutines(t *testing.T) {
	s := redistest.New(t)
	w := cache(t, at(s))
	var writer, work sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	writer.Go(func() { w.Run(ctx) })
	var finds atomic.Int64
	for i := range 8 {
		work.Go(func() {
			for range 100 {
				w.Keep([]portal.FactKey{anna, bob}, read)
				w.Use(Keys{secret(1), secret(uint64(i))})
				for _, f := range w.Find(ctx, "era", []portal.FactKey{anna}) {
					finds.Add(int64(len(f.Facts)))
				}
				w.rested()
			}
		})
	}
	work.Wait()
	stop()
	writer.Wait()
	if finds.Load() == 0 {
		t.Error("nothing was ever found")
	}
}

// Lengths are followed through everything that Redis says, in whatever pieces it comes.
func TestLengths(t *testing.T) {
	good := "+OK\r\n$3\r\n$9\n\r\n$-1\r\n*2\r\n$1\r\n*\r\n*0\r\n:5\r\n%1\r\n+a\r\n*1\r\n+b\r\n*-1\r\n$0\r\n\r\n_\r\n=7\r\ntxt:abc\r\n-ERR\r\n|1\r\n+a\r\n+b\r\n+c\r\n"
	for size := 1; size <= len(good); size++ {
		var l lengths
		for rest := good; rest != ""; {
			n := min(size, len(rest))
			if err := l.see([]byte(rest[:n])); err != nil {
				t.Fatalf("in pieces of %d: %v", size, err)
			}
			rest = rest[n:]
		}
		if l.skip != 0 || l.length != 0 {
			t.Errorf("in pieces of %d: %+v", size, l)
		}
	}
	for _, bad := range []string{
		"+OK\r\n$1048577\r\n", "$3\r\nabc\r\n$99999999\r\n", "*65537\r\n", strings.Repeat("*1\r\n", maxReplyDepth+1), "*2\r\n+a\r\n" + strings.Repeat("%1\r\n+k\r\n", maxReplyDepth),
		"$x\r\n", "$+\r\n", "$" + strings.Repeat("1", 100) + "\r\n", "+" + strings.Repeat("x", maxReplyLine+1),
	} {
		if err := new(lengths).see([]byte(bad)); !errors.Is(err, errReply) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	if err := new(lengths).see([]byte(strings.Repeat("*1\r\n+x\r\n", 100))); err != nil {
		t.Error("arrays that are over count:", err)
	}
}

func FuzzLengths(f *testing.F) {
	f.Add("*2\r\n$3\r\nabc\r\n:1\r\n", 3)
	f.Fuzz(func(t *testing.T, text string, at int) {
		var whole, parts lengths
		at = min(max(at, 0), len(text))
		want := whole.see([]byte(text))
		got := parts.see([]byte(text[:at]))
		if got == nil {
			got = parts.see([]byte(text[at:]))
		}
		if (want == nil) != (got == nil) || whole.skip > maxReplyBulk+2 || len(whole.open) > maxReplyDepth+1 {
			t.Errorf("%v, %v", want, got)
		}
	})
}
