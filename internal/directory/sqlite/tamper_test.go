package sqlite_test

import (
	"errors"
	"strings"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// S45, req 113: whatever is done to the trail in the file, Verify names the first
// line that is wrong. The trail has 12 lines: 1 of revision 1, 2 of revision 2,
// then two of each revision from 3 (lines 3 and 4) to 7 (11 and 12).
func TestTamperedTrail(t *testing.T) {
	const headAt5 = `UPDATE head SET revision = 5, seq = 8, tag = (SELECT hash FROM audit_line WHERE seq = 8)`
	for _, c := range []struct {
		name    string
		do      []string
		witness portal.Revision // 0: none
		seq     uint64          // 0: in order
		why     string
	}{
		{name: "nothing"},
		{name: "nothing, witnessed", witness: 7},
		{name: "nothing, witnessed earlier", witness: 4},
		{name: "actor edited", do: []string{`UPDATE audit_line SET actor = 'user:b' WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "client edited", do: []string{`UPDATE audit_line SET client = 'shop' WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "action edited", do: []string{`UPDATE audit_line SET action = 'x' WHERE seq = 12`}, seq: 12, why: "changed"},
		{name: "object edited", do: []string{`UPDATE audit_line SET object = '' WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "detail edited", do: []string{`UPDATE audit_line SET detail = '{"installation":"x"}' WHERE seq = 1`}, seq: 1, why: "changed"},
		{name: "detail unreadable", do: []string{`UPDATE audit_line SET detail = 'x' WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "time edited", do: []string{`UPDATE audit_line SET time = time + 1 WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "revision edited", do: []string{`UPDATE audit_line SET revision = 3 WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "revision far off", do: []string{`UPDATE audit_line SET revision = 9 WHERE seq = 5`}, seq: 5, why: "does not follow"},
		{name: "hash edited", do: []string{`UPDATE audit_line SET hash = zeroblob(32) WHERE seq = 5`}, seq: 5, why: "changed"},
		{name: "first deleted", do: []string{`DELETE FROM audit_line WHERE seq = 1`}, seq: 1, why: "missing"},
		{name: "one deleted", do: []string{`DELETE FROM audit_line WHERE seq = 5`}, seq: 5, why: "missing"},
		{name: "one deleted and the gap closed", do: []string{
			`DELETE FROM audit_line WHERE seq = 5`, `UPDATE audit_line SET seq = -(seq - 1) WHERE seq > 5`, `UPDATE audit_line SET seq = -seq WHERE seq < 0`,
		}, seq: 5, why: "changed"},
		{name: "two swapped", do: []string{
			`UPDATE audit_line SET seq = -1 WHERE seq = 5`, `UPDATE audit_line SET seq = 5 WHERE seq = 6`, `UPDATE audit_line SET seq = 6 WHERE seq = -1`,
		}, seq: 5, why: "changed"},
		{name: "one put in", do: []string{
			`INSERT INTO audit_line SELECT 13, 7, time, actor, client, action, object, detail, hash FROM audit_line WHERE seq = 12`,
		}, seq: 13, why: "changed"},
		{name: "all deleted", do: []string{`DELETE FROM audit_line`}, seq: 1, why: "missing"},
		{name: "last line cut", do: []string{`DELETE FROM audit_line WHERE seq = 12`}, seq: 12, why: "missing"},
		{name: "tail cut", do: []string{`DELETE FROM audit_line WHERE seq > 8`}, seq: 9, why: "missing"},
		{name: "tail cut with the head, unseen", do: []string{`DELETE FROM audit_line WHERE seq > 8`, headAt5}},
		{name: "tail cut with the head, witnessed", do: []string{`DELETE FROM audit_line WHERE seq > 8`, headAt5}, witness: 7, seq: 9, why: "witness"},
		{name: "tail cut with the head, witnessed before", do: []string{`DELETE FROM audit_line WHERE seq > 8`, headAt5}, witness: 5},
		{name: "head put back", do: []string{headAt5}, seq: 12, why: "goes on"},
		{name: "head put forward", do: []string{`UPDATE head SET revision = 9`}, seq: 13, why: "missing"},
		{name: "head edited", do: []string{`UPDATE head SET tag = zeroblob(32)`}, seq: 13, why: "head says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, marks := twelveLines(t)
			db := raw(t, path)
			for _, query := range c.do {
				run(t, db, query)
			}
			db.Close()
			s := open(t, path, sqlite.Options{})
			var witness *portal.Mark
			if c.witness != 0 {
				m := marks[c.witness]
				witness = &m
			}
			report, err := directory.Verify(t.Context(), s, witness)
			var broken *audit.BrokenError
			switch {
			case c.seq == 0 && (err != nil || report.Witnessed != (witness != nil)):
				t.Errorf("got %+v, %v, want all in order", report, err)
			case c.seq != 0 && (!errors.As(err, &broken) || broken.Seq != c.seq || !strings.Contains(broken.Why, c.why)):
				t.Errorf("got %v, want line %d: %s", err, c.seq, c.why)
			}
		})
	}
}

// twelveLines makes a directory, and the marks of its revisions.
func twelveLines(t *testing.T) (path string, marks map[portal.Revision]portal.Mark) {
	t.Helper()
	path, marks = file(t), map[portal.Revision]portal.Mark{}
	s := open(t, path, sqlite.Options{})
	defer s.Close()
	p := found(t, s)
	for range 5 {
		marks[p.Revision] = mark(t, p.String())
		var err error
		if p, err = addUser(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	marks[p.Revision] = mark(t, p.String())
	return path, marks
}

func mark(t *testing.T, position string) portal.Mark {
	t.Helper()
	m, err := portal.ParseMark(position)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A trail written anew is sound in itself; only a witness tells. Two directories
// never share a position, not even their first (design R1).
func TestAnotherHistory(t *testing.T) {
	_, marks := twelveLines(t)
	other := open(t, file(t), sqlite.Options{})
	first, err := other.Head(t.Context())
	if err != nil || first.Revision != 1 {
		t.Fatalf("a new directory is at %v, %v", first, err)
	}
	mine := open(t, file(t), sqlite.Options{})
	if p, err := mine.Head(t.Context()); err != nil || p == first || string(mine.Salt()) == string(other.Salt()) || len(mine.Salt()) < 32 {
		t.Errorf("two directories begin at %v, %v", p, err)
	}
	for range 9 {
		if _, err := addUser(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	for revision, witness := range marks {
		_, err := directory.Verify(t.Context(), other, &witness)
		var broken *audit.BrokenError
		if !errors.As(err, &broken) || broken.Seq != 2*uint64(revision)-1 || !strings.Contains(broken.Why, "another history") {
			t.Errorf("revision %d: got %v", revision, err)
		}
	}
}

// Commits while Verify walks are no fault.
func TestVerifyBesideCommits(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	found(t, s)
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 300 && err == nil; i++ {
			_, err = addUser(t.Context(), s)
		}
		done <- err
	}()
	for {
		if report, err := directory.Verify(t.Context(), s, nil); err != nil {
			t.Fatalf("%+v, %v", report, err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}
