// Package lastuse marks when memberships were last used (requirements 95, 116; design R16):
// each once a day, gathered in memory, kept behind the back of those who ask.
//
// It does not know what a use is, nor where marks end up. Its invariants: to mark neither
// waits for a disk nor fails, and takes no memory for a membership that is marked already;
// memory and disk are bounded; what is lost is counted, and marked again with the next use.
package lastuse

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"doorward/internal/portal"
)

// Batch is how many uses are kept, and sent, in one go at most.
const Batch = 500

// Bounds of memory. A shard that is full begins anew: memberships are marked twice then,
// which changes nothing where they are kept.
const (
	shards    = 64
	perShard  = 1 << 14 // memberships, of 20 bytes or so: a million in all
	mayGather = 1 << 14 // uses that are not kept yet
)

// A Marker gathers uses. It is used by many goroutines.
type Marker struct {
	keep            func(context.Context, []portal.Use) error
	accounts, users maphash.Seed
	marked          [shards]shard
	kept, lost      prometheus.Counter

	mu       sync.Mutex
	gathered []portal.Use
}

// New makes a Marker whose uses are kept by keep, a Batch at most in each call, all or none.
func New(keep func(context.Context, []portal.Use) error, reg prometheus.Registerer) *Marker {
	uses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "doorward_uses_total", Help: "Memberships that were used for the first time on a day, by outcome (kept, lost).",
	}, []string{"outcome"})
	reg.MustRegister(uses)
	return &Marker{
		keep: keep, accounts: maphash.MakeSeed(), users: maphash.MakeSeed(),
		kept: uses.WithLabelValues("kept"), lost: uses.WithLabelValues("lost"),
	}
}

// Note marks that a membership was used, unless it is marked for that day already.
func (m *Marker) Note(account portal.AccountID, user portal.UserID, at time.Time) {
	day, name := portal.DayOf(at), m.name(account, user)
	if day == 0 || !m.marked[name%shards].first(name, day) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// The ids are parts of a request's body, which must not stay for them.
	m.gather(portal.Use{Account: portal.AccountID(strings.Clone(string(account))), User: portal.UserID(strings.Clone(string(user))), Day: day})
}

// gather takes a use in if there is room. The caller holds mu.
func (m *Marker) gather(u portal.Use) {
	if len(m.gathered) >= mayGather {
		m.lost.Inc()
		name := m.name(u.Account, u.User)
		m.marked[name%shards].forget(name)
		return
	}
	m.gathered = append(m.gathered, u)
}

// Keep has kept what was gathered. What cannot be kept is gathered again.
func (m *Marker) Keep(ctx context.Context) error {
	m.mu.Lock()
	all := m.gathered
	m.gathered = nil
	m.mu.Unlock()
	for batch := range slices.Chunk(all, Batch) {
		if err := m.keep(ctx, batch); err != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, u := range all {
				m.gather(u)
			}
			return err
		}
		m.kept.Add(float64(len(batch)))
		all = all[len(batch):]
	}
	return nil
}

// Gathered is how many uses are not kept yet.
func (m *Marker) Gathered() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.gathered)
}

// name is short for a membership. Two have the same once in 2^64 or so, and nobody who
// chooses ids knows which.
func (m *Marker) name(account portal.AccountID, user portal.UserID) uint64 {
	return maphash.String(m.accounts, string(account)) ^ maphash.String(m.users, string(user))
}

// A shard knows which memberships are marked for a day.
type shard struct {
	mu    sync.Mutex
	day   portal.Day
	names map[uint64]struct{}
	_     [40]byte // processors do not share lines of their caches for two shards
}

// first tells whether a membership is not marked for a day yet, and marks it.
func (s *shard) first(name uint64, day portal.Day) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.day == day {
		if _, marked := s.names[name]; marked {
			return false
		}
	}
	if s.day != day || len(s.names) >= perShard {
		s.day, s.names = day, make(map[uint64]struct{})
	}
	s.names[name] = struct{}{}
	return true
}

func (s *shard) forget(name uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, name)
}
