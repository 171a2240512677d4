package sqlite_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
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
		p.kill()
		rest, err := io.ReadAll(p.stdout) // what it said before it died
		if err != nil && !strings.Contains(err.Error(), "closed") {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(rest)) {
			if strings.HasSuffix(line, "\n") {
				acknowledged = strings.TrimSuffix(line, "\n")
			}
		}
		holdsAfterCrash(t, path, acknowledged)
	}
}

func holdsAfterCrash(t *testing.T, path, acknowledged string) {
	t.Helper()
	mark, err := portal.ParseMark(acknowledged)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, sqlite.Options{})
	defer s.Close()
	report, err := directory.Verify(t.Context(), s, &mark)
	if err != nil {
		t.Fatalf("after %s: %v", acknowledged, err)
	}
	revision := report.Position.Revision
	if revision < mark.Revision || revision > mark.Revision+1 || report.Lines != 2*uint64(revision)-1 {
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
	changes, _, err := s.Changes(t.Context(), 0, 1_000_000)
	if err != nil || len(changes) != int(revision) {
		t.Errorf("%d changes, %v", len(changes), err)
	}
}
