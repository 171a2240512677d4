package facts_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/facts"
	"doorward/internal/portal"
)

const (
	acme portal.AccountID = "acme"
	anna portal.UserID    = "anna"
	boss portal.UserID    = "boss"
)

func key(user portal.UserID) portal.FactKey {
	return portal.FactKey{Account: acme, Subject: portal.Ref{Type: portal.TypeUser, ID: string(user)}}
}

// open returns a directory in which anna is an active member of acme.
func open(t testing.TB) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "doorward.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	populate(t, store)
	return store
}

func populate(t testing.TB, store directory.Store) {
	t.Helper()
	update(t, store, func(tx directory.Tx) error {
		return errors.Join(
			tx.PutAccount(t.Context(), portal.Account{ID: acme, Name: "Acme", Status: portal.AccountActive}),
			tx.PutUser(t.Context(), portal.User{ID: boss, Status: portal.UserActive}),
			tx.PutUser(t.Context(), portal.User{ID: anna, Status: portal.UserActive}),
			tx.PutMembership(t.Context(), portal.Membership{Account: acme, User: boss, Owner: true, State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"owner"}}}),
			tx.PutMembership(t.Context(), member(portal.MembershipActive)),
		)
	})
}

func member(state portal.MembershipState) portal.Membership {
	return portal.Membership{Account: acme, User: anna, State: state, Grant: portal.Grant{Presets: []string{"billing"}}}
}

func update(t testing.TB, store directory.Store, fn func(directory.Tx) error) portal.Position {
	t.Helper()
	position, err := store.Update(context.Background(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "test", Action: "test", Object: "test"})
		return fn(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func TestReadAgreesWithTheDirectory(t *testing.T) {
	store := open(t)
	update(t, store, func(tx directory.Tx) error { return tx.PutContact(t.Context(), contact("books")) })
	cache := facts.NewCache(store, facts.Options{})
	keys := []portal.FactKey{
		key(anna), key(boss), key("nobody"),
		{Account: "nowhere", Subject: key(anna).Subject},
		{Subject: key(anna).Subject},
		{Account: acme, Subject: portal.Ref{Type: portal.TypeContact, ID: "anna"}},
		{Subject: portal.Ref{Type: portal.TypeContact, ID: "anna"}},
		contactKey("books"),
		key("books"),
		{Account: "nowhere", Subject: contactKey("books").Subject},
		{Account: acme, Subject: portal.Ref{Type: portal.TypeContact, ID: "Books"}}, // S14
		{Account: acme, Subject: portal.Ref{Type: portal.TypeUser, ID: "Anna"}},     // S14
	}
	want, head, err := store.Facts(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 { // cold, then from memory
		for i, k := range keys {
			got, position, err := cache.Read(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[i], got); diff != "" || position != head {
				t.Errorf("round %d, %v at %v (want %v): %s", round, k, position, head, diff)
			}
		}
		all, position, err := cache.ReadAll(t.Context(), keys)
		if diff := cmp.Diff(want, all); err != nil || diff != "" || position != head {
			t.Errorf("round %d, all at %v: %v %s", round, position, err, diff)
		}
	}
}

// req 52, 97: a change is seen by the very next question, whoever made it.
func TestARemovalIsSeenByTheNextRead(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	states := []portal.MembershipState{portal.MembershipRemoved, portal.MembershipActive}
	for i := range 50 {
		want := states[i%2]
		position := update(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(want)) })
		for range 2 {
			got, at, err := cache.Read(t.Context(), key(anna))
			if err != nil || got.Membership.State != want || at != position {
				t.Fatalf("after change %d: %v at %v, %v; want %v at %v", i, got.Membership.State, at, err, want, position)
			}
		}
	}
}

// Thousands of changes in several revisions come in several batches. The first one
// is not yet all: an answer after it alone would be a stale allow.
func TestManyChangesAtOnceAreAllApplied(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	if _, _, err := cache.Read(t.Context(), key(anna)); err != nil {
		t.Fatal(err)
	}
	fill := func(from, to int) func(directory.Tx) error {
		return func(tx directory.Tx) error {
			for i := from; i < to; i++ {
				if err := tx.PutUser(t.Context(), portal.User{ID: portal.UserID(fmt.Sprint("u", i)), Status: portal.UserActive}); err != nil {
					return err
				}
			}
			return nil
		}
	}
	update(t, store, fill(0, 6000))
	head := update(t, store, func(tx directory.Tx) error {
		return errors.Join(fill(6000, 12000)(tx), tx.PutUser(t.Context(), portal.User{ID: anna, Status: portal.UserDisabled}))
	})
	f, at, err := cache.Read(t.Context(), key(anna))
	if err != nil || f.User.Status != portal.UserDisabled || at != head {
		t.Errorf("got %+v at %v, %v; the head is %v", f.User, at, err, head)
	}
}

// hooked lets a test do something in the middle of a call to the source.
type hooked struct {
	facts.Source
	afterStamp, afterFacts func()
}

func (s *hooked) Stamp() directory.Stamp {
	stamp := s.Source.Stamp()
	if hook := s.afterStamp; hook != nil {
		s.afterStamp = nil
		hook()
	}
	return stamp
}

func (s *hooked) Facts(ctx context.Context, keys []portal.FactKey) ([]portal.Facts, portal.Position, error) {
	all, position, err := s.Source.Facts(ctx, keys)
	if hook := s.afterFacts; hook != nil {
		s.afterFacts = nil
		hook()
	}
	return all, position, err
}

// A read that is overtaken, between looking at the clock and looking things up,
// by a change and by another reader who remembers it, must not return the new
// facts under the old position.
func TestAnOvertakenReadKeepsFactsAndPositionTogether(t *testing.T) {
	type read func(*facts.Cache) (portal.Facts, portal.Position, error)
	for name, read := range map[string]read{
		"one": func(c *facts.Cache) (portal.Facts, portal.Position, error) { return c.Read(t.Context(), key(anna)) },
		"all": func(c *facts.Cache) (portal.Facts, portal.Position, error) {
			all, at, err := c.ReadAll(t.Context(), []portal.FactKey{key(anna)})
			return all[0], at, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			source := &hooked{Source: store}
			cache := facts.NewCache(source, facts.Options{})
			if _, _, err := read(cache); err != nil {
				t.Fatal(err)
			}
			var after portal.Position
			source.afterStamp = func() {
				after = update(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(portal.MembershipRemoved)) })
				if _, _, err := read(cache); err != nil {
					t.Error(err)
				}
			}
			f, at, err := read(cache)
			if err != nil {
				t.Fatal(err)
			}
			if removed := f.Membership.State == portal.MembershipRemoved; removed != (at == after) {
				t.Errorf("state %s at %v; the removal is at %v", f.Membership.State, at, after)
			}
		})
	}
}

// A slow read of the directory, overtaken by a change that has been applied
// meanwhile, must not bring the old facts back (design R8).
func TestASlowFillDoesNotBringOldFactsBack(t *testing.T) {
	store := open(t)
	source := &hooked{Source: store}
	cache := facts.NewCache(source, facts.Options{})
	source.afterFacts = func() {
		update(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(portal.MembershipRemoved)) })
		if _, _, err := cache.Read(t.Context(), key(boss)); err != nil { // applies the change
			t.Error(err)
		}
	}
	if _, _, err := cache.Read(t.Context(), key(anna)); err != nil {
		t.Fatal(err)
	}
	f, _, err := cache.Read(t.Context(), key(anna))
	if err != nil || f.Membership.State != portal.MembershipRemoved {
		t.Errorf("after the removal %+v, %v", f, err)
	}
}

// In the directory anna is never enabled and a member at once. A reader who
// mixed two revisions would see her so. The writer also checks the promise of
// freshness: what was acknowledged before a read began is seen by it.
func TestConcurrentReadsSeeOneRevisionAndNothingOlder(t *testing.T) {
	store := open(t)
	cache := facts.NewCache(store, facts.Options{})
	set := func(user portal.UserStatus, state portal.MembershipState) func(directory.Tx) error {
		return func(tx directory.Tx) error {
			return errors.Join(
				tx.PutUser(t.Context(), portal.User{ID: anna, Status: user}),
				tx.PutMembership(t.Context(), member(state)))
		}
	}
	update(t, store, set(portal.UserActive, portal.MembershipRemoved))
	var acknowledged atomic.Uint64
	var reads, fromMemory atomic.Int64
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before := portal.Revision(acknowledged.Load())
				all, at, err := cache.ReadAll(context.Background(), []portal.FactKey{key(anna), key(boss)})
				if err != nil {
					t.Error(err)
					return
				}
				reads.Add(1)
				if at.Revision < before {
					t.Errorf("read at revision %d after %d was acknowledged", at.Revision, before)
				}
				if f := all[0]; f.User.Status == portal.UserActive && f.Membership.State == portal.MembershipActive {
					t.Errorf("two revisions mixed at %v", at)
				}
				one, at, err := cache.Read(context.Background(), key(anna))
				if err != nil || one.User.Status == portal.UserActive && one.Membership.State == portal.MembershipActive {
					t.Errorf("two revisions mixed in one read at %v, %v", at, err)
				}
				if got, _, _ := cache.Read(context.Background(), key(boss)); got.Membership.Owner {
					fromMemory.Add(1)
				}
			}
		})
	}
	for i := range 300 {
		step := set(portal.UserDisabled, portal.MembershipActive)
		if i%2 == 1 {
			step = set(portal.UserActive, portal.MembershipRemoved)
		}
		acknowledged.Store(uint64(update(t, store, step).Revision))
	}
	close(done)
	readers.Wait()
	if reads.Load() < 300 || fromMemory.Load() < 300 {
		t.Errorf("only %d reads, %d of the owner: the test proved little", reads.Load(), fromMemory.Load())
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	store := open(t)
	registry := prometheus.NewRegistry()
	cache := facts.NewCache(store, facts.Options{MaxEntries: 128, Registerer: registry})
	for i := range 2000 {
		keys := []portal.FactKey{key(portal.UserID(fmt.Sprint("user", i))), contactKey(portal.ContactID(fmt.Sprint("contact", i)))}
		if _, _, err := cache.ReadAll(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, family := range families {
		if family.GetName() != "doorward_facts_cache_entries" {
			continue
		}
		for _, m := range family.GetMetric() {
			seen++
			if n := m.GetGauge().GetValue(); n > 128 || n == 0 {
				t.Errorf("%v holds %v entries", m.GetLabel(), n)
			}
		}
	}
	if seen != 4 {
		t.Errorf("%d gauges", seen)
	}
	if n := testutil.CollectAndCount(registry); n == 0 {
		t.Error("nothing measured")
	}
}

// A failing directory is an error, and what is in memory is not believed
// meanwhile.
func TestAFailingDirectoryIsAnErrorNotAnOldAnswer(t *testing.T) {
	store := open(t)
	flaky := &flakySource{Source: store}
	cache := facts.NewCache(flaky, facts.Options{})
	if _, _, err := cache.Read(t.Context(), key(anna)); err != nil {
		t.Fatal(err)
	}
	update(t, store, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(portal.MembershipRemoved)) })
	flaky.broken.Store(true)
	if f, _, err := cache.Read(t.Context(), key(anna)); !errors.Is(err, directory.ErrUnavailable) || f != (portal.Facts{}) {
		t.Errorf("got %+v, %v from a broken directory", f, err)
	}
	flaky.broken.Store(false)
	if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || f.Membership.State != portal.MembershipRemoved {
		t.Errorf("got %+v, %v after it came back", f, err)
	}
}

type flakySource struct {
	facts.Source
	broken atomic.Bool
}

func (s *flakySource) Changes(ctx context.Context, after portal.Position, limit int) ([]directory.Change, portal.Position, error) {
	if s.broken.Load() {
		return nil, portal.Position{}, directory.ErrUnavailable
	}
	return s.Source.Changes(ctx, after, limit)
}

// An operator who removes somebody with SQL, past the directory and its trail,
// must not be answered from memory either.
func TestAnEditByHandIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorward.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	populate(t, store)
	cache := facts.NewCache(store, facts.Options{})
	if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || f.Membership.State != portal.MembershipActive {
		t.Fatalf("beforehand %+v, %v", f, err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE membership SET state = 'removed' WHERE user = ?`, anna); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || f.Membership.State != portal.MembershipRemoved {
		t.Errorf("afterwards %+v, %v", f, err)
	}
}

// Design R1: a directory whose history is another one, even a longer one, shares
// nothing with what is remembered.
func TestAnotherHistoryIsNotFollowed(t *testing.T) {
	one, two := open(t), open(t)
	update(t, two, func(tx directory.Tx) error { return tx.PutMembership(t.Context(), member(portal.MembershipRemoved)) })
	for store, revisions := range map[directory.Store]int{one: 2, two: 5} {
		for i := range revisions {
			update(t, store, func(tx directory.Tx) error {
				return tx.PutUser(t.Context(), portal.User{ID: portal.UserID(fmt.Sprint("u", i)), Status: portal.UserActive})
			})
		}
	}
	source := &hooked{Source: one}
	cache := facts.NewCache(source, facts.Options{})
	if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || f.Membership.State != portal.MembershipActive {
		t.Fatalf("beforehand %+v, %v", f, err)
	}
	source.Source = two
	if f, _, err := cache.Read(t.Context(), key(anna)); err != nil || f.Membership.State != portal.MembershipRemoved {
		t.Errorf("of the other history %+v, %v", f, err)
	}
}
