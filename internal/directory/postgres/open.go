package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"doorward/internal/audit"
	"doorward/internal/directory"
)

// Open opens the directory in the database that dsn names, as libpq does: a URL or
// keywords, with pgxpool's pool_max_conns besides, and default_query_exec_mode=exec for
// poolers that keep no prepared statements. It creates the directory where there is none
// and brings the schema up to date; any number of processes may do so at once. Of several
// hosts it takes one that can be written, and one that cannot, as a standby, is
// ErrUnavailable: facts are read from the primary (design R11).
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := configure(dsn)
	if err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	s := &Store{
		now:           o.Now,
		commitTimeout: cmp.Or(o.CommitTimeout, defaultCommitTimeout),
		update:        beginUpdate(cmp.Or(o.LockTimeout, defaultLockTimeout), idleTimeout),
		turn:          make(chan struct{}, 1),
		closed:        make(chan struct{}),
	}
	s.turn <- struct{}{}
	if s.now == nil {
		s.now = time.Now
	}
	config.ConnConfig.OnNotice = s.notice
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	s.reader = reader{&session{querier: s.pool}, asItIs}
	if err := s.open(ctx, o.Log); err != nil {
		s.Close()
		at := config.ConnConfig
		return nil, fmt.Errorf("open directory %s at %s: %w", at.Database, at.Host, err)
	}
	return s, nil
}

// minConnections is how many connections a process needs: one holds the lock of
// migrations, and one migrates.
const minConnections = 2

// configure reads dsn. An error does not show its password.
func configure(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = max(config.MaxConns, minConnections)
	config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // whatever dsn says
	params := config.ConnConfig.RuntimeParams
	params["client_encoding"] = "UTF8" // whatever the user's is set to
	params["application_name"] = cmp.Or(params["application_name"], "doorward")
	return config, nil
}

func (s *Store) open(ctx context.Context, log *slog.Logger) error {
	if err := s.fit(ctx); err != nil {
		return err
	}
	if err := s.warn(ctx, log); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if _, _, err := s.session.head(ctx); errors.Is(err, directory.ErrNotFound) {
		if err := s.create(ctx); err != nil {
			return fmt.Errorf("begin directory: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("read head: %w", err)
	}
	if err := s.session.get(ctx, `SELECT value FROM doorward.meta WHERE name = 'salt'`, nil, &s.salt); err != nil {
		return fmt.Errorf("read salt: %w", err)
	}
	return nil
}

// create makes the first commit of a new directory, unless another process was quicker:
// it gives the directory an id of its own, which goes into the trail, so that no two
// directories ever share a position (design R1). It has had no gates: its era is settled.
func (s *Store) create(ctx context.Context) error {
	_, err := s.Update(ctx, func(w directory.Tx) error {
		if _, err := w.Head(ctx); !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		id := rand.Text()
		w.Log(audit.Entry{
			Actor: "doorward", Action: "directory.create", Object: "directory:" + id,
			Detail: map[string]string{"installation": id},
		})
		secrets := []any{[]byte(id), []byte(rand.Text() + rand.Text())}
		return w.(*tx).session.exec(ctx,
			statement{`INSERT INTO doorward.meta (name, value) VALUES ('installation', $1), ('salt', $2)`, secrets},
			statement{query: settle})
	})
	return err
}

// fit refuses a database that cannot keep every text as it is.
func (s *Store) fit(ctx context.Context) error {
	var encoding string
	if err := s.session.get(ctx, `SELECT current_setting('server_encoding')`, nil, &encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w: its encoding is %s: create it with ENCODING 'UTF8' TEMPLATE template0", ErrDamaged, encoding)
	}
	return nil
}

// risks are settings of the database with which an acknowledged commit may be lost.
var risks = []struct{ name, value, why string }{
	{"fsync", "off", "a crash of its machine may destroy the directory"},
	{"full_page_writes", "off", "a crash of its machine may destroy the directory"},
	{"synchronous_commit", "off", "a crash may lose what was acknowledged, removals of people too"},
	{"synchronous_commit", "local", "a failover to a standby may lose what was acknowledged, removals of people too"},
	{"synchronous_standby_names", "", "a failover to a standby may lose what was acknowledged, removals of people too; " +
		"a server without standbys needs none"},
}

// warn logs which risks the database runs (design R11).
func (s *Store) warn(ctx context.Context, log *slog.Logger) error {
	if log == nil {
		return nil
	}
	for _, risk := range risks {
		var value string
		if err := s.session.get(ctx, `SELECT current_setting($1)`, []any{risk.name}, &value); err != nil {
			return fmt.Errorf("read setting %s: %w", risk.name, err)
		}
		if value == risk.value {
			log.Warn("the database may lose commits: "+risk.why, "setting", risk.name, "value", value)
		}
	}
	return nil
}
