package postgres_test

import (
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/pgtest"
	"doorward/internal/directory/postgres"
	"doorward/internal/directory/storetest"
)

// pooler starts a PgBouncer that gives every transaction another of a few connections.
func pooler(t *testing.T, settings ...string) *pgtest.Pooler {
	t.Helper()
	p, err := server.Pooler(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestStoreThroughPooler(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	storetest.Run(t, func(t *testing.T) directory.Store {
		return open(t, p.DSN(server.Database(t))+" default_query_exec_mode=exec", postgres.Options{})
	})
}

// What an address may say besides: everything as text, and no statement prepared.
func TestSimpleProtocol(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	storetest.RunModel(t, open(t, p.DSN(server.Database(t))+" default_query_exec_mode=simple_protocol", postgres.Options{}))
}

func TestStoresTogetherThroughPooler(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	storetest.RunTogether(t, func(t *testing.T) []directory.Store {
		dsn := p.DSN(server.Database(t)) + " default_query_exec_mode=exec"
		return []directory.Store{open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})}
	})
}

// Whoever forgets it is told what a pooler needs that keeps no prepared statements.
func TestPoolerWithoutPreparedStatements(t *testing.T) {
	p := pooler(t, "default_pool_size = 3", "server_round_robin = 1")
	s, err := postgres.Open(t.Context(), p.DSN(server.Database(t)), postgres.Options{})
	if err == nil {
		defer s.Close()
	}
	for range 1000 {
		if err != nil {
			break
		}
		_, err = s.Head(t.Context())
	}
	refused(t, err, "default_query_exec_mode=exec")
}
