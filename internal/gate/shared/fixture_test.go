package shared

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"doorward/internal/gate"
	"doorward/internal/gate/shared/redistest"
	"doorward/internal/portal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// secret is a key that the number decides.
func secret(number uint64) gate.SharingKey {
	k := gate.SharingKey{Number: number}
	for i := range k.Secret {
		k.Secret[i] = byte(number) + byte(i)
	}
	return k
}

func keyOf(account portal.AccountID, user string) portal.FactKey {
	return portal.FactKey{Account: account, Subject: portal.Ref{Type: portal.TypeUser, ID: user}}
}

var (
	anna, bob = keyOf("acme", "anna"), keyOf("acme", "bob")
	member    = portal.Facts{
		Account: portal.AccountFacts{Status: portal.AccountActive}, User: portal.UserFacts{Status: portal.UserActive},
		Membership: portal.MembershipFacts{State: portal.MembershipActive, Grant: &portal.Grant{Categories: []string{"invoices"}}},
	}
	nobody = portal.Facts{Account: member.Account}
	read   = gate.Found{Facts: []portal.Facts{member, nobody}, Position: portal.Position{Revision: 7, Tag: portal.Tag{1, 2}}, Era: "era"}
)

// A log is what was logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A world is a cache and what it logs.
type world struct {
	t   *testing.T
	log log
	*Cache
}

// cache makes a cache with the first key, over a server.
func cache(t *testing.T, s Server) *world {
	t.Helper()
	w := &world{t: t}
	c, err := New(Config{Server: s, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Metrics: prometheus.NewRegistry()})
	w.Cache = must(t, c, err)
	t.Cleanup(func() { _ = w.Close() })
	w.Use(Keys{secret(1)})
	return w
}

func at(s *redistest.Server) Server { return Server{URL: "redis://" + s.Address} }

// keep writes what was read.
func (w *world) keep(keys []portal.FactKey, f gate.Found) {
	w.t.Helper()
	w.Keep(keys, f)
	for len(w.fills) > 0 {
		w.write(w.t.Context(), <-w.fills)
	}
}

// find looks until Redis is asked: a machine with much to do may be late. It returns what
// was found, and as what it was counted.
func (w *world) find(key portal.FactKey) (gate.Found, string) {
	w.t.Helper()
	for range 500 {
		before := w.counts()
		all := w.Find(w.t.Context(), "era", []portal.FactKey{key})
		for result, n := range w.counts() {
			if n == before[result] || result == failed || result == skipped {
				continue
			}
			if len(all) == 0 {
				return gate.Found{}, result
			}
			return all[0], result
		}
		w.rested()
	}
	w.t.Fatal("Redis never answered: ", w.log.String())
	return gate.Found{}, ""
}

// rested has the cache ask Redis again, as it does when a while has passed.
func (w *world) rested() {
	w.finding.until.Store(0)
	w.filling.until.Store(0)
}

func (w *world) counts() map[string]float64 {
	all := map[string]float64{}
	for _, r := range []string{found, missing, malformed, unknownKey, forged, failed, skipped} {
		all[r] = testutil.ToFloat64(w.metrics.finds.WithLabelValues(r))
	}
	return all
}

func (w *world) filled(result string) float64 {
	return testutil.ToFloat64(w.metrics.fills.WithLabelValues(result))
}

// raw talks to a server as anybody can.
func raw(t *testing.T, s *redistest.Server) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Address, ReadTimeout: time.Minute, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// write writes a file.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
