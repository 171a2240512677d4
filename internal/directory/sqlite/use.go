package sqlite

import (
	"context"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

var _ directory.Uses = (*Store)(nil)

// Used implements directory.Uses. A commit of uses moves the stamp, so whoever remembers
// facts looks once whether they have changed.
func (s *Store) Used(ctx context.Context, uses []portal.Use) error {
	today := portal.DayOf(s.now())
	c, err := s.take(ctx, s.writer)
	if err == nil {
		defer func() { s.writer <- c }()
		err = c.transaction(ctx, beginWrite, func() error { return c.used(ctx, uses, today) })
	}
	if err != nil {
		return fmt.Errorf("note uses: %w", err)
	}
	return nil
}

func (c *session) used(ctx context.Context, uses []portal.Use, today portal.Day) error {
	for _, u := range uses {
		err := c.exec(ctx, `INSERT INTO used (account, user, day) VALUES (?, ?, ?)
			ON CONFLICT (account, user) DO UPDATE SET day = excluded.day WHERE day < excluded.day`, u.Account, u.User, min(u.Day, today))
		if err != nil {
			return err
		}
	}
	return nil
}

// LastUse implements directory.Uses.
func (s *Store) LastUse(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Day, error) {
	day, err := reading(ctx, &s.file, func(c *session) (day portal.Day, err error) {
		err = c.get(ctx, `SELECT day FROM used WHERE account = ? AND user = ?`, []any{account, user}, &day)
		return day, err
	})
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return 0, fmt.Errorf("read last use: %w", err)
	}
	return day, nil
}
