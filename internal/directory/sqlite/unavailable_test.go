package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/portal"
)

// raw opens the file past the store, with the driver the store registered.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// A full disk is a clear error that changes nothing, and passes.
func TestDiskFull(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	before := found(t, s)
	if err := s.LimitPages(t.Context(), 60); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 1<<20)
	for range 2 {
		p, err := s.Update(t.Context(), func(tx directory.Tx) error {
			tx.Log(audit.Entry{Actor: "user:tester", Action: "account.put"})
			err := tx.PutAccount(t.Context(), portal.Account{ID: "acme", Name: big, Status: portal.AccountClosed})
			if !errors.Is(err, directory.ErrUnavailable) {
				t.Errorf("put: %v", err)
			}
			// Whoever does not look at the error must not commit what follows it:
			// SQLite may have rolled back, and would commit this by itself.
			tx.PutUser(t.Context(), portal.User{ID: "orphan", Status: portal.UserActive})
			return nil
		})
		if !errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), "full") || p != (portal.Position{}) {
			t.Errorf("got %v, %v, want ErrUnavailable that says full", p, err)
		}
	}
	if _, err := s.User(t.Context(), "orphan"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("written after the disk was full: %v", err)
	}
	if a, err := s.Account(t.Context(), "acme"); err != nil || a.Status != portal.AccountActive {
		t.Errorf("got %v, %v", a.Status, err)
	}
	report, err := directory.Verify(t.Context(), s, nil)
	if err != nil || report.Position != before {
		t.Errorf("got %+v, %v, want %v", report, err, before)
	}
	if p, err := addUser(t.Context(), s); err != nil || p.Revision != before.Revision+1 {
		t.Errorf("afterwards: %v, %v", p, err)
	}
}

// A lock held by another process is waited for so long and no longer. Reading
// goes on meanwhile.
func TestLockedByAnotherProcess(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{BusyTimeout: 30 * time.Millisecond})
	before := found(t, s)
	other := start(t, "lock", path)
	other.says(t)
	if _, err := addUser(t.Context(), s); !errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if p, err := s.Head(t.Context()); err != nil || p != before {
		t.Errorf("read %v, %v while locked", p, err)
	}
	second := open(t, path, sqlite.Options{BusyTimeout: 30 * time.Millisecond}) // opening needs no write lock
	if p, err := second.Head(t.Context()); err != nil || p != before {
		t.Errorf("read %v, %v through a second store while locked", p, err)
	}
	other.order(t)
	if err := other.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if p, err := addUser(t.Context(), s); err != nil || p.Revision != before.Revision+1 {
		t.Errorf("after the lock: %v, %v", p, err)
	}
}

func TestContextEndsTheWaitForOtherUpdates(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Update(t.Context(), func(directory.Tx) error {
		waiting := make(chan error)
		go func() {
			_, err := addUser(ctx, s)
			waiting <- err
		}()
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Close waits for the update under way, and refuses what comes meanwhile instead
// of waiting for itself.
func TestCloseWaits(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	closed := make(chan error)
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		go func() { closed <- s.Close() }()
		for { // until Close has begun
			if _, err := s.Head(t.Context()); errors.Is(err, directory.ErrUnavailable) {
				break
			}
		}
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put"})
		for i := range portal.Revision(200) {
			if err := tx.PutUser(t.Context(), portal.User{ID: userAfter(i), Status: portal.UserActive}); err != nil {
				return err
			}
		}
		return tx.PutUser(t.Context(), portal.User{ID: "anna", Status: portal.UserActive})
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if s.Close() != nil || s.Stamp() != (directory.Stamp{}) {
		t.Error("closed twice, or not at all")
	}
	if u, err := open(t, path, sqlite.Options{}).User(t.Context(), "anna"); err != nil {
		t.Errorf("%v, %v", u, err)
	}
}

func TestCloseWaitsForReaders(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	read, done := s.HoldReader()
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	for { // until Close has begun
		if _, err := s.Head(t.Context()); errors.Is(err, directory.ErrUnavailable) {
			break
		}
	}
	for range 100 {
		if err := read(t.Context()); err != nil {
			t.Fatalf("closed under a reader: %v", err)
		}
	}
	done()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreNoDirectory(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	found(t, s)
	s.Close()
	sound, err := os.ReadFile(path)
	if err != nil || len(sound) < 8192 {
		t.Fatalf("%d bytes, %v: was the log not brought home?", len(sound), err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a closed directory leaves a log behind: %v", err)
	}
	torn := bytes.Clone(sound)
	copy(torn[100:], bytes.Repeat([]byte{0xff}, 3000))
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	run(t, raw(t, foreign), `CREATE TABLE theirs (x)`)
	theirs, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text":                 []byte(strings.Repeat("invoice,amount\n", 100)),
		"schema overwritten":   torn,
		"cut short":            sound[:5000],
		"of another program":   theirs,
		"short and not SQLite": []byte("xyz"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "doorward.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want ErrDamaged that names the file", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, content) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestOpenRefusesWhatIsNotThere(t *testing.T) {
	path := file(t)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{MustExist: true}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrNotExist that names the file", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was created: %v", err)
	}
	folder := t.TempDir()
	if _, err := sqlite.Open(t.Context(), folder, sqlite.Options{}); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("a folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Open(ctx, file(t), sqlite.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
