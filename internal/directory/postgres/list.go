package postgres

import (
	"context"
	"fmt"

	"doorward/internal/directory"
)

// lists are the statements that read a part of each list. Every one walks an index
// from the id after which the part begins, so a part costs the same wherever it is.
// $1 is whose list it is, where it is somebody's.
var lists = map[directory.ListKind]string{
	directory.ListAccounts:   `SELECT id FROM doorward.accounts WHERE $1 = '' AND id > $2 ORDER BY id LIMIT $3`,
	directory.ListUsers:      `SELECT id FROM doorward.users WHERE $1 = '' AND id > $2 ORDER BY id LIMIT $3`,
	directory.ListAccountsOf: `SELECT account_id FROM doorward.memberships WHERE user_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $3`,
	directory.ListMembers:    `SELECT user_id FROM doorward.memberships WHERE account_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`,
	directory.ListContacts:   `SELECT id FROM doorward.contacts WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
	directory.ListStaff:      `SELECT id FROM doorward.users WHERE $1 = '' AND staff <> '' AND id > $2 ORDER BY id LIMIT $3`,
}

// ids reads a part of a list.
func (c *session) ids(ctx context.Context, of directory.List, last string, limit int) ([]string, error) {
	query, known := lists[of.Kind]
	if !known || limit < 1 {
		return nil, fmt.Errorf("%w: list %q, limit %d", directory.ErrInvalid, of.Kind, limit)
	}
	whose := ""
	switch of.Kind {
	case directory.ListAccountsOf:
		whose = id(of.User)
	case directory.ListMembers, directory.ListContacts:
		whose = id(of.Account)
	case directory.ListAccounts, directory.ListUsers, directory.ListStaff:
	}
	one := func(columns scan) (id string, err error) { return id, columns(&id) }
	all, err := list(ctx, c, one, query, whose, after(last), limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", of.Kind, err)
	}
	return all, nil
}
