package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
)

// A part of a list costs the same wherever it is: its ids are found in an index, and
// come out of it in order.
func TestListsWalkAnIndex(t *testing.T) {
	database := server.Database(t)
	open(t, server.DSN(database), postgres.Options{})
	conn := raw(t, server, database)
	run(t, conn, `SET enable_seqscan = off`) // which a table of no rows would choose
	for kind, query := range postgres.Lists {
		whose := "x"
		if kind == directory.ListAccounts || kind == directory.ListUsers || kind == directory.ListStaff {
			whose = ""
		}
		run(t, conn, `PREPARE part (text, text, bigint) AS `+query)
		rows, err := conn.Query(t.Context(), `EXPLAIN (COSTS off) EXECUTE part ('`+whose+`', 'a', 10)`, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		text := strings.Join(plan, "; ")
		if err != nil || !strings.Contains(text, "Index Cond: ") || !strings.Contains(text, "> 'a'") ||
			strings.Contains(text, "Sort") || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s: %v, %s", kind, err, text)
		}
		run(t, conn, `DEALLOCATE part`)
	}
}
