package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/barrier"
	"doorward/internal/portal"
)

// Gates are what a directory knows of its gates. They are in its database, so a failover
// or a restore that loses commits loses what was acknowledged of them as well.
type Gates struct{ store *Store }

var _ barrier.Archive = (*Gates)(nil)

// Gates are the gates of s. They end with it.
func (s *Store) Gates() *Gates { return &Gates{s} }

// An origin says which database something was read from, and when by its clock.
type origin struct {
	era  gate.Era
	time time.Time
}

// selectEra names a life of the database (design R11): another cluster, another timeline,
// another start of the server, or a database or table that was created anew to restore a
// dump into it. A standby has none. The timeline is that of the log as it is written: the one in the
// control file stays the old one for a while after a promotion.
const selectEra = `CASE WHEN pg_is_in_recovery() THEN '' ELSE concat_ws('-', (SELECT system_identifier FROM pg_control_system()),
	left(pg_walfile_name(pg_current_wal_lsn()), 8), extract(epoch FROM pg_postmaster_start_time()),
	(SELECT oid FROM pg_database WHERE datname = current_database()), 'doorward.gates'::regclass::oid) END`

// emit writes something to the log that touches no table: a transaction that reads only
// commits nothing, and waits for no standby.
const emit = `pg_logical_emit_message(true, 'doorward', '')`

// origin says where this transaction is.
func (c *session) origin(ctx context.Context) (o origin, err error) {
	var micros int64
	err = c.get(ctx, `SELECT `+selectEra+`, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`, nil, &o.era, &micros)
	if err == nil && o.era == "" {
		err = errStandby
	}
	o.time = time.UnixMicro(micros).UTC()
	return o, err
}

// read runs fn in a transaction whose statements all read the same.
func (g *Gates) read(ctx context.Context, what string, fn func(*session, origin) error) error {
	err := func() error {
		t, err := g.store.begin(ctx, oneSnapshot)
		if err != nil {
			return err
		}
		defer rollback(ctx, t)
		c := &session{querier: t}
		o, err := c.origin(ctx)
		if err != nil {
			return err
		}
		return fn(c, o)
	}()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// beginWrite begins a transaction that writes rows. Each of its statements sees what was
// committed before: rows are merged, not read and written back. It is durable whatever the
// settings of the database, role or session are.
var beginWrite = pgx.TxOptions{BeginQuery: fmt.Sprintf(`begin read write isolation level read committed; %s
	set local lock_timeout = %d;
	set local idle_in_transaction_session_timeout = %d;
	select 1`, durably, defaultLockTimeout.Milliseconds(), idleTimeout.Milliseconds())}

// write runs fn in a transaction and commits it.
func (g *Gates) write(ctx context.Context, what string, fn func(*session) error) error {
	err := func() error {
		ctx, cancel := context.WithTimeout(ctx, g.store.commitTimeout)
		defer cancel()
		t, err := g.store.begin(ctx, beginWrite)
		if err != nil {
			return err
		}
		defer rollback(ctx, t)
		if err := fn(&session{querier: t}); err != nil {
			return err
		}
		return explain(ctx, g.store.end(ctx, t))
	}()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Mark implements barrier.Store.
func (g *Gates) Mark(ctx context.Context, who gate.Instance, mark string) error {
	return g.write(ctx, "mark gate", func(c *session) error {
		return c.exec(ctx, statement{`UPDATE doorward.gates SET mark = $1 WHERE instance = $2 AND mark = ''`, []any{mark, string(who)}})
	})
}

// Delete implements barrier.Store.
func (g *Gates) Delete(ctx context.Context, who gate.Instance, mark string) error {
	return g.write(ctx, "delete gate", func(c *session) error {
		return c.exec(ctx, statement{`DELETE FROM doorward.gates WHERE instance = $1 AND mark = $2 AND mark <> ''`, []any{string(who), mark}})
	})
}

// Leave implements barrier.Store.
func (g *Gates) Leave(ctx context.Context, who gate.Instance) error {
	return g.write(ctx, "delete gate", func(c *session) error {
		return c.exec(ctx, statement{`DELETE FROM doorward.gates WHERE instance = $1`, []any{string(who)}})
	})
}

// settle settles the era that the database is in.
const settle = `INSERT INTO doorward.settled (era) VALUES (` + selectEra + `) ON CONFLICT (one) DO UPDATE SET era = excluded.era`

// Settle implements barrier.Store.
func (g *Gates) Settle(ctx context.Context, era gate.Era) error {
	return g.write(ctx, "settle", func(c *session) error {
		if o, err := c.origin(ctx); err != nil || o.era != era {
			return err
		}
		return c.exec(ctx, statement{query: settle})
	})
}

// Pulse implements barrier.Store. No two of them wait for each other.
func (g *Gates) Pulse(ctx context.Context) (era gate.Era, err error) {
	err = g.write(ctx, "commit", func(c *session) error {
		return c.get(ctx, `SELECT `+selectEra+` FROM `+emit, nil, &era)
	})
	if err != nil {
		return "", err
	}
	return era, nil
}

// Facts implements barrier.Store.
func (g *Gates) Facts(ctx context.Context, keys []portal.FactKey) (found gate.Found, err error) {
	err = g.read(ctx, "read facts for gates", func(c *session, o origin) (err error) {
		found.Era, found.Time = o.era, o.time
		if found.Policy, err = c.policyInForce(ctx); err != nil {
			return err
		}
		found.Facts, found.Position, err = c.allFacts(ctx, keys)
		return err
	})
	if err != nil {
		return gate.Found{}, err
	}
	return found, nil
}

// held tells whether the history holds a position.
func (c *session) held(ctx context.Context, p portal.Position) (bool, error) {
	err := c.holds(ctx, p)
	if errors.Is(err, directory.ErrForeignPosition) {
		return false, nil
	}
	return err == nil, err
}

// Tokens reads all client tokens for gates, and says from the database of which era.
func (g *Gates) Tokens(ctx context.Context) (all []directory.Token, era gate.Era, err error) {
	err = g.read(ctx, "read tokens for gates", func(c *session, o origin) (err error) {
		era = o.era
		all, err = c.tokens(ctx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return all, era, nil
}
