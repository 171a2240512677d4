package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"

	"doorward/internal/directory"
)

//go:embed migrations/*.sql migrations/gates/*.sql
var migrations embed.FS

// applicationID marks the file as a directory of Doorward's ("Door"), for us and
// for file(1).
const applicationID = 0x446f6f72

// A schema is what a file is for: the mark of such a file, and the folder of its
// migrations.
type schema struct {
	id         int
	migrations string
}

var (
	directorySchema = schema{applicationID, "migrations"}
	gatesSchema     = schema{0x47617465, "migrations/gates"} // "Gate"
)

// migrate brings the file's schema up to date. The caller holds the folder's
// lock.
func migrate(ctx context.Context, db *sql.DB, to schema) error {
	if err := claim(ctx, db, to.id); err != nil {
		return err
	}
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return fmt.Errorf("switch to write-ahead log: %w", explain(err))
	}
	if mode != "wal" {
		return fmt.Errorf("%w: the file system allows no write-ahead log (journal mode %s)", directory.ErrUnavailable, mode)
	}
	files, err := fs.Sub(migrations, to.migrations)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	switch current, target, err := provider.GetVersions(ctx); {
	case err != nil:
		return fmt.Errorf("read schema version: %w", explain(err))
	case current > target:
		return fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, current, target)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", explain(err))
	}
	return nil
}

// claim marks an empty file as ours, and refuses a database that is not.
func claim(ctx context.Context, db *sql.DB, ours int) error {
	var id, tables int
	err := db.QueryRowContext(ctx, `SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id`).Scan(&id, &tables)
	switch {
	case err != nil:
		return explain(err)
	case id == ours:
		return nil
	case id != 0 || tables != 0:
		return fmt.Errorf("%w: it is a database of another program", ErrDamaged)
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, ours))
	return explain(err)
}

// lockFolder keeps other processes from preparing a file in the same folder at
// the same time. The lock is on the folder itself, so it leaves no file behind,
// and dies with the process.
func lockFolder(ctx context.Context, folder string, patience time.Duration) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience,
		fmt.Errorf("%w: another process is preparing it", directory.ErrUnavailable))
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			f.Close()
			return nil, fmt.Errorf("lock folder %s: %w", folder, err)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		}
	}
}
