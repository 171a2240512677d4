package sqlite_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// A writer killed at any moment loses nothing that it has acknowledged, and
// leaves nothing by half.
func TestKilledWhileWriting(t *testing.T) {
	path, random := file(t), rand.New(rand.NewPCG(2, 1))
	acknowledged := ""
	for range 6 {
		p := start(t, "write", path)
		for range 1 + random.IntN(30) {
			acknowledged = p.says(t)
		}
		acknowledged = p.kill(acknowledged)
		report := holdsAfterCrash(t, path, acknowledged)
		if got, said := report.Position.Revision, mark(t, acknowledged).Revision; got > said+1 {
			t.Errorf("revision %d, and only %d was acknowledged", got, said)
		}
	}
}

// Two processes that write at once wait for each other; neither fails, and the
// revisions of both are one sequence (design R1).
func TestTwoProcessesWrite(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	other := start(t, "write", path)
	acknowledged := ""
	for range 40 {
		if _, err := addUser(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		acknowledged = other.says(t)
	}
	acknowledged = other.kill(acknowledged)
	s.Close()
	holdsAfterCrash(t, path, acknowledged)
}

// holdsAfterCrash checks that everything up to what was acknowledged is there,
// and each revision whole.
func holdsAfterCrash(t *testing.T, path, acknowledged string) directory.Report {
	t.Helper()
	witness := mark(t, acknowledged)
	s := open(t, path, sqlite.Options{})
	defer s.Close()
	report, err := directory.Verify(t.Context(), s, &witness)
	if err != nil {
		t.Fatalf("after %s: %v", acknowledged, err)
	}
	revision := report.Position.Revision
	if revision < witness.Revision || report.Lines != 2*uint64(revision)-1 {
		t.Errorf("%+v after %s was acknowledged", report, acknowledged)
	}
	for r := portal.Revision(1); r < revision; r++ {
		if _, err := s.User(t.Context(), userAfter(r)); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.User(t.Context(), userAfter(revision)); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a user without revision: %v", err)
	}
	changes, _, err := s.Changes(t.Context(), portal.Position{}, 1_000_000)
	if err != nil || len(changes) != int(revision) {
		t.Errorf("%d changes, %v", len(changes), err)
	}
	return report
}
