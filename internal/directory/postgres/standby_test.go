package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

func standby(t *testing.T, server *pgtest.Server) *pgtest.Server {
	t.Helper()
	s, err := server.Standby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Design R11: facts are read from the primary, and from a standby not even on request.
func TestStandby(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	p := found(t, open(t, server.DSN(database), postgres.Options{}))
	follower := standby(t, server)
	for _, attributes := range []string{"", " target_session_attrs=any", " target_session_attrs=standby"} {
		_, err := postgres.Open(t.Context(), follower.DSN(database)+attributes, postgres.Options{})
		refused(t, err, "read only")
	}
	s := open(t, both(follower, server, database), postgres.Options{}) // passes the first one by
	if next, err := addUser(t.Context(), s, "ben"); err != nil || next.Revision != p.Revision+1 {
		t.Errorf("got %v, %v", next, err)
	}
}

// Nor does a pooler make it so that is sent to the standby behind the store's back.
func TestPoolerOfAStandby(t *testing.T) {
	server := ownServer(t)
	database := server.Database(t)
	p, err := server.Pooler("server_lifetime = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s := open(t, p.DSN(database)+" default_query_exec_mode=exec", postgres.Options{})
	at := found(t, s)
	if err := p.Redirect(standby(t, server)); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); err == nil && time.Since(began) < patience; {
		_, err = s.Head(t.Context())
	}
	refused(t, err, "standby")
	_, _, err = s.Facts(t.Context(), []portal.FactKey{{Account: "acme"}})
	refused(t, err, "standby")
	_, _, err = s.Changes(t.Context(), at, 1)
	refused(t, err, "standby")
	_, err = addUser(t.Context(), s, "ben")
	refused(t, err, "standby")
}

// both names a database of two servers.
func both(one, two *pgtest.Server, database string) string {
	host := func(s *pgtest.Server) string {
		host, _, _ := strings.Cut(strings.TrimPrefix(s.DSN(""), "host="), " ")
		return host
	}
	return fmt.Sprintf("host=%s,%s port=5432,5432 user=postgres dbname=%s", host(one), host(two), database)
}

// Where commits wait for the standby, a failover to it loses nothing that was
// acknowledged, and whoever was writing goes on with the same history.
func TestFailover(t *testing.T) {
	primary := ownServer(t)
	database := primary.Database(t)
	follower := standby(t, primary)
	s := open(t, both(primary, follower, database), postgres.Options{})
	primary.Do(t, database, `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
	until(t, raw(t, primary, database), `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`)
	w := write(t, s)
	w.acknowledge(30)
	primary.Stop(syscall.SIGKILL)
	follower.Do(t, database, `SELECT pg_promote()`, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
	w.acknowledge(30)
	w.end(t, s)
}

// Whoever falls back on a standby that lacks commits learns it from the positions.
func TestFailoverThatLosesCommits(t *testing.T) {
	primary := ownServer(t)
	database := primary.Database(t)
	s := open(t, primary.DSN(database), postgres.Options{})
	kept := found(t, s)
	follower := standby(t, primary)
	follower.Stop(syscall.SIGINT)
	lost, err := addUser(t.Context(), s, "ben")
	if err != nil {
		t.Fatal(err)
	}
	primary.Stop(syscall.SIGKILL)
	if err := follower.Start(); err != nil {
		t.Fatal(err)
	}
	follower.Do(t, database, `SELECT pg_promote()`)
	s = open(t, follower.DSN(database), postgres.Options{})
	if _, err := addUser(t.Context(), s, "cid"); err != nil { // takes the same revision
		t.Fatal(err)
	}
	if _, _, err := s.Changes(t.Context(), kept, 10); err != nil {
		t.Errorf("a position from before: %v", err)
	}
	if _, _, err := s.Changes(t.Context(), lost, 10); !errors.Is(err, directory.ErrForeignPosition) {
		t.Errorf("a position that was lost: %v, want ErrForeignPosition", err)
	}
	for p, sound := range map[portal.Position]bool{kept: true, lost: false} {
		witness := mark(t, p.String())
		if _, err := directory.Verify(t.Context(), s, &witness); (err == nil) != sound {
			t.Errorf("witness %v: %v", p, err)
		}
	}
}
