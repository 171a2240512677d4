package lastuse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/portal"
)

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// A shelf keeps uses, or fails.
type shelf struct {
	uses    []portal.Use
	batches []int
	err     error
}

func (s *shelf) keep(_ context.Context, uses []portal.Use) error {
	if s.err != nil {
		return s.err
	}
	s.uses, s.batches = append(s.uses, uses...), append(s.batches, len(uses))
	return nil
}

func (s *shelf) marker() *Marker { return New(s.keep, prometheus.NewRegistry()) }

func keep(t *testing.T, m *Marker) {
	t.Helper()
	if err := m.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// req 95, req 116: a membership is marked once a day, whoever asks how often, and accounts
// and users are not taken for each other.
func TestOnceADay(t *testing.T) {
	s := &shelf{}
	m := s.marker()
	for range 3 {
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				m.Note("a", "b", noon)
				m.Note("b", "a", noon.Add(11*time.Hour))
				m.Note("a", "a", noon)
			})
		}
		asking.Wait()
		keep(t, m)
	}
	if len(s.uses) != 3 {
		t.Errorf("%+v", s.uses)
	}
	s.uses = nil
	m.Note("a", "b", noon.Add(12*time.Hour))
	m.Note("a", "b", noon.Add(13*time.Hour))
	m.Note("a", "b", time.Time{}) // nobody knows when
	keep(t, m)
	if want := []portal.Use{{Account: "a", User: "b", Day: portal.DayOf(noon) + 1}}; !slices.Equal(s.uses, want) {
		t.Errorf("the next day: %+v", s.uses)
	}
	if kept := testutil.ToFloat64(m.kept); kept != 4 {
		t.Errorf("%v are counted", kept)
	}
}

// A request's body is not kept in memory for the ids in it.
func TestIdsAreCopied(t *testing.T) {
	s := &shelf{}
	m := s.marker()
	body := `{"account":"acme","user":"anna"}`
	m.Note(portal.AccountID(body[12:16]), portal.UserID(body[26:30]), noon)
	keep(t, m)
	u := s.uses[0]
	if u.Account != "acme" || u.User != "anna" || unsafe.StringData(string(u.Account)) == unsafe.StringData(body[12:]) || unsafe.StringData(string(u.User)) == unsafe.StringData(body[26:]) {
		t.Errorf("%+v", u)
	}
}

// R16: what cannot be kept is tried again. What there is no room for is lost and counted,
// and marked again with the next use.
func TestWhatCannotBeKept(t *testing.T) {
	s := &shelf{err: errors.New("full")}
	m := s.marker()
	note := func(n int) {
		for i := range n {
			m.Note("acme", portal.UserID(fmt.Sprint(i)), noon)
		}
	}
	const over = 10
	note(mayGather + over)
	if err := m.Keep(t.Context()); !errors.Is(err, s.err) || m.Gathered() != mayGather || testutil.ToFloat64(m.lost) != over {
		t.Errorf("%v: %d are gathered, %v lost", err, m.Gathered(), testutil.ToFloat64(m.lost))
	}
	s.err = nil
	keep(t, m)
	note(mayGather + over)
	keep(t, m)
	users := map[portal.UserID]bool{}
	for _, u := range s.uses {
		users[u.User] = true
	}
	if len(s.uses) != mayGather+over || len(users) != len(s.uses) || slices.Max(s.batches) > Batch || m.Gathered() != 0 {
		t.Errorf("%d uses of %d users in batches of %v", len(s.uses), len(users), s.batches)
	}
}

// What failed halfway is not kept twice.
func TestABatchThatFails(t *testing.T) {
	s := &shelf{}
	m := New(func(ctx context.Context, uses []portal.Use) error {
		if len(s.batches) == 1 {
			s.err = errors.New("full")
		}
		return s.keep(ctx, uses)
	}, prometheus.NewRegistry())
	for i := range Batch + 7 {
		m.Note("acme", portal.UserID(fmt.Sprint(i)), noon)
	}
	if err := m.Keep(t.Context()); err == nil || m.Gathered() != 7 || len(s.uses) != Batch {
		t.Errorf("%v: %d gathered, %d kept", err, m.Gathered(), len(s.uses))
	}
}

// Memory is bounded: who does not fit is marked once more.
func TestMemoryIsBounded(t *testing.T) {
	var s shard
	for i := range uint64(3*perShard + 1) {
		if !s.first(i, 1) || len(s.names) > perShard {
			t.Fatalf("%d: %d names", i, len(s.names))
		}
	}
	if s.first(3*perShard, 1) || !s.first(0, 1) {
		t.Error("it remembers others than the last")
	}
}

// A mark that is there already costs no memory.
func TestMarkedAlready(t *testing.T) {
	m := (&shelf{}).marker()
	if n := testing.AllocsPerRun(100, func() { m.Note("acme", "anna", noon) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNote is what every allowed question pays: of members that are marked already, one
// or a hundred thousand.
func BenchmarkNote(b *testing.B) {
	for name, users := range map[string]int{"one": 1, "many": 100_000} {
		b.Run(name, func(b *testing.B) {
			m := (&shelf{}).marker()
			ids := make([]portal.UserID, users)
			for i := range ids {
				ids[i] = portal.UserID(fmt.Sprintf("user-%06d", i))
				m.Note("account-000001", ids[i], noon)
				if err := m.Keep(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for i := 0; p.Next(); i++ {
					m.Note("account-000001", ids[i%users], noon)
				}
			})
		})
	}
}
