package sqlite

import (
	"context"
	"fmt"
)

// LimitPages makes the disk full once the file has n pages.
func (s *Store) LimitPages(ctx context.Context, n int) error {
	c := <-s.writer
	defer func() { s.writer <- c }()
	return c.exec(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, n))
}

// Setting is what a pragma says on the writing session.
func (s *Store) Setting(ctx context.Context, pragma string) (value string, err error) {
	c := <-s.writer
	defer func() { s.writer <- c }()
	err = c.get(ctx, "SELECT * FROM pragma_"+pragma, nil, &value)
	return value, err
}

// HoldReader takes a reading session, as a call under way does. read reads with
// it, done gives it back.
func (s *Store) HoldReader() (read func(context.Context) error, done func()) {
	c := <-s.idle
	read = func(ctx context.Context) error {
		_, err := c.position(ctx)
		return err
	}
	return read, func() { s.idle <- c }
}

// Lists are the statements that read a part of each list.
var Lists = lists
