package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

var rowPromises = []promise{
	{"touching makes a row, and again writes nothing", touchOnce},
	{"a position is acknowledged, and never taken back", acknowledge},
	{"a position of another history is not acknowledged (R1)", acknowledgeForeign},
	{"a term never becomes less (R9)", growingTerm},
	{"what is shown is brought up to date", shown},
	{"touching clears a mark (R6)", clearMark},
	{"a row is marked once (R6)", markOnce},
	{"a row is deleted for its very mark (R6)", deleteMarked},
	{"leaving deletes a row (R6)", leave},
	{"rows come by instance, byte for byte", order},
	{"a foreign position is not held (R11)", held},
	{"touching one row at once counts all of it", concurrent},
}

func touchOnce(t *testing.T, f Fixture) {
	want := row("a")
	if first := touch(t, f, want, portal.Position{}); !first.Wrote || first.Era == "" {
		t.Errorf("the first touch: %+v", first)
	}
	if again := touch(t, f, want, portal.Position{}); again.Wrote || again.Era == "" {
		t.Errorf("the second touch: %+v", again)
	}
	if diff := cmp.Diff(want, only(t, f)); diff != "" {
		t.Error(diff)
	}
	ignored := want
	ignored.Acknowledged, ignored.Mark = 7, "mark"
	if touch(t, f, ignored, portal.Position{}).Wrote || only(t, f) != want {
		t.Errorf("the caller's acknowledgement or mark counts: %+v", only(t, f))
	}
}

func acknowledge(t *testing.T, f Fixture) {
	first, second := f.Put(t, 0, true), f.Put(t, 0, false)
	for _, step := range []struct {
		after portal.Position
		want  portal.Revision
		wrote bool
	}{{portal.Position{}, 0, true}, {first, first.Revision, true}, {second, second.Revision, true}, {first, second.Revision, false}, {second, second.Revision, false}} {
		touched := touch(t, f, row("a"), step.after)
		if got := only(t, f).Acknowledged; got != step.want || touched.Wrote != step.wrote {
			t.Errorf("after %v: acknowledged %d, wrote %v, want %d, %v", step.after, got, touched.Wrote, step.want, step.wrote)
		}
	}
}

func acknowledgeForeign(t *testing.T, f Fixture) {
	at := f.Put(t, 0, true)
	beyond := at
	beyond.Revision += 5
	for _, p := range []portal.Position{foreign(at), beyond, foreign(portal.Position{})} {
		touch(t, f, row("a"), p)
		if got := only(t, f).Acknowledged; got != 0 {
			t.Errorf("%v is not held and acknowledged as %d", p, got)
		}
	}
	touch(t, f, row("a"), at)
	touch(t, f, row("a"), foreign(at))
	if got := only(t, f).Acknowledged; got != at.Revision {
		t.Errorf("acknowledged %d, want %d", got, at.Revision)
	}
}

func growingTerm(t *testing.T, f Fixture) {
	longer, shorter := row("a"), row("a")
	longer.Term, shorter.Term = 33*time.Second, time.Second
	for _, r := range []barrier.Row{row("a"), longer, shorter} {
		touch(t, f, r, portal.Position{})
	}
	if got := only(t, f).Term; got != longer.Term {
		t.Errorf("a term of %v", got)
	}
}

func shown(t *testing.T, f Fixture) {
	touch(t, f, row("a"), portal.Position{})
	other := row("a")
	other.Policy, other.Label = "another digest", "Größe 1"
	if !touch(t, f, other, portal.Position{}).Wrote || only(t, f) != other {
		t.Errorf("%+v", only(t, f))
	}
}

func mark(t *testing.T, f Fixture, who gate.Instance, mark string) {
	t.Helper()
	if err := f.Store.Mark(t.Context(), who, mark); err != nil {
		t.Fatal(err)
	}
}

func clearMark(t *testing.T, f Fixture) {
	touch(t, f, row("a"), portal.Position{})
	mark(t, f, "a", "m1")
	if got := only(t, f).Mark; got != "m1" {
		t.Fatalf("marked %q", got)
	}
	if touched := touch(t, f, row("a"), portal.Position{}); !touched.Wrote || only(t, f).Mark != "" {
		t.Errorf("wrote %v, %+v", touched.Wrote, only(t, f))
	}
}

func markOnce(t *testing.T, f Fixture) {
	mark(t, f, "nobody", "m0")
	if all := rows(t, f); len(all) != 0 {
		t.Errorf("marking made %+v", all)
	}
	touch(t, f, row("a"), portal.Position{})
	mark(t, f, "a", "m1")
	mark(t, f, "a", "m2")
	if got := only(t, f).Mark; got != "m1" {
		t.Errorf("marked %q, want the first mark", got)
	}
}

func deleteMarked(t *testing.T, f Fixture) {
	remove := func(who gate.Instance, mark string) {
		t.Helper()
		if err := f.Store.Delete(t.Context(), who, mark); err != nil {
			t.Fatal(err)
		}
	}
	touch(t, f, row("a"), portal.Position{})
	remove("a", "m1")
	remove("a", "")
	mark(t, f, "a", "m1")
	remove("a", "m2")
	remove("a", "")
	if got := only(t, f).Mark; got != "m1" {
		t.Fatalf("marked %q", got)
	}
	touch(t, f, row("b"), portal.Position{})
	remove("a", "m1")
	if got := only(t, f).Instance; got != "b" {
		t.Errorf("left is %q", got)
	}
	remove("a", "m1")
}

func leave(t *testing.T, f Fixture) {
	at := f.Put(t, 0, true)
	touch(t, f, row("a"), at)
	for range 2 {
		if err := f.Store.Leave(t.Context(), "a"); err != nil || len(rows(t, f)) != 0 {
			t.Fatalf("%v, %+v", err, rows(t, f))
		}
	}
	if !touch(t, f, row("a"), portal.Position{}).Wrote || only(t, f).Acknowledged != 0 {
		t.Errorf("what is made anew: %+v", only(t, f))
	}
}

func order(t *testing.T, f Fixture) {
	for _, who := range []gate.Instance{"b", "A", "a", "B", "aa"} {
		touch(t, f, row(who), portal.Position{})
	}
	var got []gate.Instance
	for _, r := range rows(t, f) {
		got = append(got, r.Instance)
	}
	if diff := cmp.Diff([]gate.Instance{"A", "B", "a", "aa", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func held(t *testing.T, f Fixture) {
	first, second := f.Put(t, 0, true), f.Put(t, 0, false)
	beyond := second
	beyond.Revision++
	for p, want := range map[portal.Position]bool{{}: true, first: true, second: true, foreign(first): false, beyond: false} {
		all, err := f.Store.Rows(t.Context(), p)
		if got := must(t, all, err); got.Held != want || got.Era == "" {
			t.Errorf("%v: held %v, era %q", p, got.Held, got.Era)
		}
	}
}

// Acknowledgements that come at once, and in any order, leave the latest. A touch that
// fails because of another may be repeated.
func concurrent(t *testing.T, f Fixture) {
	var all []portal.Position
	for i := range 8 {
		all = append(all, f.Put(t, i%3, i%2 == 0))
	}
	var work sync.WaitGroup
	failed := make(chan error, len(all))
	for i := range all {
		work.Go(func() {
			after := all[(i*5)%len(all)]
			for range 100 {
				_, err := f.Store.Touch(t.Context(), row("a"), after)
				if err == nil {
					return
				}
			}
			failed <- fmt.Errorf("touching after %v fails a hundred times", after)
		})
	}
	work.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if got, want := only(t, f).Acknowledged, all[len(all)-1].Revision; got != want {
		t.Errorf("acknowledged %d, want %d", got, want)
	}
}
