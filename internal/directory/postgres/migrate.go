package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"doorward/internal/directory"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versions is the table in which goose keeps which migrations were made.
const versions = "doorward.goose_db_version"

// migrate brings the schema up to date. Where it is, nothing is written, and no right to
// change it is needed.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(versions))
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	if current, err := s.upToDate(ctx, target); err != nil || current {
		return err
	}
	unlock, err := s.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer unlock()
	if current, err := s.upToDate(ctx, target); err != nil || current {
		return err // another process has made them meanwhile
	}
	if err := s.createSchema(ctx); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", explain(ctx, err))
	}
	return nil
}

// upToDate tells whether all migrations up to target were made, and no more.
func (s *Store) upToDate(ctx context.Context, target int64) (bool, error) {
	current, err := s.version(ctx)
	if err != nil {
		return false, fmt.Errorf("read schema version: %w", err)
	}
	if current > target {
		return false, fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, current, target)
	}
	return current == target, nil
}

// version is that of the schema, 0 where there is none yet.
func (s *Store) version(ctx context.Context) (version int64, err error) {
	var there, other bool
	err = s.session.get(ctx, `SELECT to_regclass('`+versions+`') IS NOT NULL,
		EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('doorward'))`, nil, &there, &other)
	switch {
	case err != nil:
		return 0, err
	case there:
		err := s.session.get(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versions+` WHERE is_applied`, nil, &version)
		return version, err
	case other:
		return 0, fmt.Errorf("%w: its schema doorward is another program's", ErrDamaged)
	}
	return 0, nil
}

// tryLock takes the lock of migrations, if it is free. Its transaction then does
// nothing until they are made, however long that takes.
const tryLock = `SELECT pg_try_advisory_xact_lock(x'446f6f7277617264'::bigint),
	set_config('idle_in_transaction_session_timeout', '0', true)`

// lockPause is the time between two tries for the lock.
const lockPause = 50 * time.Millisecond

// lockMigrations keeps other processes from migrating at the same time. It is the lock of
// a transaction, which a pooler leaves on one connection, and it is not waited for there:
// those who wait take up no connection that the one who migrates needs.
func (s *Store) lockMigrations(ctx context.Context) (unlock func(), err error) {
	again := time.NewTicker(lockPause)
	defer again.Stop()
	for {
		t, err := s.begin(ctx, pgx.TxOptions{})
		if err != nil {
			return nil, err
		}
		var locked bool
		var ignored string
		c := &session{querier: t}
		err = c.get(ctx, tryLock, nil, &locked, &ignored)
		if err == nil && locked {
			return func() { rollback(ctx, t) }, nil
		}
		rollback(ctx, t)
		if err != nil {
			return nil, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// createSchema creates the schema unless it is there: CREATE SCHEMA IF NOT EXISTS asks
// for the right to in any case.
func (s *Store) createSchema(ctx context.Context) error {
	err := s.session.get(ctx, `SELECT 1 FROM pg_namespace WHERE nspname = 'doorward'`, nil, new(int))
	if !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	return s.session.exec(ctx, statement{query: `CREATE SCHEMA doorward`})
}
