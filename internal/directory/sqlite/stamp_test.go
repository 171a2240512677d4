package sqlite_test

import (
	"errors"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

func TestStampMovesWithCommitsOnly(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	found(t, s)
	seen := map[directory.Stamp]bool{{}: true}
	for range 400 { // enough for the log to be checkpointed and begun anew
		was := s.Stamp()
		if seen[was] {
			t.Fatal("a stamp came back")
		}
		seen[was] = true
		still(t, s, was)
		if _, err := addUser(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if s.Stamp() == was {
			t.Fatal("committed, and the stamp stayed")
		}
	}
}

// still does what commits nothing, and fails if the stamp moves.
func still(t *testing.T, s *sqlite.Store, was directory.Stamp) {
	t.Helper()
	ctx := t.Context()
	_, _, err := s.Facts(ctx, []portal.FactKey{{Account: "acme"}, {Account: "b"}})
	_, empty := s.Update(ctx, func(directory.Tx) error { return nil })
	_, equal := s.Update(ctx, func(tx directory.Tx) error { return put(t, tx) })
	_, unaudited := s.Update(ctx, func(tx directory.Tx) error {
		return tx.PutUser(ctx, portal.User{ID: "x", Status: portal.UserActive})
	})
	if !errors.Is(unaudited, directory.ErrUnaudited) {
		t.Fatal(unaudited)
	}
	if err := errors.Join(err, empty, equal); err != nil {
		t.Fatal(err)
	}
	if s.Stamp() != was {
		t.Fatal("nothing was committed, and the stamp moved")
	}
}

// What another process has acknowledged shows at once.
func TestStampSeesOtherProcesses(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	other := start(t, "obey", path)
	other.says(t)
	for range 30 {
		commitElsewhere(t, s, other)
	}
}

func commitElsewhere(t *testing.T, s *sqlite.Store, other *process) {
	t.Helper()
	was := s.Stamp()
	other.order(t)
	acknowledged := other.says(t)
	if s.Stamp() == was {
		t.Fatalf("%s was acknowledged, and the stamp stayed", acknowledged)
	}
	if p, err := s.Head(t.Context()); err != nil || p.String() != acknowledged {
		t.Fatalf("read %v, %v after %s", p, err, acknowledged)
	}
}

// Closing one store must not take the locks of another one in this process. If it
// did, a process that comes would believe itself alone, and begin by emptying the
// index under the store that stayed.
func TestClosingOneStoreLeavesTheOthersLocks(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	found(t, s)
	if err := open(t, path, sqlite.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	if got := start(t, "look", path).says(t); got != "held" {
		t.Fatalf("the lock on the WAL index is %s", got)
	}
	other := start(t, "obey", path)
	other.says(t)
	for range 3 {
		commitElsewhere(t, s, other)
		was := s.Stamp()
		if _, err := addUser(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if s.Stamp() == was {
			t.Fatal("committed, and the stamp stayed")
		}
	}
	if _, err := directory.Verify(t.Context(), s, nil); err != nil {
		t.Error(err)
	}
}
