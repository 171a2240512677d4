package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/barrier/storetest"
	"doorward/internal/portal"
)

func TestGates(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		path := file(t)
		one, other := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
		return storetest.Over(one, gates(t, one), gates(t, other))
	})
}

func gates(t *testing.T, s *sqlite.Store) *sqlite.Gates {
	t.Helper()
	g, err := s.Gates(t.Context(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// beside is the file of the gates of the directory at path.
func beside(path string) string { return strings.TrimSuffix(path, ".db") + "-gates.db" }

var asking = barrier.Row{Instance: "a", Label: "billing", Term: 3 * time.Second}

func touched(t *testing.T, g *sqlite.Gates, after portal.Position) barrier.Row {
	t.Helper()
	_, err := g.Touch(t.Context(), asking, after)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := g.Rows(t.Context(), portal.Position{})
	if err != nil || len(rows.Rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	return rows.Rows[0]
}

// What gates write is no change of facts: memory stays proven fresh (ADR 2), and the
// directory's head where it is.
func TestGatesMoveNoStamp(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	at, g, ctx := found(t, s), gates(t, s), t.Context()
	was := s.Stamp()
	touched(t, g, at)
	_, err := g.Pulse(ctx)
	if err := errors.Join(err, g.Keep(ctx, "spool", []gate.Record{{Seq: 1}}), g.Mark(ctx, "a", "m"), g.Leave(ctx, "a")); err != nil {
		t.Fatal(err)
	}
	if s.Stamp() != was {
		t.Error("the stamp has moved")
	}
	if head, err := s.Head(ctx); err != nil || head != at {
		t.Errorf("the head is %v, %v", head, err)
	}
}

// Design R11: a restore begins another era, and what was acknowledged of the history that it
// left counts for nothing, although the rows are still there.
func TestGatesAfterARestore(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	kept := found(t, s)
	backup, _ := backedUp(t, s)
	lost := commit(t, s)
	g := gates(t, s)
	before := touched(t, g, lost)
	pulse, err := g.Pulse(t.Context())
	settled, err2 := g.Rows(t.Context(), lost)
	if err := errors.Join(err, err2, g.Close(), s.Close()); err != nil || before.Acknowledged != lost.Revision || !settled.Settled {
		t.Fatal(before, settled, err)
	}
	replace := mark(t, lost.String())
	done, err := restore(t, backup, path, sqlite.RestoreOptions{Replace: &replace})
	if err != nil || done.Position.Revision != lost.Revision {
		t.Fatalf("%+v, %v", done, err)
	}
	g = gates(t, open(t, path, sqlite.Options{MustExist: true}))
	rows, err := g.Rows(t.Context(), lost)
	if err != nil || rows.Held || rows.Settled || rows.Era == pulse || len(rows.Rows) != 1 || rows.Rows[0].Acknowledged != 0 || rows.Rows[0].Term != asking.Term {
		t.Errorf("before and after in %q: %+v, %v", pulse, rows, err)
	}
	if row := touched(t, g, lost); row.Acknowledged != 0 {
		t.Errorf("asked with a position that was lost: %+v", row)
	}
	if row := touched(t, g, kept); row.Acknowledged != kept.Revision {
		t.Errorf("asked with one that was kept: %+v", row)
	}
}

// Design R11: when the file of the gates is gone, gates may have leases that nobody knows of
// any more. It is not taken for that of a directory that has had none.
func TestGatesWhoseFileIsGone(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	settled := func(g *sqlite.Gates) bool {
		rows, err := g.Rows(t.Context(), portal.Position{})
		if err != nil {
			t.Fatal(err)
		}
		return rows.Settled
	}
	g := gates(t, s)
	if !settled(g) {
		t.Error("a directory that has had no gates waits for some")
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if g = gates(t, s); !settled(g) {
		t.Error("opened again, it is not settled")
	}
	if err := errors.Join(g.Close(), os.Remove(s.GatesPath())); err != nil {
		t.Fatal(err)
	}
	if settled(gates(t, s)) {
		t.Error("the file was deleted, and nobody is waited for")
	}
}

// commit makes a revision that changes nothing.
func commit(t *testing.T, s directory.Store) portal.Position {
	t.Helper()
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.entry"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// R16
func TestRecordsAreReadAgain(t *testing.T) {
	storetest.Records(t, gates(t, open(t, file(t), sqlite.Options{})))
}

func TestRecordsAreKeptOnce(t *testing.T) {
	path := file(t)
	g := gates(t, open(t, path, sqlite.Options{}))
	first, later := []gate.Record{{Seq: 1, Data: []byte("one")}, {Seq: 2}}, []gate.Record{{Seq: 2, Data: []byte("other")}, {Seq: 3, Data: []byte{0}}}
	if err := errors.Join(g.Keep(t.Context(), "s", first), g.Keep(t.Context(), "s", later), g.Keep(t.Context(), "t", first[:1])); err != nil {
		t.Fatal(err)
	}
	// All of them or none.
	if err := g.Keep(t.Context(), "s", []gate.Record{{Seq: 4}, {Seq: 0}}); err == nil {
		t.Error("a record without a number was kept")
	}
	var got string
	err := raw(t, beside(path)).QueryRow(`SELECT group_concat(spool || seq || ':' || hex(data), ' ') FROM (SELECT * FROM record ORDER BY spool, seq)`).Scan(&got)
	if want := "s1:6F6E65 s2: s3:00 t1:6F6E65"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// The time is this machine's, as the store has it.
func TestTimeOfGates(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	g := gates(t, open(t, file(t), sqlite.Options{Now: func() time.Time { return now }}))
	feed, err := g.Feed(t.Context(), portal.Position{}, 1, 1)
	if err != nil || !feed.Time.Equal(now) {
		t.Errorf("%+v, %v", feed, err)
	}
	facts, err := g.Facts(t.Context(), nil)
	if err != nil || !facts.Time.Equal(now) {
		t.Errorf("%+v, %v", facts, err)
	}
}

func TestGatesCannotBeReached(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	g := gates(t, s)
	if info, err := os.Stat(beside(path)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Touch(ended, asking, portal.Position{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if rows, err := g.Rows(t.Context(), portal.Position{}); err != nil || len(rows.Rows) != 0 {
		t.Errorf("it has written %+v, %v", rows, err)
	}
	if _, err := g.Feed(t.Context(), portal.Position{}, 0, 1); !errors.Is(err, directory.ErrInvalid) {
		t.Errorf("a limit of nothing: %v", err)
	}
	g.Close()
	_, touch := g.Touch(t.Context(), asking, portal.Position{})
	_, rows := g.Rows(t.Context(), portal.Position{})
	_, pulse := g.Pulse(t.Context())
	for _, err := range []error{touch, rows, pulse, g.Leave(t.Context(), "a"), g.Keep(t.Context(), "s", nil)} {
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("closed: %v", err)
		}
	}
}

// A directory that somebody calls doorward-gates.db, or the gates doorward.db, is told
// from what belongs there.
func TestGatesAreNoDirectory(t *testing.T) {
	path := file(t)
	gates(t, open(t, path, sqlite.Options{}))
	if _, err := sqlite.Open(t.Context(), beside(path), sqlite.Options{}); !errors.Is(err, sqlite.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	other := filepath.Join(t.TempDir(), "doorward-gates.db")
	open(t, other, sqlite.Options{})
	s := open(t, filepath.Join(filepath.Dir(other), "doorward.db"), sqlite.Options{})
	if _, err := s.Gates(t.Context(), sqlite.Options{}); !errors.Is(err, sqlite.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
