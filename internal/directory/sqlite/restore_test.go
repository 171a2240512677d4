package sqlite_test

import (
	"errors"
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

func restore(t *testing.T, from, path string, o sqlite.RestoreOptions) (sqlite.Restored, error) {
	t.Helper()
	o.Actor = "cli:tester"
	return sqlite.Restore(t.Context(), from, path, o)
}

func markOf(t *testing.T, p portal.Position) *portal.Mark {
	t.Helper()
	m := mark(t, p.String())
	return &m
}

// What is restored is what was backed up, and says so in its trail. Positions of the
// history that was left are refused, now and later (design R1).
func TestRestore(t *testing.T) {
	ctx := t.Context()
	s := open(t, file(t), sqlite.Options{})
	at := found(t, s)
	backup, _ := backedUp(t, s)
	var lost []portal.Position
	for range 3 {
		p, err := addUser(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		lost = append(lost, p)
	}
	path := filepath.Join(t.TempDir(), "new", "doorward.db")
	done, err := restore(t, backup, path, sqlite.RestoreOptions{Witness: markOf(t, at)})
	if err != nil || done.Report.Position != at || done.Position.Revision != at.Revision+1 || done.Aside != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"doorward.db"}) {
		t.Errorf("there is %v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	r := open(t, path, sqlite.Options{MustExist: true})
	if report, err := directory.Verify(ctx, r, markOf(t, at)); err != nil || report.Position != done.Position {
		t.Errorf("the trail: %+v, %v, want %v", report, err, done.Position)
	}
	for range 4 { // until there are as many revisions as were lost, and more
		if _, _, err := r.Changes(ctx, at, 10); err != nil {
			t.Errorf("the position of the backup: %v", err)
		}
		for _, p := range lost {
			if _, _, err := r.Changes(ctx, p, 10); !errors.Is(err, directory.ErrForeignPosition) {
				t.Errorf("the lost position %v: %v", p, err)
			}
		}
		if _, err := addUser(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	var entry audit.Entry
	for line, err := range r.AuditLines(ctx) {
		if err == nil && line.Revision == done.Position.Revision {
			entry = line.Entry
		}
	}
	if entry.Actor != "cli:tester" || entry.Action != "directory.restore" || entry.Detail["position"] != at.String() {
		t.Errorf("the trail says %+v", entry)
	}
}

// What is no sound directory that this program knows is refused, and nothing appears.
func TestRestoreRefuses(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	at := found(t, s)
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, backup string)
		why   error
		says  string
	}{
		{"empty", func(t *testing.T, b string) { writeFile(t, b, "") }, sqlite.ErrDamaged, "no database"},
		{"a text", func(t *testing.T, b string) { writeFile(t, b, strings.Repeat("text ", 999)) }, sqlite.ErrDamaged, "no database"},
		{"a folder", func(t *testing.T, b string) { os.Remove(b); os.Mkdir(b, 0o700) }, sqlite.ErrDamaged, "no file"},
		{"another program's", func(t *testing.T, b string) { alter(t, b, `PRAGMA application_id = 7`) }, sqlite.ErrDamaged, "another program"},
		{"newer", func(t *testing.T, b string) {
			alter(t, b, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, sqlite.ErrNewer, "schema 999"},
		{"cut short", func(t *testing.T, b string) { os.Truncate(b, 3*4096) }, sqlite.ErrDamaged, ""},
		{"corrupt pages", corrupt, sqlite.ErrDamaged, ""},
		{"a corrupt index", func(t *testing.T, b string) {
			alter(t, b, `PRAGMA writable_schema = on; UPDATE sqlite_schema
				SET sql = 'CREATE INDEX membership_user ON membership (state)' WHERE name = 'membership_user'`)
		}, sqlite.ErrDamaged, "membership_user"},
		{"an orphan", func(t *testing.T, b string) {
			alter(t, b, `INSERT INTO person (user, email, first_name, last_name, locale) VALUES ('nobody', '', '', '', '')`)
		}, sqlite.ErrDamaged, "person without its user"},
		{"with a log", func(t *testing.T, b string) { writeFile(t, b+"-wal", "log") }, nil, "write-ahead log"},
	} {
		backup, _ := backedUp(t, s)
		c.spoil(t, backup)
		path := file(t)
		_, err := restore(t, backup, path, sqlite.RestoreOptions{})
		if _, refused := errors.AsType[*sqlite.RefusedError](err); !refused || c.why != nil && !errors.Is(err, c.why) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.name, err)
		}
		if got := names(t, filepath.Dir(path)); len(got) > 0 {
			t.Errorf("%s: there is %v", c.name, got)
		}
	}
	backup, _ := backedUp(t, s)
	other := *markOf(t, at)
	other.Prefix[0]++
	refusesTrail(t, backup, sqlite.RestoreOptions{Witness: &other})
	alter(t, backup, `UPDATE audit_line SET actor = 'nobody' WHERE seq = 2`)
	refusesTrail(t, backup, sqlite.RestoreOptions{})
}

// refusesTrail wants the trail of the backup refused (S45).
func refusesTrail(t *testing.T, backup string, o sqlite.RestoreOptions) {
	t.Helper()
	_, err := restore(t, backup, file(t), o)
	_, refused := errors.AsType[*sqlite.RefusedError](err)
	_, broken := errors.AsType[*audit.BrokenError](err)
	if !refused || !broken {
		t.Errorf("got %v", err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alter changes a backup by hand.
func alter(t *testing.T, path, query string) {
	t.Helper()
	db := raw(t, path)
	run(t, db, query)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// corrupt spoils every page but the first.
func corrupt(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 4096; at < len(b); at += 4096 {
		copy(b[at+2:], "spoilt by hand")
	}
	writeFile(t, path, string(b))
}

// A directory is replaced only by whoever names its position, while nobody has it open,
// and is kept.
func TestRestoreReplaces(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	found(t, s)
	backup, report := backedUp(t, s)
	now, err := addUser(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []sqlite.RestoreOptions{{}, {Replace: markOf(t, report.Position)}} {
		_, err := restore(t, backup, path, o)
		if exists, ok := errors.AsType[*sqlite.ExistsError](err); !ok || exists.Position != now {
			t.Errorf("got %v, want that there is one at %v", err, now)
		}
	}
	s.Close()
	o := sqlite.RestoreOptions{Replace: markOf(t, now)}
	other := start(t, "obey", path)
	other.says(t)
	if _, err := restore(t, backup, path, o); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("while another process has it open: %v", err)
	}
	other.order(t)
	now = portal.Position{Revision: mark(t, other.says(t)).Revision}
	other.kill("")
	if _, err := restore(t, backup, path, o); err == nil {
		t.Error("the directory has moved on since")
	}
	again := open(t, path, sqlite.Options{})
	if head, err := again.Head(t.Context()); err != nil || head.Revision != now.Revision {
		t.Errorf("after refusals it is at %v, %v", head, err)
	}
	now, _ = again.Head(t.Context())
	again.Close()
	done, err := restore(t, backup, path, sqlite.RestoreOptions{Replace: markOf(t, now)})
	if err != nil || done.Aside != path+"."+now.String() {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"doorward.db", filepath.Base(done.Aside)}) {
		t.Errorf("there is %v", got)
	}
	for name, want := range map[string]portal.Position{path: done.Position, done.Aside: now} {
		s := open(t, name, sqlite.Options{MustExist: true})
		if report, err := directory.Verify(t.Context(), s, nil); err != nil || report.Position != want {
			t.Errorf("%s: %+v, %v, want %v", filepath.Base(name), report, err, want)
		}
		s.Close()
	}
}

// Remains of another directory would be taken for the restored one's, and what cannot be
// read has no position to name.
func TestRestoreAmongRemains(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	found(t, s)
	backup, _ := backedUp(t, s)
	path := filepath.Join(t.TempDir(), "doorward.db")
	writeFile(t, path+"-wal", "log")
	if _, err := restore(t, backup, path, sqlite.RestoreOptions{}); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("beside a log: %v", err)
	}
	os.Remove(path + "-wal")
	writeFile(t, path, "spoilt")
	if _, err := restore(t, backup, path, sqlite.RestoreOptions{}); !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), "move it and its") {
		t.Errorf("over what is spoilt: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "spoilt" {
		t.Errorf("it is %q now", got)
	}
	if _, err := restore(t, filepath.Join(t.TempDir(), "absent"), file(t), sqlite.RestoreOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent backup: %v", err)
	}
}

// A backup of before an upgrade is brought up to date; the file itself stays as it is.
func TestRestoreFromAnOlderSchema(t *testing.T) {
	backup, path := oldFile(t), file(t)
	before, _ := os.ReadFile(backup)
	done, err := restore(t, backup, path, sqlite.RestoreOptions{})
	if err != nil || done.Report.Position.Revision != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	r := open(t, path, sqlite.Options{MustExist: true})
	if _, err := r.Contacts(t.Context(), "shop"); err != nil {
		t.Error(err)
	}
	if after, _ := os.ReadFile(backup); string(after) != string(before) {
		t.Error("the backup has changed")
	}
}

// A program refuses a directory that a newer one has changed, restored or not.
func TestNewerSchemaIsNotOpened(t *testing.T) {
	path := file(t)
	s := open(t, path, sqlite.Options{})
	found(t, s)
	s.Close()
	alter(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("got %v", err)
	}
}
