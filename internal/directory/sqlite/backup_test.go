package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// names are those in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// backedUp is a backup of s.
func backedUp(t *testing.T, s *sqlite.Store) (path string, report directory.Report) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "backup.db")
	report, err := s.Backup(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return path, report
}

// A backup has what was acknowledged when it began, in one file that is its owner's
// alone, and takes no name that is taken.
func TestBackup(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	at := found(t, s)
	path, report := backedUp(t, s)
	if report.Position != at || report.Lines != 2 {
		t.Errorf("%+v, want position %v", report, at)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"backup.db"}) {
		t.Errorf("there is %v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(path)
	if _, err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("to a name that is taken: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the backup that was there has changed")
	}
	if _, err := s.Backup(t.Context(), filepath.Join(path, "below", "a-file")); err == nil {
		t.Error("below a file")
	}
	s.Close()
	if _, err := s.Backup(t.Context(), path+"2"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("of a closed store: %v", err)
	}
	copied := open(t, path, sqlite.Options{MustExist: true})
	if a, err := copied.Account(t.Context(), "acme"); err != nil || a.Status != portal.AccountActive || string(copied.Salt()) != string(s.Salt()) {
		t.Errorf("in the backup: %+v, %v", a, err)
	}
}

// While another process writes, every backup is one moment of one history.
func TestBackupWhileAnotherProcessWrites(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	writer := start(t, "write", path)
	for range 4 {
		said := mark(t, writer.says(t))
		backup, report := backedUp(t, s)
		if report.Position.Revision < said.Revision {
			t.Errorf("backup at %v, and %v was acknowledged before", report.Position, said)
		}
		if _, _, err := s.Changes(t.Context(), report.Position, 1); err != nil {
			t.Errorf("the position %v of the backup: %v", report.Position, err)
		}
		holdsAfterCrash(t, backup, report.Position.String())
	}
	writer.kill("")
}

// heavy makes a directory that takes a while to back up.
func heavy(t *testing.T, path string) {
	t.Helper()
	s := open(t, path, sqlite.Options{})
	defer s.Close()
	found(t, s)
	for range 10 {
		_, err := s.Update(t.Context(), func(tx directory.Tx) error {
			tx.Log(audit.Entry{Actor: "user:tester", Action: "test.note", Detail: map[string]string{"text": strings.Repeat("x", 1<<20)}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A backup killed at any moment leaves no half file under the name it was to have.
func TestKilledWhileBackingUp(t *testing.T) {
	path := file(t)
	heavy(t, path)
	unfinished := 0
	for delay := range 4 {
		target := filepath.Join(t.TempDir(), "backup.db")
		p := start(t, "backup", path+" "+target)
		p.says(t)
		for seen := 0; seen < 1+400*delay; { // until it is at work, and then some
			if len(names(t, filepath.Dir(target))) > 0 {
				seen++
			}
		}
		p.kill("")
		if _, err := os.Stat(target); errors.Is(err, fs.ErrNotExist) {
			unfinished++
			continue
		}
		s := open(t, target, sqlite.Options{MustExist: true})
		if _, err := directory.Verify(t.Context(), s, nil); err != nil {
			t.Errorf("what has the name is not whole: %v", err)
		}
		s.Close()
	}
	if unfinished == 0 {
		t.Error("no backup was killed before its end")
	}
}

// A disk that is full, or a file that may not grow, fails clearly and leaves nothing.
func TestBackupToAFullDisk(t *testing.T) {
	path := file(t)
	heavy(t, path)
	target := filepath.Join(t.TempDir(), "backup.db")
	p := start(t, "backup-little-room", path+" "+target)
	p.says(t)
	if got := p.says(t); got != "unavailable" {
		t.Errorf("the child says %q", got)
	}
	if got := names(t, filepath.Dir(target)); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}
