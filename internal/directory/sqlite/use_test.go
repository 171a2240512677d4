package sqlite_test

import (
	"errors"
	"testing"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/directory/storetest"
)

// req 95, req 116, R16
func TestLastUses(t *testing.T) {
	path := file(t)
	storetest.Uses(t, [2]directory.Uses{open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})})
}

func TestUsesOfAClosedStore(t *testing.T) {
	s := open(t, file(t), sqlite.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.LastUse(t.Context(), "acme", "anna")
	for _, err := range []error{err, s.Used(t.Context(), nil)} {
		if !errors.Is(err, directory.ErrUnavailable) {
			t.Error(err)
		}
	}
}
