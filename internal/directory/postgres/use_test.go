package postgres_test

import (
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/directory/storetest"
)

// req 95, req 116, R16
func TestLastUses(t *testing.T) {
	dsn := server.DSN(server.Database(t))
	storetest.Uses(t, [2]directory.Uses{open(t, dsn, postgres.Options{}), open(t, dsn, postgres.Options{})})
}
