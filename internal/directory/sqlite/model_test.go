package sqlite_test

import (
	"testing"

	"doorward/internal/directory/sqlite"
	"doorward/internal/directory/storetest"
)

func TestAgainstModel(t *testing.T) {
	path := file(t)
	storetest.RunModel(t, open(t, path, sqlite.Options{}))
	var unsettled int
	if err := raw(t, path).QueryRow(`SELECT count(*) FROM membership WHERE owner = 2`).Scan(&unsettled); err != nil || unsettled != 0 {
		t.Errorf("%d owners are left unsettled, %v", unsettled, err)
	}
}
