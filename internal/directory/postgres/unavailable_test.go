package postgres_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// refused fails unless err is ErrUnavailable and says why.
func refused(t *testing.T, err error, why string) {
	t.Helper()
	if !errors.Is(err, directory.ErrUnavailable) || errors.Is(err, directory.ErrOutcomeUnknown) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want ErrUnavailable: %s", err, why)
	}
}

// as is dsn, for another user.
func as(dsn, user string) string { return strings.Replace(dsn, "user=postgres", "user="+user, 1) }

// newName is a name that nothing on the server has.
func newName() string { return "n" + strings.ToLower(rand.Text()) }

// userOf makes a user of the server, who owns the database.
func userOf(t *testing.T, database string) (user string) {
	t.Helper()
	user = newName()
	server.Do(t, "postgres", `CREATE USER `+user, `ALTER DATABASE `+database+` OWNER TO `+user)
	return user
}

// endConnections ends all but conn.
const endConnections = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`

// What keeps the database from writing is ErrUnavailable, changes nothing, and passes.
func TestWhatPasses(t *testing.T) {
	for _, c := range []struct{ name, first, do, undo, why string }{
		{"too many connections", "", `ALTER USER USR CONNECTION LIMIT 0`, `ALTER USER USR CONNECTION LIMIT -1`, ""},
		{"user locked out", "", `ALTER USER USR NOLOGIN`, `ALTER USER USR LOGIN`, ""},
		{"read only", "", `ALTER DATABASE DB SET default_transaction_read_only = on`, `ALTER DATABASE DB RESET default_transaction_read_only`, "read only"},
		{
			"tables locked", `ALTER USER USR SET statement_timeout = 200`,
			`BEGIN; LOCK TABLE doorward.users, doorward.head, doorward.change_log IN ACCESS EXCLUSIVE MODE`,
			`ROLLBACK; ALTER USER USR RESET statement_timeout`, "cancelled",
		},
		{"rights taken", "", `REVOKE ALL ON doorward.users, doorward.head, doorward.change_log FROM USR`, `GRANT ALL ON doorward.users, doorward.head, doorward.change_log TO USR`, "lacks a right"},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := server.Database(t)
			user := userOf(t, database)
			fill := strings.NewReplacer("USR", user, "DB", database)
			s := open(t, as(server.DSN(database), user), postgres.Options{})
			before := found(t, s)
			conn := raw(t, server, database)
			run(t, conn, fill.Replace(c.first))
			run(t, conn, fill.Replace(c.do))
			run(t, conn, endConnections)
			_, errHead := s.Head(t.Context())
			_, errUpdate := addUser(t.Context(), s, "ben")
			_, _, errChanges := s.Changes(t.Context(), portal.Position{}, 10)
			refused(t, errHead, c.why)
			refused(t, errUpdate, c.why)
			refused(t, errChanges, c.why)
			run(t, conn, fill.Replace(c.undo))
			run(t, conn, endConnections)
			if p, err := s.Head(t.Context()); err != nil || p != before {
				t.Errorf("afterwards at %v, %v, want %v", p, err, before)
			}
			if p, err := addUser(t.Context(), s, "cid"); err != nil || p.Revision != before.Revision+1 {
				t.Errorf("afterwards: %v, %v", p, err)
			}
		})
	}
}

// When every connection of the pool has ended, nobody notices.
func TestConnectionsEnded(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	conn := raw(t, server, database)
	for _, use := range []func() error{
		func() error { _, err := s.Head(t.Context()); return err },
		func() error { _, err := s.Members(t.Context(), "acme"); return err },
		func() error { _, _, err := s.Changes(t.Context(), before, 1); return err },
		func() error { _, err := addUser(t.Context(), s, "ben"); return err },
	} {
		_, err := s.Update(t.Context(), func(directory.Tx) error { // so that the pool has two
			_, err := s.Head(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, conn, endConnections)
		if err := use(); err != nil {
			t.Error(err)
		}
	}
}

// A statement that fails loses the update, whatever the function makes of the error.
func TestConnectionLostAmidUpdate(t *testing.T) {
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	conn := raw(t, server, database)
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put"})
		if err := tx.PutUser(t.Context(), portal.User{ID: "ben", Status: portal.UserActive}); err != nil {
			return err
		}
		run(t, conn, endConnections)
		refused(t, tx.PutUser(t.Context(), portal.User{ID: "cid", Status: portal.UserActive}), "")
		if _, err := tx.Head(t.Context()); err == nil {
			t.Error("read in an update that is lost")
		}
		return nil
	})
	refused(t, err, "")
	if head, err := s.Head(t.Context()); err != nil || head != before || p != (portal.Position{}) || added(t, s, "ben") {
		t.Errorf("the head is %v, %v, want %v", head, err, before)
	}
}

// A server that is not there is ErrUnavailable at once, for a store that is open and for
// one that is opened.
func TestServerIsDown(t *testing.T) {
	server := ownServer(t)
	dsn := server.DSN(server.Database(t))
	s := open(t, dsn, postgres.Options{})
	before := found(t, s)
	server.Stop(syscall.SIGINT)
	_, err := s.Head(t.Context())
	refused(t, err, "")
	_, _, err = s.Facts(t.Context(), []portal.FactKey{{Account: "acme"}})
	refused(t, err, "")
	_, err = addUser(t.Context(), s, "ben")
	refused(t, err, "")
	_, err = postgres.Open(t.Context(), dsn, postgres.Options{})
	refused(t, err, "")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Head(t.Context()); err != nil || p != before {
		t.Errorf("afterwards at %v, %v, want %v", p, err, before)
	}
}

// fullTable puts the table's file on a disk that is full. The table is empty.
func fullTable(t *testing.T, server *pgtest.Server, database, table string) {
	t.Helper()
	var data, path string
	conn := raw(t, server, database)
	if err := conn.QueryRow(t.Context(), `SELECT current_setting('data_directory'), pg_relation_filepath($1)`, table).Scan(&data, &path); err != nil {
		t.Fatal(err)
	}
	server.Stop(syscall.SIGINT)
	path = filepath.Join(data, path)
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Fatalf("%s is not empty: %v, %v", table, info, err)
	}
	if err := errors.Join(os.Remove(path), os.Symlink("/dev/full", path), server.Start()); err != nil {
		t.Fatal(err)
	}
}

// A full disk is a clear error that changes nothing.
func TestDiskFull(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	before := found(t, s)
	fullTable(t, server, database, "doorward.history")
	p, err := s.Update(t.Context(), func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "test.put"})
		if err := tx.PutUser(t.Context(), portal.User{ID: "ben", Status: portal.UserActive}); err != nil {
			return err
		}
		refused(t, tx.PutHistory(t.Context(), portal.HistoryLine{Source: "whmcs", ID: "1"}), "the disk is full")
		return tx.PutUser(t.Context(), portal.User{ID: "orphan", Status: portal.UserActive})
	})
	refused(t, err, "")
	if p != (portal.Position{}) || added(t, s, "ben") || added(t, s, "orphan") {
		t.Error("something was changed")
	}
	if p, err := addUser(t.Context(), s, "cid"); err != nil || p.Revision != before.Revision+1 {
		t.Errorf("what fits goes on: %v, %v", p, err)
	}
}

// Close waits for the update under way, and refuses what comes meanwhile instead
// of waiting for itself.
func TestCloseWaits(t *testing.T) {
	dsn := server.DSN(server.Database(t))
	s := open(t, dsn, postgres.Options{})
	closed, waiting := make(chan error), make(chan error)
	_, err := s.Update(t.Context(), func(tx directory.Tx) error {
		go func() {
			_, err := addUser(t.Context(), s, "ben")
			waiting <- err
		}()
		go func() { closed <- s.Close() }()
		for { // until Close has begun
			if _, err := s.Head(t.Context()); errors.Is(err, directory.ErrUnavailable) {
				break
			}
		}
		refused(t, <-waiting, "closed")
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put"})
		return tx.PutUser(t.Context(), portal.User{ID: "anna", Status: portal.UserActive})
	})
	if err := errors.Join(err, <-closed, s.Close()); err != nil {
		t.Error(err)
	}
	if s := open(t, dsn, postgres.Options{}); !added(t, s, "anna") || added(t, s, "ben") {
		t.Error("what was under way is not there, or what was refused is")
	}
}

// What the database says, by SQLSTATE, and what the contract makes of it.
func TestErrorsOfTheDatabase(t *testing.T) {
	for state, want := range map[string]error{
		"08006": directory.ErrUnavailable, "25006": directory.ErrUnavailable, "40001": directory.ErrUnavailable,
		"53100": directory.ErrUnavailable, "53200": directory.ErrUnavailable, "53300": directory.ErrUnavailable,
		"57P01": directory.ErrUnavailable, "57P03": directory.ErrUnavailable, "58030": directory.ErrUnavailable,
		"XX001": postgres.ErrDamaged, "42P01": postgres.ErrDamaged, "23505": nil, "XX000": nil, "": nil,
	} {
		said := &pgconn.PgError{Code: state, Message: "as it said"}
		err := postgres.Explain(t.Context(), said)
		if want != nil && !errors.Is(err, want) || want == nil && error(said) != err || !strings.Contains(err.Error(), "as it said") {
			t.Errorf("%s: got %v, want %v", state, err, want)
		}
	}
}
