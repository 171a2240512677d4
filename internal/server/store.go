package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"doorward/internal/config"
	"doorward/internal/directory"
	"doorward/internal/directory/postgres"
	"doorward/internal/directory/sqlite"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
)

// A Directory is a store as a server needs it.
type Directory interface {
	directory.Store
	directory.Uses
	// Salt is the secret of this directory that keys are derived from.
	Salt() []byte
	// Stamp differs from every earlier one if anything was committed in between, by
	// whichever process.
	Stamp() directory.Stamp
	// rows opens what the directory knows of its gates, hasRows tells whether there is
	// anything: no directory process has run there yet if there is not.
	rows(ctx context.Context) (rows, error)
	hasRows() bool
}

// rows are those of gates, with the client tokens that gates are told of.
type rows interface {
	barrier.Archive
	// Tokens reads all client tokens, and says from the database of which era.
	Tokens(ctx context.Context) ([]directory.Token, gate.Era, error)
	Close() error
}

// database is the directory's file inside the data folder.
const database = "doorward.db"

// DatabasePath is where the directory of a data folder lives.
func DatabasePath(folder string) string { return filepath.Join(folder, database) }

// OpenDirectory opens the directory that the settings name. With mustExist, a folder
// without one is an error that is fs.ErrNotExist; else the directory is made.
func OpenDirectory(ctx context.Context, c config.Config, log *slog.Logger, mustExist bool) (Directory, error) {
	if c.Database.URLFile != "" {
		return openPostgres(ctx, c.Database.URLFile, log)
	}
	store, err := sqlite.Open(ctx, DatabasePath(c.Data), sqlite.Options{Log: log, MustExist: mustExist})
	if err != nil {
		return nil, err
	}
	return inFile{store, log}, nil
}

// inFile is a directory in SQLite.
type inFile struct {
	*sqlite.Store
	log *slog.Logger
}

// Embedded is the store of a directory in SQLite, if it is one.
func Embedded(d Directory) (store *sqlite.Store, ok bool) {
	f, ok := d.(inFile)
	return f.Store, ok
}

func (f inFile) rows(ctx context.Context) (rows, error) {
	return f.Gates(ctx, sqlite.Options{Log: f.log})
}

func (f inFile) hasRows() bool {
	_, err := os.Stat(f.GatesPath())
	return err == nil
}

// onServer is a directory in PostgreSQL.
type onServer struct{ *postgres.Store }

func (onServer) hasRows() bool { return true }

// maxURL bounds the file with the database's URL, in bytes.
const maxURL = 4 << 10

func openPostgres(ctx context.Context, file string, log *slog.Logger) (Directory, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxURL {
		err = fmt.Errorf("%s has more than %d bytes", file, maxURL)
	}
	if err != nil {
		return nil, fmt.Errorf("read database.url_file: %w", err)
	}
	url, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read database.url_file: %w", err)
	}
	store, err := postgres.Open(ctx, strings.TrimSpace(string(url)), postgres.Options{Log: log})
	if err != nil {
		return nil, err
	}
	return onServer{store}, nil
}

// stampTimeout is how long a stamp may take that a database is asked for.
const stampTimeout = time.Second

// Stamp asks the database for its head: every commit has a position of its own. It
// vouches for nothing when that cannot be read.
func (s onServer) Stamp() directory.Stamp {
	ctx, cancel := context.WithTimeout(context.Background(), stampTimeout)
	defer cancel()
	head, err := s.Head(ctx)
	if err != nil {
		return directory.Stamp{}
	}
	stamp := directory.Stamp{0: 1, 1: uint64(head.Revision)}
	for i := range 4 {
		stamp[2+i] = binary.BigEndian.Uint64(head.Tag[8*i:])
	}
	return stamp
}

func (s onServer) rows(context.Context) (rows, error) { return inDatabase{s.Gates()}, nil }

// inDatabase are rows that end with their store.
type inDatabase struct{ *postgres.Gates }

// Close does nothing.
func (inDatabase) Close() error { return nil }
