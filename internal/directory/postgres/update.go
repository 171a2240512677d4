package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// beginUpdate begins an update. The lock comes before the first read, whose snapshot is
// that of the whole transaction: whoever gets the turn sees everything that was committed
// before. As every update writes the head, the database itself lets only one of two
// commit that do not see each other; so they are serializable, in the order of their
// revisions, with the turn and without. Only settings of the transaction are set. If its
// process stops in the middle, the database ends it.
func beginUpdate(lock, idle time.Duration) pgx.TxOptions {
	return pgx.TxOptions{BeginQuery: fmt.Sprintf(`begin read write isolation level repeatable read; `+durably+`
		set local lock_timeout = %d;
		set local idle_in_transaction_session_timeout = %d;
		lock table doorward.turn in exclusive mode`, max(1, lock.Milliseconds()), max(1, idle.Milliseconds()))} // 0 would be no timeout
}

// durably makes a commit wait until it is on disk, and where there are synchronous standbys
// on theirs, whatever the database, the role or the address say; and makes the database tell
// when it does not wait.
const durably = `set local synchronous_commit = on; set local client_min_messages = warning;`

// idleTimeout is how long an update may have the turn and do nothing.
const idleTimeout = 10 * time.Second

// attempts is how often an update is tried when the database finds it in conflict with
// another transaction. Updates wait for each other's end: the other is somebody's who
// writes past Doorward.
const attempts = 8

// Update implements directory.Store. fn runs again after a conflict.
func (s *Store) Update(ctx context.Context, fn func(directory.Tx) error) (p portal.Position, err error) {
	for n := range attempts {
		if err = pause(ctx, n); err != nil {
			break
		}
		if p, err = s.attempt(ctx, fn); !conflict(err) {
			break
		}
	}
	if lost := (*lostCommit)(nil); errors.As(err, &lost) {
		err = s.settle(ctx, lost)
	}
	if err != nil {
		return portal.Position{}, fmt.Errorf("update directory: %w", err)
	}
	return p, nil
}

// pause waits before the nth try, the longer the more there were, and not as long as
// others do who failed at the same moment.
func pause(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	wait := time.NewTimer(rand.N(time.Millisecond << n))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt runs fn once, and commits what it did.
func (s *Store) attempt(ctx context.Context, fn func(directory.Tx) error) (portal.Position, error) {
	done, err := s.take(ctx)
	if err != nil {
		return portal.Position{}, err
	}
	defer done()
	transaction, err := s.begin(ctx, s.update)
	if err != nil {
		return portal.Position{}, err
	}
	defer rollback(ctx, transaction)
	lent := &session{querier: transaction}
	defer func() { *lent = session{over: errOver} }()
	t := newTx(lent)
	err = fn(t)
	if conflict(t.lost) || err == nil && t.lost != nil {
		err = t.lost
	}
	if err != nil {
		return portal.Position{}, err
	}
	p, changed, err := s.seal(ctx, t)
	if err != nil {
		return p, err
	}
	if !changed {
		return p, s.confirm(ctx, transaction)
	}
	return p, s.commit(ctx, transaction, p)
}

// confirm ends an update that found nothing to change. What it found may come from a
// database that a failover has left behind, so that one has to commit something (R7):
// whoever takes a right away that is gone already is told the truth.
func (s *Store) confirm(ctx context.Context, t pgx.Tx) error {
	ctx, cancel := context.WithTimeout(ctx, s.commitTimeout)
	defer cancel()
	if err := (&session{querier: t}).exec(ctx, statement{query: `SELECT ` + emit}); err != nil {
		return err
	}
	return explain(ctx, s.end(ctx, t))
}

// rollbackTimeout bounds the wait for a rollback, which the database makes anyhow when
// the connection ends.
const rollbackTimeout = 5 * time.Second

// rollback ends a transaction unless it has been committed.
func rollback(ctx context.Context, t pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = t.Rollback(ctx)
}
