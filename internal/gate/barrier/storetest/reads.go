package storetest

import (
	"testing"
	"time"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

var readPromises = []promise{
	{"a feed leads from a position to the head", feedOn},
	{"a feed has no more than its limit, but whole revisions", feedLimit},
	{"a feed from a foreign position begins anew (R1)", feedForeign},
	{"a feed from far behind begins anew", feedFar},
	{"facts come with the position they were true at (R8)", facts},
	{"feeds and facts name the policy that was promoted last (R13)", policies},
	{"everything names the same era", eras},
	{"an era stays settled (R11)", settles},
	{"the database tells the time (R12)", clock},
	{"records are kept however often they come (R16)", records},
}

func feed(t *testing.T, f Fixture, after portal.Position, limit, window int) barrier.Feed {
	t.Helper()
	feed, err := f.Store.Feed(t.Context(), after, limit, window)
	return must(t, feed, err)
}

// follow applies a feed until it is at the head, and returns the revisions it named.
func follow(t *testing.T, f Fixture, after portal.Position, limit int) (named []portal.Revision, head portal.Position) {
	t.Helper()
	for range 1000 {
		got := feed(t, f, after, limit, 1000)
		if got.From != after {
			t.Fatalf("asked from %v, begins at %v", after, got.From)
		}
		for _, c := range got.Changes {
			if c.Revision <= after.Revision || c.Revision > got.To.Revision {
				t.Fatalf("a change of revision %d between %v and %v", c.Revision, after, got.To)
			}
			named = append(named, c.Revision)
		}
		if after = got.To; got.To == got.Head {
			return named, got.Head
		}
		if len(got.Changes) == 0 {
			t.Fatalf("stuck at %v before %v", got.To, got.Head)
		}
	}
	t.Fatal("a feed without end")
	return nil, portal.Position{}
}

func feedOn(t *testing.T, f Fixture) {
	_, begun := follow(t, f, portal.Position{}, 100) // a directory may have a revision that begins it
	if got := feed(t, f, begun, 10, 10); got.From != begun || got.To != begun || got.Head != begun || len(got.Changes) != 0 || got.Era == "" {
		t.Errorf("of an empty directory: %+v", got)
	}
	first, last := f.Put(t, 0, true), f.Put(t, 0, false)
	if _, head := follow(t, f, portal.Position{}, 100); head != last {
		t.Errorf("leads to %v, want %v", head, last)
	}
	named, head := follow(t, f, first, 100)
	if head != last || len(named) == 0 || named[0] != first.Revision+1 || named[len(named)-1] != last.Revision {
		t.Errorf("from %v: %v to %v", first, named, head)
	}
	if got := feed(t, f, last, 100, 100); got.From != last || got.To != last || got.Head != last || len(got.Changes) != 0 {
		t.Errorf("at the head: %+v", got)
	}
}

func feedLimit(t *testing.T, f Fixture) {
	var last portal.Position
	for i := range 6 {
		last = f.Put(t, i%3, i < 3)
	}
	whole, _ := follow(t, f, portal.Position{}, 1000)
	for _, limit := range []int{1, 2, 3} {
		parts, head := follow(t, f, portal.Position{}, limit)
		if head != last || len(parts) != len(whole) {
			t.Errorf("limit %d: %d changes to %v, want %d to %v", limit, len(parts), head, len(whole), last)
		}
	}
	if got := feed(t, f, portal.Position{}, 1, 1000); got.To == got.Head || got.Head != last {
		t.Errorf("limit 1: to %v, head %v", got.To, got.Head)
	}
}

func feedForeign(t *testing.T, f Fixture) {
	f.Put(t, 0, true)
	last := f.Put(t, 0, false)
	beyond := last
	beyond.Revision += 3
	for _, p := range []portal.Position{foreign(last), beyond, foreign(portal.Position{})} {
		got := feed(t, f, p, 1000, 1000)
		if got.From == p || got.From != (portal.Position{}) || got.To != last || got.Head != last {
			t.Errorf("from %v: from %v to %v, head %v", p, got.From, got.To, got.Head)
		}
	}
}

func feedFar(t *testing.T, f Fixture) {
	first := f.Put(t, 0, true)
	var last portal.Position
	for i := range 20 {
		last = f.Put(t, i%3, i%2 == 0)
	}
	got := feed(t, f, first, 1000, 3)
	if got.From == first || got.From.Revision <= first.Revision || got.From.Revision >= last.Revision || got.To != last {
		t.Errorf("from %v: from %v to %v, head %v", first, got.From, got.To, got.Head)
	}
	if again := feed(t, f, got.From, 1000, 1000); again.From != got.From {
		t.Errorf("where it began is not held: %+v", again)
	}
}

func facts(t *testing.T, f Fixture) {
	for i := range 6 {
		active := i%2 == 0
		at := f.Put(t, 1, active)
		found, err := f.Store.Facts(t.Context(), []portal.FactKey{f.Key(1), f.Key(2)})
		got := must(t, found, err)
		if len(got.Facts) != 2 || got.Position != at || got.Era == "" || got.Confirmed {
			t.Fatalf("%+v, want them at %v", got, at)
		}
		if (got.Facts[0].User.Status == portal.UserActive) != active {
			t.Errorf("at %v the user is %q", at, got.Facts[0].User.Status)
		}
	}
}

func settles(t *testing.T, f Fixture) {
	f.Put(t, 0, true)
	rows, err := f.Store.Rows(t.Context(), portal.Position{})
	era := must(t, rows, err).Era
	for _, said := range []gate.Era{era, "another", era} {
		done(t, f.Store.Settle(t.Context(), said))
		here, err := f.Store.Rows(t.Context(), portal.Position{})
		there, err2 := f.Other.Rows(t.Context(), portal.Position{})
		if !must(t, here, err).Settled || !must(t, there, err2).Settled {
			t.Errorf("%q is not settled, after %q was said", era, said)
		}
	}
}

func policies(t *testing.T, f Fixture) {
	f.Put(t, 0, true)
	check := func(after portal.Position, want portal.Revision) {
		t.Helper()
		found, err := f.Store.Facts(t.Context(), []portal.FactKey{f.Key(0), f.Key(1)})
		if got := must(t, found, err); got.Policy.At != want || (got.Policy.Digest == "") != (want == 0) {
			t.Errorf("facts at %v are of policy %v, want %d", got.Position, got.Policy, want)
		}
		// What a feed has no room for is in force all the same.
		for _, limit := range []int{1, 100} {
			if got := feed(t, f, after, limit, 100); got.Policy.At != want || (got.Policy.Digest == "") != (want == 0) {
				t.Errorf("the feed to %v has policy %v, want %d", got.To, got.Policy, want)
			}
		}
	}
	check(portal.Position{}, 0)
	for i := range 3 {
		at := f.Promote(t)
		check(at, at.Revision)
		check(portal.Position{}, at.Revision)
		last := f.Put(t, 0, i%2 == 1)
		check(at, at.Revision)
		check(last, at.Revision)
	}
}

func eras(t *testing.T, f Fixture) {
	f.Put(t, 0, true)
	pulse, err := f.Store.Pulse(t.Context())
	want := must(t, pulse, err)
	all, err := f.Store.Rows(t.Context(), portal.Position{})
	found, err2 := f.Store.Facts(t.Context(), []portal.FactKey{f.Key(0)})
	got := []gate.Era{
		touch(t, f, row("a"), portal.Position{}).Era, feed(t, f, portal.Position{}, 10, 10).Era, must(t, all, err).Era, must(t, found, err2).Era,
	}
	for i, era := range got {
		if era != want || want == "" {
			t.Errorf("%d: era %q, the pulse was of %q", i, era, want)
		}
	}
}

func clock(t *testing.T, f Fixture) {
	found, err := f.Store.Facts(t.Context(), []portal.FactKey{f.Key(0)})
	first := must(t, found, err).Time
	second := feed(t, f, portal.Position{}, 10, 10).Time
	if first.IsZero() || second.Before(first) || second.Sub(first) > time.Minute {
		t.Errorf("%v, then %v", first, second)
	}
}

func records(t *testing.T, f Fixture) {
	one, two := gate.Record{Seq: 1, Data: []byte("one")}, gate.Record{Seq: 2, Data: []byte{0, 0xff}}
	for _, batch := range [][]gate.Record{{one}, {one, two}, {two}, {one, two}} {
		if err := f.Store.Keep(t.Context(), "spool", batch); err != nil {
			t.Error(err)
		}
	}
	if err := f.Store.Keep(t.Context(), "another", []gate.Record{one}); err != nil {
		t.Error(err)
	}
}
