package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// What two directories do at once, of which neither knows of the other.
var racePromises = []promise{
	{"what is committed at one directory is read at the other (R2)", elsewhere},
	{"a change is in the feed after a touch, or its barrier finds the row (R2)", rowOrFeed},
	{"of asks at once the longest term counts (R9)", longestTerm},
	{"a mark that was cleared deletes nothing, also when there is another (R6)", markedAnew},
	{"of a deletion and an ask at once either comes first (R6)", deletedOrAsked},
	{"facts and feeds that are read while others write are of one snapshot (R8, R13)", oneSnapshot},
	{"records that come at once are no error (R16)", recordsAtOnce},
}

// there is the row of a gate as the other directory sees it; the zero row if there is none.
func there(t *testing.T, f Fixture, who gate.Instance) barrier.Row {
	t.Helper()
	all, err := f.Other.Rows(t.Context(), portal.Position{})
	rows := must(t, all, err).Rows
	if i := slices.IndexFunc(rows, func(r barrier.Row) bool { return r.Instance == who }); i >= 0 {
		return rows[i]
	}
	return barrier.Row{}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func elsewhere(t *testing.T, f Fixture) {
	at := f.Put(t, 0, true)
	touch(t, f, row("a"), at)
	want := row("a")
	want.Acknowledged = at.Revision
	if got := there(t, f, "a"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	feed, err := f.Other.Feed(t.Context(), portal.Position{}, 1000, 1000)
	found, err2 := f.Other.Facts(t.Context(), []portal.FactKey{f.Key(0)})
	if must(t, feed, err).Head != at || must(t, found, err2).Position != at {
		t.Errorf("the head is %v and facts are of %v, want %v", feed.Head, found.Position, at)
	}
	here, err := f.Store.Pulse(t.Context())
	era, err2 := f.Other.Pulse(t.Context())
	if must(t, here, err) != must(t, era, err2) || feed.Era != era || found.Era != era {
		t.Errorf("eras %q, %q, %q and %q", here, era, feed.Era, found.Era)
	}
}

// rowOrFeed lets asks and changes meet in every order. If the barrier of a change does
// not find the row of a gate, that gate was told of the change.
func rowOrFeed(t *testing.T, f Fixture) {
	start := f.Put(t, 0, true)
	touch(t, f, row("directed"), start)
	between := f.Put(t, 0, false)
	if got := there(t, f, "directed"); got.Acknowledged != start.Revision || feed(t, f, start, 1000, 1000).Head != between {
		t.Errorf("a change between touch and feed: %+v", got)
	}
	for i := range 100 {
		who, start := gate.Instance(fmt.Sprint("gate ", i)), feed(t, f, start, 1000, 1000).Head
		var told barrier.Feed
		var ask errgroup.Group
		ask.Go(func() (err error) {
			if _, err = f.Store.Touch(t.Context(), row(who), start); err == nil {
				told, err = f.Store.Feed(t.Context(), start, 1000, 1000)
			}
			return err
		})
		at := f.Put(t, 0, i%2 == 0)
		found, err := f.Other.Rows(t.Context(), at)
		done(t, errors.Join(err, ask.Wait()))
		waits := slices.ContainsFunc(found.Rows, func(r barrier.Row) bool { return r.Instance == who && r.Acknowledged < at.Revision })
		if !found.Held || !waits && told.Head.Revision < at.Revision {
			t.Fatalf("the change at %v is not in the feed up to %v, and its barrier found %+v", at, told.Head, found)
		}
	}
}

func longestTerm(t *testing.T, f Fixture) {
	var asks errgroup.Group
	for i := range 24 {
		store := []barrier.Store{f.Store, f.Other}[i%2]
		asks.Go(func() error {
			r := row("a")
			r.Term = time.Duration(1+i*7%24) * time.Second
			_, err := store.Touch(t.Context(), r, portal.Position{})
			return err
		})
	}
	done(t, asks.Wait())
	if got := only(t, f).Term; got != 24*time.Second {
		t.Errorf("a term of %v", got)
	}
}

func markedAnew(t *testing.T, f Fixture) {
	touch(t, f, row("a"), portal.Position{})
	mark(t, f, "a", "watched")
	touch(t, f, row("a"), portal.Position{})
	done(t, f.Other.Delete(t.Context(), "a", "watched"))
	if there(t, f, "a") != row("a") {
		t.Fatal("deleted for a mark that was cleared")
	}
	mark(t, f, "a", "anew")
	done(t, f.Other.Delete(t.Context(), "a", "watched"))
	if got := only(t, f).Mark; got != "anew" {
		t.Errorf("marked %q", got)
	}
}

// Whichever comes first, the gate that has asked has a row: the old one without its mark,
// or a new one.
func deletedOrAsked(t *testing.T, f Fixture) {
	for i := range 30 {
		touch(t, f, row("a"), portal.Position{})
		mark(t, f, "a", fmt.Sprint("m", i))
		var deletion errgroup.Group
		deletion.Go(func() error { return f.Other.Delete(t.Context(), "a", fmt.Sprint("m", i)) })
		touched := touch(t, f, row("a"), portal.Position{})
		done(t, deletion.Wait())
		if got := only(t, f); got != row("a") || !touched.Wrote {
			t.Fatalf("wrote %v, and left %+v", touched.Wrote, got)
		}
	}
}

// A moment is what is true at a position.
type moment struct {
	active bool // the first user
	policy portal.Revision
}

// What facts say is what the directory said at their position, and at no other; and so is
// the policy that they, and feeds, are of (R13).
func oneSnapshot(t *testing.T, f Fixture) {
	f.Put(t, 1, true)
	now := moment{active: true}
	truth := map[portal.Position]moment{f.Put(t, 0, true): now}
	var reads [2][]gate.Found
	var feeds [2][]barrier.Feed
	writing := make(chan struct{})
	var readers errgroup.Group
	for i, store := range []barrier.Store{f.Store, f.Other} {
		readers.Go(func() (err error) {
			reads[i], feeds[i], err = readUntil(t, f, store, writing)
			return err
		})
	}
	func() {
		defer close(writing)
		for i := range 100 {
			now.active = i%2 == 1
			truth[f.Put(t, 0, now.active)] = now
			at := f.Promote(t)
			now.policy = at.Revision
			truth[at] = now
		}
	}()
	done(t, readers.Wait())
	for _, found := range slices.Concat(reads[0], reads[1]) {
		want, known := truth[found.Position]
		got := moment{found.Facts[1].User.Status == portal.UserActive, found.Policy.At}
		if !known || got != want || found.Facts[0].User.Status != portal.UserActive {
			t.Fatalf("at %v (known: %v) it is %+v, and was read as %+v", found.Position, known, want, found)
		}
	}
	for _, feed := range slices.Concat(feeds[0], feeds[1]) {
		if want, known := truth[feed.Head]; !known || feed.Policy.At != want.policy {
			t.Fatalf("at %v (known: %v) the policy is %d, and the feed has %v", feed.Head, known, want.policy, feed.Policy)
		}
	}
}

// readUntil reads the facts of two users, and the feed after them, until writing is over.
func readUntil(t *testing.T, f Fixture, store barrier.Store, writing <-chan struct{}) (reads []gate.Found, feeds []barrier.Feed, err error) {
	for {
		found, err := store.Facts(t.Context(), []portal.FactKey{f.Key(1), f.Key(0)})
		if err != nil {
			return nil, nil, err
		}
		feed, err := store.Feed(t.Context(), found.Position, 1000, 1000)
		if err != nil {
			return nil, nil, err
		}
		reads, feeds = append(reads, found), append(feeds, feed)
		select {
		case <-writing:
			return reads, feeds, nil
		default:
		}
	}
}

func recordsAtOnce(t *testing.T, f Fixture) {
	var keeping sync.WaitGroup
	for _, store := range []barrier.Store{f.Store, f.Other} {
		for last := range uint64(4) {
			keeping.Go(func() {
				var all []gate.Record
				for seq := uint64(1); seq <= last; seq++ {
					all = append(all, gate.Record{Seq: seq, Data: []byte{byte(seq)}})
				}
				if err := store.Keep(t.Context(), "spool", all); err != nil {
					t.Error(err)
				}
			})
		}
	}
	keeping.Wait()
}
