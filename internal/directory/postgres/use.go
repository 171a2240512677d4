package postgres

import (
	"context"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

var _ directory.Uses = (*Store)(nil)

// Used implements directory.Uses, in one statement. Rows are taken in one order, so that
// directories do not wait for each other in a circle.
func (s *Store) Used(ctx context.Context, uses []portal.Use) error {
	accounts, users, days := make([]string, len(uses)), make([]string, len(uses)), make([]int32, len(uses))
	for i, u := range uses {
		accounts[i], users[i], days[i] = string(u.Account), string(u.User), int32(u.Day)
	}
	return s.Gates().write(ctx, "note uses", func(c *session) error {
		return c.exec(ctx, statement{`INSERT INTO doorward.uses AS u (account_id, user_id, day)
			SELECT account_id, user_id, least(max(day), floor(extract(epoch FROM clock_timestamp()) / 86400)::integer)
			FROM unnest($1::text[], $2::text[], $3::integer[]) AS r (account_id, user_id, day)
			GROUP BY account_id, user_id ORDER BY account_id COLLATE "C", user_id COLLATE "C"
			ON CONFLICT (account_id, user_id) DO UPDATE SET day = excluded.day WHERE u.day < excluded.day`,
			[]any{accounts, users, days}})
	})
}

// LastUse implements directory.Uses.
func (s *Store) LastUse(ctx context.Context, account portal.AccountID, user portal.UserID) (portal.Day, error) {
	var day int32
	err := s.session.get(ctx, `SELECT day FROM doorward.uses WHERE account_id = $1 AND user_id = $2`, []any{string(account), string(user)}, &day)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return 0, fmt.Errorf("read last use: %w", err)
	}
	return portal.Day(day), nil
}
