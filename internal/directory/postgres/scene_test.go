package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"doorward/internal/directory/postgres"
	"doorward/internal/portal"
)

// A scene is a database with two directories. While the one makes a call, something
// happens at the other: before the first request that the call sends to the database,
// before the second, and so on. So whatever order the two can meet in, they do.
type scene struct {
	t          *testing.T
	one, other *postgres.Store
	look       *pgx.Conn
	skip       int
	meanwhile  func()
	ended      chan struct{} // when meanwhile has
}

// newScene is one of a directory with an account.
func newScene(t *testing.T, address func(database string) string, more string) *scene {
	t.Helper()
	database := server.Database(t)
	dsn := address(database) + more
	s := &scene{t: t, one: open(t, dsn, postgres.Options{}), other: open(t, dsn, postgres.Options{}), look: raw(t, server, database)}
	found(t, s.other)
	run(t, s.look, `CREATE SEQUENCE revisions`)
	run(t, s.look, `SELECT setval('revisions', revision) FROM doorward.head`)
	if err := s.one.Interrupt(t.Context(), s.request); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin has updates begin without the turn.
func (s *scene) begin(isolation string) *scene {
	s.one.BeginUpdates(`begin isolation level ` + isolation)
	s.other.BeginUpdates(`begin isolation level ` + isolation)
	return s
}

// before has something happen before the nth request from now on.
func (s *scene) before(n int, happens func()) {
	s.skip, s.meanwhile, s.ended = n, happens, make(chan struct{})
}

// blocked tells whether somebody waits for a lock.
const blocked = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`

// request comes before each request. What happens meanwhile ends before it, or when the
// call lets it.
func (s *scene) request() {
	if s.skip--; s.meanwhile == nil || s.skip >= 0 {
		return
	}
	happens, ended := s.meanwhile, s.ended
	s.meanwhile = nil
	go func() { defer close(ended); happens() }()
	for !yes(s.t, s.look, blocked) {
		select {
		case <-ended:
			return
		default:
		}
	}
}

// happened waits for what happens meanwhile. It is false when the call made so few
// requests that nothing did.
func (s *scene) happened() bool {
	if s.meanwhile != nil {
		return false
	}
	<-s.ended
	return true
}

// must is for what happens meanwhile, which may not end the test.
func (s *scene) must(p portal.Position, err error) portal.Position {
	if err != nil {
		s.t.Error(err)
	}
	return p
}
