// Package sqlite keeps the directory in one SQLite file, without cgo.
//
// It knows no verbs and no policy: what may be changed by whom is decided above.
// Several processes may have the file open; SQLite's own locks keep them apart.
// Its invariant is that of package directory: change, change log, audit line and
// head commit in one transaction, with the write lock held from the first read
// on, so that commit order is revision order. A commit that was acknowledged is
// on disk (synchronous=FULL, design R11).
package sqlite

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"doorward/internal/directory"
)

// Options of a Store. The zero value is usable.
type Options struct {
	// Now tells the time for audit lines. nil: time.Now.
	Now func() time.Time
	// Log takes what an operator should know. nil: nothing is logged.
	Log *slog.Logger
	// BusyTimeout is how long to wait for a lock that another process holds
	// before ErrUnavailable. 0: 5 seconds.
	BusyTimeout time.Duration
	// MustExist refuses to create the file, so that a misspelt path is an error
	// and not a new, empty directory.
	MustExist bool
}

// defaultPatience is the BusyTimeout of Options that do not say.
const defaultPatience = 5 * time.Second

// A Store is a directory.Store in one SQLite file.
type Store struct {
	file
	now       func() time.Time
	salt      []byte
	stamp     stamper
	closeOnce sync.Once
	closeErr  error
}

var _ directory.Store = (*Store)(nil)

// Salt is the secret that digests of personal data in the trail are made with.
// It belongs to this file and never changes. The caller owns the returned bytes.
func (s *Store) Salt() []byte { return slices.Clone(s.salt) }

// Close waits for calls under way and releases everything. Calls that come later
// get ErrUnavailable. Closing again does nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.drain()
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release releases the file, and only then what the stamps are read from (see stamper).
func (s *Store) release() error {
	return errors.Join(s.file.release(), s.stamp.close())
}
