package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A lostCommit tells that a commit was sent and its answer never came: whether the
// directory is at that position is not known.
type lostCommit struct {
	position portal.Position
	err      error
}

// Error says so.
func (e *lostCommit) Error() string {
	return fmt.Sprintf("commit of %v was not answered: %v", e.position, e.err)
}

// commit commits what leads to p. From here on the end of ctx is not looked at: giving
// COMMIT up would not take it back. An answer that the database stops is not a refusal:
// it may come after the commit.
func (s *Store) commit(ctx context.Context, t pgx.Tx, p portal.Position) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.commitTimeout)
	defer cancel()
	err := s.end(ctx, t)
	var said *pgconn.PgError
	if errors.As(err, &said) && said.SeverityUnlocalized == "ERROR" || errors.Is(err, pgx.ErrTxCommitRollback) {
		return explain(ctx, err)
	}
	if err != nil {
		return &lostCommit{p, err}
	}
	return nil
}

// errCutShort: the database has committed, and does not know that a standby has it.
var errCutShort = errors.New("the wait for a standby was cut short")

// end commits. Somebody may cut short the wait for a standby, and the database then warns
// and says that it has committed; to whoever must not lose anything in a failover it has
// not (design R11). A warning that another commit was given counts for this one too.
func (s *Store) end(ctx context.Context, t pgx.Tx) error {
	before := s.cutShort.Load()
	if err := t.Commit(ctx); err != nil {
		return err
	}
	if s.cutShort.Load() != before {
		return errCutShort
	}
	return nil
}

// notice counts the warnings that a wait for a standby was cut short: by cancelling the
// statement, or by stopping the server.
func (s *Store) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" && (n.Code == "01000" || n.Code == "57P01") {
		s.cutShort.Add(1)
	}
}

// settle finds out what became of a commit: nil, if it was made. Its errors do not wrap
// lost: an update that is made inside of another one's function must not pass for that.
func (s *Store) settle(ctx context.Context, lost *lostCommit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.commitTimeout)
	defer cancel()
	again := time.NewTicker(settlePause)
	defer again.Stop()
	for {
		made, err := s.made(ctx, lost.position)
		switch {
		case err == nil && made:
			return nil
		case err == nil:
			return fmt.Errorf("%w: the connection broke before it committed (%v)", directory.ErrUnavailable, lost.err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %v; then: %v", directory.ErrOutcomeUnknown, lost, err)
		case <-s.closed:
			return fmt.Errorf("%w: %v; then it was closed", directory.ErrOutcomeUnknown, lost)
		}
	}
}

// settlePause is the time between two looks at what became of a commit.
const settlePause = 100 * time.Millisecond

// made tells whether a position is in this directory's history. It has the turn when it
// looks: a commit that is still under way without its client is waited for. And it locks
// a row, so that it commits something: where commits wait for a standby, so does what
// was committed before.
func (s *Store) made(ctx context.Context, p portal.Position) (bool, error) {
	t, err := s.begin(ctx, s.update)
	if err != nil {
		return false, err
	}
	defer rollback(ctx, t)
	c := &session{querier: t}
	ours, err := c.positionAt(ctx, p.Revision)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return false, err
	}
	if err := c.exec(ctx, statement{query: `SELECT FROM doorward.head FOR UPDATE`}); err != nil {
		return false, err
	}
	return ours == p, explain(ctx, s.end(ctx, t))
}
