package postgres_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/gate/barrier/storetest"
	"doorward/internal/portal"
)

func TestGates(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		dsn := server.DSN(server.Database(t))
		one, other := open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})
		return storetest.Over(one, one.Gates(), other.Gates())
	})
}

func TestGatesThroughPooler(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		dsn := p.DSN(server.Database(t)) + " default_query_exec_mode=exec"
		one, other := open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})
		return storetest.Over(one, one.Gates(), other.Gates())
	})
}

var asking = barrier.Row{Instance: "a", Label: "billing", Term: 3 * time.Second}

func era(t *testing.T, g *postgres.Gates) gate.Era {
	t.Helper()
	rows, err := g.Rows(t.Context(), portal.Position{})
	if err != nil {
		t.Fatal(err)
	}
	if pulse, err := g.Pulse(t.Context()); err != nil || pulse != rows.Era {
		t.Errorf("a pulse says %q, %v, and reading %q", pulse, err, rows.Era)
	}
	return rows.Era
}

// Design R11: another start of the server is another era, and so is a database that was
// created anew. The rows are there as before.
func TestEras(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	s := open(t, server.DSN(database), postgres.Options{})
	g := s.Gates()
	at := found(t, s)
	if _, err := g.Touch(t.Context(), asking, at); err != nil {
		t.Fatal(err)
	}
	first := era(t, g)
	if rows, err := g.Rows(t.Context(), at); err != nil || !rows.Settled {
		t.Errorf("a directory that has had no gates waits for some: %+v, %v", rows, err)
	}
	server.Stop(syscall.SIGKILL)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if again := era(t, g); again == first {
		t.Errorf("still %q", again)
	}
	if err := g.Settle(t.Context(), first); err != nil {
		t.Error(err)
	}
	rows, err := g.Rows(t.Context(), at)
	if err != nil || rows.Settled || !rows.Held || len(rows.Rows) != 1 || rows.Rows[0].Acknowledged != at.Revision {
		t.Errorf("after a crash: %+v, %v", rows, err)
	}
	was := era(t, g)
	server.Do(t, database, `CREATE TABLE doorward.dump (LIKE doorward.gates INCLUDING ALL)`, `DROP TABLE doorward.gates`, `ALTER TABLE doorward.dump RENAME TO gates`)
	if restored := era(t, g); restored == was {
		t.Errorf("a dump was put in, and it is still %q", restored)
	}
	s.Close()
	server.Do(t, "postgres", `ALTER DATABASE `+database+` RENAME TO former`, `CREATE DATABASE `+database+` TEMPLATE former`)
	if restored := era(t, open(t, server.DSN(database), postgres.Options{}).Gates()); restored == was {
		t.Errorf("still %q", restored)
	}
}

// Design R11: what a standby becomes is of another era from its first answer on.
func TestEraAfterAFailover(t *testing.T) {
	primary := ownServer(t)
	database := primary.Database(t)
	follower := standby(t, primary)
	s := open(t, both(primary, follower, database), postgres.Options{})
	primary.Do(t, database, `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	until(t, raw(t, primary, database), `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`)
	at := found(t, s)
	if _, err := s.Gates().Touch(t.Context(), asking, at); err != nil {
		t.Fatal(err)
	}
	before := era(t, s.Gates())
	primary.Stop(syscall.SIGKILL)
	follower.Do(t, database, `SELECT pg_promote()`, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	after := era(t, s.Gates())
	follower.Do(t, database, `CHECKPOINT`)
	if later := era(t, s.Gates()); after == before || later != after {
		t.Errorf("%q before, %q after, %q later", before, after, later)
	}
	rows, err := s.Gates().Rows(t.Context(), at)
	if err != nil || !rows.Held || len(rows.Rows) != 1 || rows.Rows[0].Acknowledged != at.Revision {
		t.Errorf("got %+v, %v", rows, err)
	}
}

// everyCall makes each call of a barrier.Store.
func everyCall(ctx context.Context, g *postgres.Gates) map[string]error {
	_, touch := g.Touch(ctx, asking, portal.Position{})
	_, feed := g.Feed(ctx, portal.Position{}, 1, 1)
	_, rows := g.Rows(ctx, portal.Position{})
	_, pulse := g.Pulse(ctx)
	_, none := g.Facts(ctx, nil)
	_, facts := g.Facts(ctx, []portal.FactKey{{Account: "acme"}})
	return map[string]error{
		"touch": touch, "feed": feed, "rows": rows, "pulse": pulse, "no facts": none, "facts": facts,
		"mark": g.Mark(ctx, "a", "m"), "delete": g.Delete(ctx, "a", "m"), "leave": g.Leave(ctx, "a"),
		"keep": g.Keep(ctx, "s", []gate.Record{{Seq: 1}}),
	}
}

// Design R11: a standby answers nothing, also when a pooler puts it in the place of the
// primary.
func TestGatesOfAStandby(t *testing.T) {
	server := ownServer(t)
	p, err := server.Pooler("server_lifetime = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s := open(t, p.DSN(server.Database(t))+" default_query_exec_mode=exec", postgres.Options{})
	for call, err := range everyCall(t.Context(), s.Gates()) {
		if err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	if err := p.Redirect(standby(t, server)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = s.Head(t.Context())
	}
	for call, err := range everyCall(t.Context(), s.Gates()) {
		if !errors.Is(err, directory.ErrUnavailable) || !strings.Contains(err.Error(), "standby") {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// waitsForAStandby makes all commits wait for one that never comes, and does all it can so
// that they do not.
func waitsForAStandby(t *testing.T, server *pgtest.Server, database string) {
	t.Helper()
	server.Do(t, database, `ALTER DATABASE `+database+` SET synchronous_commit = off`, `ALTER DATABASE `+database+` SET client_min_messages = error`,
		`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`, `SELECT pg_reload_conf()`)
	until(t, raw(t, server, database), `SELECT current_setting('synchronous_standby_names') = 'nobody'`)
	t.Cleanup(func() {
		server.Do(t, database, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	}) // before the database is cleared
}

const (
	waiting = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep')`
	cancel  = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'`
)

// Where commits wait for a standby, one whose wait was cut short has failed, although the
// database says that it was made (design R11). It is so for records that are there already.
func TestCommitsOfGatesThatAreNotReplicated(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	g := open(t, server.DSN(database), postgres.Options{}).Gates()
	waitsForAStandby(t, server, database)
	g = open(t, server.DSN(database), postgres.Options{CommitTimeout: time.Minute}).Gates() // with those settings
	conn := raw(t, server, database)
	keep := func() error { return g.Keep(t.Context(), "s", []gate.Record{{Seq: 1}}) }
	for _, call := range []func() error{
		func() error { _, err := g.Touch(t.Context(), asking, portal.Position{}); return err },
		func() error { _, err := g.Pulse(t.Context()); return err },
		keep, keep,
	} {
		outcome := make(chan error)
		go func() { outcome <- call() }()
		until(t, conn, waiting)
		run(t, conn, cancel)
		if err := <-outcome; !errors.Is(err, directory.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	patient, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if _, err := g.Pulse(patient); err == nil {
		t.Error("a pulse that no standby has")
	}
}

// An update whose wait was cut short is one whose answer never came: it is acknowledged
// once a standby has it.
func TestUpdateWhoseWaitIsCutShort(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	open(t, server.DSN(database), postgres.Options{}).Close()
	waitsForAStandby(t, server, database)
	s := open(t, server.DSN(database), postgres.Options{CommitTimeout: time.Minute})
	conn := raw(t, server, database)
	outcome := make(chan error)
	go func() {
		_, err := addUser(t.Context(), s, "anna")
		outcome <- err
	}()
	for range 2 { // the commit, and whoever looks what became of it
		until(t, conn, waiting)
		run(t, conn, cancel)
	}
	until(t, conn, waiting)
	select {
	case err := <-outcome:
		t.Errorf("acknowledged without a standby: %v", err)
	default:
	}
	server.Do(t, database, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	if err := <-outcome; err != nil || !added(t, s, "anna") {
		t.Errorf("got %v", err)
	}
}

// R7: who finds a right gone is told so only by a database that can commit.
func TestAnUpdateThatChangesNothingIsConfirmed(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	open(t, server.DSN(database), postgres.Options{}).Close()
	waitsForAStandby(t, server, database)
	s := open(t, server.DSN(database), postgres.Options{CommitTimeout: 300 * time.Millisecond})
	if _, err := s.Update(t.Context(), func(directory.Tx) error { return nil }); err == nil {
		t.Error("found something in a database that cannot commit")
	}
	server.Do(t, database, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	before, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if at, err := s.Update(t.Context(), func(directory.Tx) error { return nil }); err != nil || at != before {
		t.Errorf("at %v, %v; the head is %v", at, err, before)
	}
}

// R16
func TestRecordsAreReadAgain(t *testing.T) {
	storetest.Records(t, open(t, server.DSN(server.Database(t)), postgres.Options{}).Gates())
}

func TestRecordsAreKeptOnce(t *testing.T) {
	database := server.Database(t)
	g := open(t, server.DSN(database), postgres.Options{}).Gates()
	first, later := []gate.Record{{Seq: 1, Data: []byte("one")}, {Seq: 2}}, []gate.Record{{Seq: 2, Data: []byte("other")}, {Seq: 3, Data: []byte{0}}}
	if err := errors.Join(g.Keep(t.Context(), "s", first), g.Keep(t.Context(), "s", later), g.Keep(t.Context(), "t", first[:1])); err != nil {
		t.Fatal(err)
	}
	// All of them or none.
	if err := g.Keep(t.Context(), "s", []gate.Record{{Seq: 4}, {Seq: 0}}); err == nil {
		t.Error("a record without a number was kept")
	}
	var got string
	err := raw(t, server, database).QueryRow(t.Context(),
		`SELECT string_agg(spool || seq || ':' || encode(data, 'hex'), ' ' ORDER BY spool, seq) FROM doorward.records`).Scan(&got)
	if want := "s1:6f6e65 s2: s3:00 t1:6f6e65"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// An ask that says nothing new takes no lock and writes nothing to the log: an idle gate
// costs no commits.
func TestIdleGatesCommitNothing(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	g := open(t, server.DSN(database), postgres.Options{}).Gates()
	if _, err := g.Touch(t.Context(), asking, portal.Position{}); err != nil {
		t.Fatal(err)
	}
	waitsForAStandby(t, server, database) // whoever commits now waits
	if touched, err := g.Touch(t.Context(), asking, portal.Position{}); err != nil || touched.Wrote {
		t.Errorf("got %+v, %v", touched, err)
	}
}

// The time is the database's, of after the call began.
func TestTimeOfGates(t *testing.T) {
	database := server.Database(t)
	g := open(t, server.DSN(database), postgres.Options{}).Gates()
	conn := raw(t, server, database)
	clock := func() (now time.Time) {
		if err := conn.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
			t.Fatal(err)
		}
		return now
	}
	for _, call := range []func() (time.Time, error){
		func() (time.Time, error) {
			feed, err := g.Feed(t.Context(), portal.Position{}, 1, 1)
			return feed.Time, err
		},
		func() (time.Time, error) { found, err := g.Facts(t.Context(), nil); return found.Time, err },
	} {
		before := clock()
		at, err := call()
		if after := clock(); err != nil || at.Before(before) || at.After(after) {
			t.Errorf("%v, %v, between %v and %v", at, err, before, after)
		}
	}
}
