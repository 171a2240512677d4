package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"doorward/internal/directory"
)

// readers is how many reads of a file run at once.
const readers = 4

// A file is a SQLite file that is open: one session that writes, and some that read.
type file struct {
	path      string
	databases []*sql.DB
	sessions  []*session    // all of them
	idle      chan *session // reading sessions nobody uses
	writer    chan *session // the one writing session, while nobody uses it
	closed    chan struct{}
}

// newFile is a file that nothing is open of yet.
func newFile() file {
	return file{idle: make(chan *session, readers), writer: make(chan *session, 1), closed: make(chan struct{})}
}

// connectWriter opens the writing session. prepare brings the file up to date before.
func (f *file) connectWriter(ctx context.Context, o Options, prepare func(*sql.DB) error) (*session, error) {
	db, err := f.connect(o, url.Values{"_txlock": {"immediate"}})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := prepare(db); err != nil {
		return nil, err
	}
	c, err := f.newSession(ctx, db)
	if err == nil {
		f.writer <- c
	}
	return c, err
}

func (f *file) connectReaders(ctx context.Context, o Options) error {
	db, err := f.connect(o, url.Values{"_query_only": {"on"}})
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	for range readers {
		c, err := f.newSession(ctx, db)
		if err != nil {
			return err
		}
		f.idle <- c
	}
	return nil
}

// connect makes a handle on the file, which release closes.
func (f *file) connect(o Options, params url.Values) (*sql.DB, error) {
	db, err := dial(f.path, o, params)
	if err != nil {
		return nil, err
	}
	f.databases = append(f.databases, db)
	return db, nil
}

// newSession opens a session, which release closes.
func (f *file) newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, explain(err)
	}
	c := &session{conn: conn, prepared: map[string]*sql.Stmt{}}
	f.sessions = append(f.sessions, c)
	return c, nil
}

// errClosed is what calls get after the file is being closed.
var errClosed = fmt.Errorf("%w: it was closed", directory.ErrUnavailable)

// take waits for a session from free. Give it back by sending it to free again.
func (f *file) take(ctx context.Context, free chan *session) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-f.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-free:
		return c, nil
	case <-f.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// reading runs fn with a reading session.
func reading[T any](ctx context.Context, f *file, fn func(*session) (T, error)) (T, error) {
	c, err := f.take(ctx, f.idle)
	if err != nil {
		var none T
		return none, err
	}
	defer func() { f.idle <- c }()
	return fn(c)
}

// drain refuses calls from now on and waits for those under way. It is called once.
func (f *file) drain() {
	close(f.closed)
	for range cap(f.idle) {
		<-f.idle
	}
	<-f.writer
}

// release closes every session and the databases.
func (f *file) release() error {
	var errs []error
	for _, c := range f.sessions {
		errs = append(errs, c.close())
	}
	for _, db := range f.databases {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
