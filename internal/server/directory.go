package server

import (
	"context"
	"log/slog"
	"path/filepath"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
)

// A Directory is a store as a server needs it.
type Directory interface {
	directory.Store
	// Salt is the secret of this directory that keys are derived from.
	Salt() []byte
	// Stamp differs from every earlier one if anything was committed in between, by
	// whichever process.
	Stamp() directory.Stamp
}

// database is the directory's file inside the data folder.
const database = "doorward.db"

// DatabasePath is where the directory of a data folder lives.
func DatabasePath(folder string) string { return filepath.Join(folder, database) }

// OpenDirectory opens the directory that the settings name. With mustExist, a folder
// without one is an error that is fs.ErrNotExist; else the directory is made.
func OpenDirectory(ctx context.Context, c config.Config, log *slog.Logger, mustExist bool) (Directory, error) {
	return sqlite.Open(ctx, DatabasePath(c.Data), sqlite.Options{Log: log, MustExist: mustExist})
}
