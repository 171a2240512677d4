// Package postgres keeps the directory in a PostgreSQL database, for any number of
// processes on any number of machines.
//
// It knows no verbs and no policy: what may be changed by whom is decided above. It has
// no stamp that would tell in nanoseconds whether anything was committed; whoever
// remembers facts of it needs the change feed and a lease (ADR 2).
//
// Its invariant is that of package directory: change, change log, audit line and head
// commit in one transaction. Whoever updates has the turn, one lock for all processes,
// from before its first read to the end of its commit: updates happen one after the
// other, in the order of their revisions (ADR 12). Nothing is kept in a session of the
// database between two transactions, so a pooler may sit in between.
package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"doorward/internal/directory"
)

// Options of a Store. The zero value is usable.
type Options struct {
	// Now tells the time for audit lines. nil: time.Now.
	Now func() time.Time
	// Log takes what an operator should know. nil: nothing is logged.
	Log *slog.Logger
	// LockTimeout is how long to wait for the turn of another process's update before
	// ErrUnavailable. 0: 5 seconds.
	LockTimeout time.Duration
	// CommitTimeout is how long to wait for a commit, and then, when the connection broke
	// meanwhile, how long to look whether it was made, before ErrOutcomeUnknown.
	// 0: 15 seconds.
	CommitTimeout time.Duration
}

// The timeouts of Options that do not say.
const (
	defaultLockTimeout   = 5 * time.Second
	defaultCommitTimeout = 15 * time.Second
)

// A Store is a directory.Store in one PostgreSQL database.
type Store struct {
	reader
	pool          *pgxpool.Pool
	now           func() time.Time
	update        pgx.TxOptions // of updates
	commitTimeout time.Duration
	salt          []byte

	// turn holds one value while no update of this process is under way: the others wait
	// here and not in the database, where each would take up a connection.
	turn      chan struct{}
	closed    chan struct{}
	closeOnce sync.Once

	cutShort atomic.Int64 // counts warnings: see end
}

var _ directory.Store = (*Store)(nil)

// Salt is the secret that digests of personal data in the trail are made with.
// It belongs to this directory and never changes. The caller owns the returned bytes.
func (s *Store) Salt() []byte { return slices.Clone(s.salt) }

// errClosed is what updates get after Close began.
var errClosed = fmt.Errorf("%w: it was closed", directory.ErrUnavailable)

// take waits until no other update of this process is under way. Calling done lets the
// next one go on.
func (s *Store) take(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.turn:
		return func() { s.turn <- struct{}{} }, nil
	case <-s.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close waits for calls under way and releases everything. Calls that come later
// get ErrUnavailable. Closing again does nothing.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closed)
		s.pool.Close()
	})
	return nil
}
