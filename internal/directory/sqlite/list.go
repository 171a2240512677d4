package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"doorward/internal/directory"
)

// lists are the statements that read a part of each list. Every one walks an index
// from the id after which the part begins, so a part costs the same wherever it is.
// ?1 is whose list it is, where it is somebody's.
var lists = map[directory.ListKind]string{
	directory.ListAccounts:   `SELECT id FROM account WHERE ?1 = '' AND id > ?2 ORDER BY id LIMIT ?3`,
	directory.ListUsers:      `SELECT id FROM user WHERE ?1 = '' AND id > ?2 ORDER BY id LIMIT ?3`,
	directory.ListAccountsOf: `SELECT account FROM membership WHERE user = ?1 AND account > ?2 ORDER BY account LIMIT ?3`,
	directory.ListMembers:    `SELECT user FROM membership WHERE account = ?1 AND user > ?2 ORDER BY user LIMIT ?3`,
	directory.ListContacts:   `SELECT id FROM contact WHERE account = ?1 AND id > ?2 ORDER BY id LIMIT ?3`,
	directory.ListStaff:      `SELECT id FROM user WHERE ?1 = '' AND staff <> '' AND id > ?2 ORDER BY id LIMIT ?3`,
}

// ids reads a part of a list.
func (c *session) ids(ctx context.Context, of directory.List, after string, limit int) ([]string, error) {
	query, known := lists[of.Kind]
	if !known || limit < 1 {
		return nil, fmt.Errorf("%w: list %q, limit %d", directory.ErrInvalid, of.Kind, limit)
	}
	whose := ""
	switch of.Kind {
	case directory.ListAccountsOf:
		whose = string(of.User)
	case directory.ListMembers, directory.ListContacts:
		whose = string(of.Account)
	case directory.ListAccounts, directory.ListUsers, directory.ListStaff:
	}
	scan := func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) }
	all, err := list(ctx, c, scan, query, whose, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", of.Kind, err)
	}
	return all, nil
}
