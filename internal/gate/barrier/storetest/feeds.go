package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

var feedPromises = []promise{
	{"a feed ends with a revision, the last that its limit leaves room for (R1)", wholeRevisions},
	{"a feed that begins anew begins a window before the head, with a revision (R1)", windows},
	{"a position that no revision can be is held by nobody (R1)", impossible},
	{"rows do not move the head", headStays},
}

// all is more than any test changes.
const all = 1_000_000

// changed makes some revisions, and returns all that there were.
func changed(t *testing.T, f Fixture) barrier.Feed {
	t.Helper()
	for i := range 6 {
		f.Put(t, i%3, i%2 == 0)
	}
	return feed(t, f, portal.Position{}, all, all)
}

// after are the changes after a revision.
func after(changes []directory.Change, r portal.Revision) []directory.Change {
	i, _ := slices.BinarySearchFunc(changes, r+1, func(c directory.Change, r portal.Revision) int { return cmp.Compare(c.Revision, r) })
	return changes[i:]
}

func wholeRevisions(t *testing.T, f Fixture) {
	whole := changed(t, f)
	for limit := 1; limit <= len(whole.Changes); limit++ {
		var changes []directory.Change
		for at := (portal.Position{}); at != whole.Head; {
			got := feed(t, f, at, limit, all)
			if len(got.Changes) == 0 {
				t.Fatalf("nothing after %v, and the head is %v", at, got.Head)
			}
			last, rest := got.To.Revision, after(whole.Changes, got.To.Revision)
			if got.Changes[len(got.Changes)-1].Revision != last || len(got.Changes) > limit && got.Changes[0].Revision != last {
				t.Errorf("at most %d, to %v: %+v", limit, got.To, got.Changes)
			}
			if len(rest) > 0 && len(got.Changes)+len(rest)-len(after(rest, rest[0].Revision)) <= limit {
				t.Errorf("at most %d: there is room for revision %d", limit, rest[0].Revision)
			}
			changes, at = append(changes, got.Changes...), got.To
		}
		if diff := gocmp.Diff(whole.Changes, changes); diff != "" {
			t.Errorf("at most %d (-want +got):\n%s", limit, diff)
		}
	}
}

func windows(t *testing.T, f Fixture) {
	early := f.Put(t, 0, false)
	whole := changed(t, f)
	missing := len(after(whole.Changes, early.Revision))
	for window := 1; window <= len(whole.Changes)+1; window++ {
		windowed(t, f, whole, foreign(whole.Head), window)
		if window < missing {
			windowed(t, f, whole, early, window)
		} else if got := feed(t, f, early, all, window); got.From != early {
			t.Errorf("%d changes and a window of %d: from %v", missing, window, got.From)
		}
	}
}

// windowed checks a feed that does not begin where it was asked to.
func windowed(t *testing.T, f Fixture, whole barrier.Feed, p portal.Position, window int) {
	t.Helper()
	got := feed(t, f, p, all, window)
	rows, err := f.Store.Rows(t.Context(), got.From)
	if got.From == p || got.To != whole.Head || got.Head != whole.Head || !must(t, rows, err).Held {
		t.Errorf("after %v, a window of %d: from %v to %v", p, window, got.From, got.To)
	}
	if want := after(whole.Changes, got.From.Revision); fmt.Sprint(want) != fmt.Sprint(got.Changes) || len(want) > window {
		t.Errorf("a window of %d: %v, want %v", window, got.Changes, want)
	}
	if got.From.Revision > 0 && len(after(whole.Changes, got.From.Revision-1)) <= window {
		t.Errorf("a window of %d begins after %v: there is room for that revision", window, got.From)
	}
}

func impossible(t *testing.T, f Fixture) {
	at := f.Put(t, 0, true)
	p := portal.Position{Revision: 1 << 63, Tag: at.Tag}
	touch(t, f, row("a"), p)
	rows, err := f.Store.Rows(t.Context(), p)
	if got := must(t, rows, err); got.Held || got.Rows[0].Acknowledged != 0 {
		t.Errorf("got %+v", got)
	}
	if got := feed(t, f, p, all, all); got.From != (portal.Position{}) || got.To != at {
		t.Errorf("from %v to %v", got.From, got.To)
	}
}

func headStays(t *testing.T, f Fixture) {
	at := f.Put(t, 0, true)
	touch(t, f, row("a"), at)
	mark(t, f, "a", "m")
	_, err := f.Store.Pulse(t.Context())
	done(t, err)
	records(t, f)
	if got := feed(t, f, at, all, all); got.Head != at {
		t.Errorf("the head is %v, was %v", got.Head, at)
	}
}
