package sqlite_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
)

func TestOpeningAgainChangesNothing(t *testing.T) {
	path := file(t)
	var schema, salt string
	for range 3 {
		s := open(t, path, sqlite.Options{})
		p, err := s.Head(t.Context())
		if err != nil || p.Revision != 1 {
			t.Errorf("opened at %v, %v", p, err)
		}
		if salt != "" && salt != string(s.Salt()) {
			t.Error("the salt changed")
		}
		salt = string(s.Salt())
		s.Close()
		db := raw(t, path)
		var now string
		if err := db.QueryRow(`SELECT group_concat(sql, ';') || (SELECT count(*) FROM goose_db_version) FROM sqlite_schema`).Scan(&now); err != nil {
			t.Fatal(err)
		}
		if schema != "" && schema != now {
			t.Errorf("the schema changed from\n%s\nto\n%s", schema, now)
		}
		schema = now
		db.Close()
	}
}

// However many processes create one directory at once, it is created once.
func TestCreatedByManyProcessesAtOnce(t *testing.T) {
	path := file(t)
	var processes []*process
	for range 4 {
		processes = append(processes, start(t, "open", path))
	}
	s := open(t, path, sqlite.Options{})
	for _, p := range processes {
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("a child: %v", err)
		}
	}
	report, err := directory.Verify(t.Context(), s, nil)
	if err != nil || report.Lines != 1 || report.Position.Revision != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if p, err := addUser(t.Context(), s); err != nil || p.Revision != 2 {
		t.Errorf("%v, %v", p, err)
	}
}

// The file holds personal data: it is its owner's alone.
func TestPermissions(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	found(t, s)
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700 | os.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", filepath.Base(name), info.Mode(), err, want)
		}
	}
	s.Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	open(t, path, sqlite.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "0600") {
		t.Errorf("a file that others can read is opened with %q", log.String())
	}
}

func TestPathsWithStrangeLetters(t *testing.T) {
	for _, name := range []string{"a b", "a?mode=memory", "a#b", "a%20b", "ä&_pragma=x"} {
		path := filepath.Join(t.TempDir(), name, name)
		s := open(t, path, sqlite.Options{})
		found(t, s)
		s.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What the promises of this package rest on (design R11).
func TestSettings(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "trusted_schema": "0",
		"busy_timeout": "5000", "query_only": "0",
	} {
		if got, err := s.Setting(t.Context(), pragma); got != want || err != nil {
			t.Errorf("%s is %s, %v, want %s", pragma, got, err, want)
		}
	}
}
