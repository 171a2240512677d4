package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"doorward/internal/directory/sqlite"
)

// A part of a list costs the same wherever it is: its ids are found in an index, and
// come out of it in order.
func TestListsWalkAnIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doorward.db")
	open(t, path, sqlite.Options{})
	db := raw(t, path)
	for kind, query := range sqlite.Lists {
		rows, err := db.Query(`EXPLAIN QUERY PLAN `+query, "x", "a", 10)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		rows.Close()
		text := strings.Join(plan, "; ")
		if !strings.Contains(text, "SEARCH") || strings.Contains(text, "SCAN") || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s: %s", kind, text)
		}
		t.Logf("%s: %s", kind, text)
	}
}
