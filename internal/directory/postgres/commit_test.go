package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// raw is a connection past the store.
func raw(t testing.TB, s *pgtest.Server, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func run(t testing.TB, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// yes tells the answer to a yes-or-no question.
func yes(t testing.TB, conn *pgx.Conn, question string) (yes bool) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), question).Scan(&yes); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return yes
}

// patience is how long tests wait for what must come.
const patience = time.Minute

// until asks a yes-or-no question again and again, until the answer is yes.
func until(t testing.TB, conn *pgx.Conn, question string) {
	t.Helper()
	for began := time.Now(); !yes(t, conn, question); {
		if time.Since(began) > patience {
			t.Fatalf("never: %s", question)
		}
	}
}

// addUser adds a user.
func addUser(ctx context.Context, s directory.Store, id portal.UserID) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(audit.Entry{Actor: "user:tester", Action: "user.put", Object: "user:" + string(id)})
		return tx.PutUser(ctx, portal.User{ID: id, Status: portal.UserActive})
	})
}

// added tells whether a user is there.
func added(t testing.TB, s directory.Store, id portal.UserID) bool {
	t.Helper()
	_, err := s.User(t.Context(), id)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// A commit whose answer is lost was made: Update finds out, and says so.
func TestCommitMadeAndNotAnswered(t *testing.T) {
	network := network(t, server)
	s := open(t, network.dsn(server.Database(t)), postgres.Options{})
	network.fate.Store(int32(unanswered))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-network.seen
		network.mend()
		cancel() // too late to matter
	}()
	p, err := addUser(ctx, s, "anna")
	if err != nil || p.Revision != 2 || !added(t, s, "anna") {
		t.Errorf("got %v, %v", p, err)
	}
	if head, err := s.Head(t.Context()); err != nil || head != p {
		t.Errorf("the head is %v, %v, want %v", head, err, p)
	}
}

// A commit that never reached the database was not made.
func TestCommitNotSent(t *testing.T) {
	network := network(t, server)
	s := open(t, network.dsn(server.Database(t)), postgres.Options{})
	network.fate.Store(int32(unsent))
	go func() {
		<-network.seen
		network.mend()
	}()
	p, err := addUser(t.Context(), s, "anna")
	if !errors.Is(err, directory.ErrUnavailable) || errors.Is(err, directory.ErrOutcomeUnknown) || p != (portal.Position{}) {
		t.Errorf("got %v, %v, want ErrUnavailable", p, err)
	}
	if head, err := s.Head(t.Context()); err != nil || head.Revision != 1 || added(t, s, "anna") {
		t.Errorf("the head is %v, %v", head, err)
	}
}

// slowCommits makes every commit that adds a user wait for a lock that the returned
// connection holds.
func slowCommits(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn := raw(t, server, database)
	run(t, conn, `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'`)
	run(t, conn, `CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON doorward.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`)
	run(t, conn, `SELECT pg_advisory_lock(1)`)
	return conn
}

const (
	commits = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'commit' AND wait_event = 'advisory')`
	// looks: whoever wants to know what became of the commit waits for its end.
	looks = `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'doorward.turn'::regclass AND NOT granted)`
)

// A commit that goes on in the database when its client is cut off is waited for,
// whatever becomes of it.
func TestCommitGoesOnAlone(t *testing.T) {
	for end, made := range map[string]bool{
		`SELECT pg_advisory_unlock(1)`: true,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'commit'`: false,
	} {
		network, database := network(t, server), server.Database(t)
		s := open(t, network.dsn(database), postgres.Options{})
		conn := slowCommits(t, database)
		network.fate.Store(int32(unanswered))
		outcome := make(chan error)
		go func() {
			_, err := addUser(t.Context(), s, "anna")
			outcome <- err
		}()
		until(t, conn, commits)
		network.mend()
		until(t, conn, looks)
		run(t, conn, end)
		err := <-outcome
		if made && err != nil || !made && !errors.Is(err, directory.ErrUnavailable) || added(t, s, "anna") != made {
			t.Errorf("after %s: %v", end, err)
		}
	}
}

// When nobody can be asked, Update does not claim that nothing was changed.
func TestOutcomeUnknown(t *testing.T) {
	network, database := network(t, server), server.Database(t)
	patient := open(t, server.DSN(database), postgres.Options{})
	s := open(t, network.dsn(database), postgres.Options{CommitTimeout: 300 * time.Millisecond})
	network.fate.Store(int32(unanswered))
	p, err := addUser(t.Context(), s, "anna")
	if !errors.Is(err, directory.ErrOutcomeUnknown) || errors.Is(err, directory.ErrUnavailable) ||
		!strings.Contains(err.Error(), "2.") || p != (portal.Position{}) {
		t.Errorf("got %v, %v, want ErrOutcomeUnknown that names the position", p, err)
	}
	if !added(t, patient, "anna") {
		t.Error("it was made in truth")
	}
}

// A store that is closed looks no longer.
func TestCloseEndsTheLookForAnOutcome(t *testing.T) {
	network := network(t, server)
	s := open(t, network.dsn(server.Database(t)), postgres.Options{CommitTimeout: time.Hour})
	network.fate.Store(int32(unanswered))
	go func() {
		<-network.seen
		s.Close()
	}()
	if _, err := addUser(t.Context(), s, "anna"); !errors.Is(err, directory.ErrOutcomeUnknown) || errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v, want ErrOutcomeUnknown", err)
	}
}

// Where commits wait for a standby, a change that no standby has is not acknowledged,
// although everybody can read it (design R11).
func TestCommitThatIsNotReplicated(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	patient := open(t, server.DSN(database), postgres.Options{})
	s := open(t, server.DSN(database), postgres.Options{CommitTimeout: 300 * time.Millisecond})
	server.Do(t, database, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`, `SELECT pg_reload_conf()`)
	conn := raw(t, server, database)
	until(t, conn, `SELECT current_setting('synchronous_standby_names') = 'nobody'`)
	if _, err := addUser(t.Context(), s, "anna"); !errors.Is(err, directory.ErrOutcomeUnknown) || errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v, want ErrOutcomeUnknown", err)
	}
	server.Do(t, database, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	until(t, conn, `SELECT current_setting('synchronous_standby_names') = ''`)
	if p, err := addUser(t.Context(), patient, "ben"); err != nil || !added(t, patient, "anna") || p.Revision != 3 {
		t.Errorf("afterwards: %v, %v", p, err)
	}
}
