package shelf

import "context"

const selectRow = `SELECT n, line, kind, account, id, own, owner, email, made, reason, raw FROM record `

func row(scan func(...any) error) (r Row, err error) {
	return r, scan(&r.N, &r.Line, &r.Kind, &r.Account, &r.ID, &r.Own, &r.Owner, &r.Email, &r.Made, &r.Reason, &r.Raw)
}

// Of calls fn with the records of a kind that are not in quarantine, as the file has
// them, at most limit of them at once. fn may use the shelf.
func (s *Shelf) Of(ctx context.Context, kind Kind, limit int, fn func([]Row) error) error {
	for after := int64(0); ; {
		rows, err := list(ctx, s, row, selectRow+`WHERE +kind = ? AND reason = '' AND n > ? ORDER BY n LIMIT ?`, kind, after, limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].N
		if err := fn(rows); err != nil {
			return err
		}
	}
}

// Accounts calls fn with every account that is not in quarantine, by id, and with what
// belongs to it: the account first, then memberships, contacts and invitations as the
// file has them. fn may use the shelf.
func (s *Shelf) Accounts(ctx context.Context, fn func([]Row) error) error {
	var account []Row
	at := Row{}
	for {
		rows, err := list(ctx, s, row, selectRow+`WHERE (account, kind, n) > (?, ?, ?) AND +kind BETWEEN 2 AND 5 AND reason = ''
			ORDER BY account, kind, n LIMIT ?`, at.Account, at.Kind, at.N, atOnce)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if len(account) > 0 && account[0].Account != r.Account {
				if err := fn(account); err != nil {
					return err
				}
				account = nil
			}
			account, at = append(account, r), r
		}
		if len(rows) == 0 {
			break
		}
	}
	if len(account) == 0 {
		return nil
	}
	return fn(account)
}

// InQuarantine calls fn with every record that is there, as the file has them.
func (s *Shelf) InQuarantine(ctx context.Context, fn func(Row) error) error {
	for after := int64(0); ; {
		rows, err := list(ctx, s, row, selectRow+`WHERE reason <> '' AND n > ? ORDER BY n LIMIT ?`, after, atOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
			after = r.N
		}
	}
}

// Find returns the first record of the kind and id.
func (s *Shelf) Find(ctx context.Context, kind Kind, id string) (Row, bool, error) {
	rows, err := list(ctx, s, row, selectRow+`WHERE kind = ? AND id = ? ORDER BY n LIMIT 1`, kind, id)
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

// Mentions tells whether there is a record of the kind and id, in quarantine or not; of
// a membership, id is the user.
func (s *Shelf) Mentions(ctx context.Context, kind Kind, id, account string) (bool, error) {
	query, args := `SELECT 1 FROM record WHERE kind = ? AND id = ? LIMIT 1`, []any{kind, id}
	if kind == Membership {
		query, args = `SELECT 1 FROM record WHERE kind = ? AND id = ? AND account = ? LIMIT 1`, append(args, account)
	}
	found, err := list(ctx, s, func(scan func(...any) error) (n int, err error) { return n, scan(&n) }, query, args...)
	return len(found) > 0, err
}
