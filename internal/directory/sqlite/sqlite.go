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
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// readers is how many reads run at once.
const readers = 4

// A Store is a directory.Store in one SQLite file.
type Store struct {
	now  func() time.Time
	path string
	salt []byte

	databases []*sql.DB
	sessions  []*session    // all of them
	idle      chan *session // reading sessions nobody uses
	writer    chan *session // the one writing session, while nobody uses it
	stamp     stamper

	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
}

var _ directory.Store = (*Store)(nil)

// Salt is the secret that digests of personal data in the trail are made with.
// It belongs to this file and never changes. The caller owns the returned bytes.
func (s *Store) Salt() []byte { return slices.Clone(s.salt) }

// errClosed is what calls get after Close began.
var errClosed = fmt.Errorf("%w: it was closed", directory.ErrUnavailable)

// take waits for a session from free. Give it back by sending it to free again.
func (s *Store) take(ctx context.Context, free chan *session) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-free:
		return c, nil
	case <-s.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// reading runs fn with a reading session.
func reading[T any](ctx context.Context, s *Store, fn func(*session) (T, error)) (T, error) {
	c, err := s.take(ctx, s.idle)
	if err != nil {
		var none T
		return none, err
	}
	defer func() { s.idle <- c }()
	return fn(c)
}

// Close waits for calls under way and releases everything. Calls that come later
// get ErrUnavailable. Closing again does nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closed)
		for range cap(s.idle) {
			<-s.idle
		}
		<-s.writer
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release closes every session, the databases, and only then what the stamps are
// read from (see stamper).
func (s *Store) release() error {
	var errs []error
	for _, c := range s.sessions {
		errs = append(errs, c.close())
	}
	for _, db := range s.databases {
		errs = append(errs, db.Close())
	}
	return errors.Join(append(errs, s.stamp.close())...)
}
