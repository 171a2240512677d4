package shelf

import (
	"context"
	"strconv"
	"strings"
)

// A Clash is a record that says again what an earlier one has said.
type Clash struct {
	Row
	First int // the line of the earlier one
}

// again are the questions for records of a kind that are there more than once. Every
// one walks an index.
var again = []struct{ same, lines string }{
	{`SELECT kind, id, '' FROM record WHERE kind <> 3 GROUP BY kind, id HAVING count(*) > 1 LIMIT ?1`,
		`SELECT n, line, kind, account, id, '' FROM record WHERE kind = ?1 AND id = ?2 AND ?3 = '' ORDER BY n LIMIT ?4`},
	{`SELECT kind, id, account FROM record WHERE kind = 3 GROUP BY kind, id, account HAVING count(*) > 1 LIMIT ?1`,
		`SELECT n, line, kind, account, id, '' FROM record WHERE kind = ?1 AND id = ?2 AND account = ?3 ORDER BY n LIMIT ?4`},
	{`SELECT 3, own, '' FROM record WHERE own <> '' GROUP BY own HAVING count(*) > 1 LIMIT ?1`,
		`SELECT n, line, kind, account, id, own FROM record INDEXED BY record_own
			WHERE kind = ?1 AND own = ?2 AND own <> '' AND ?3 = '' ORDER BY n LIMIT ?4`},
}

// Clashes returns records that are there twice, at most about limit of them: of one id,
// memberships of one user in one account, and, with Own set, memberships of one own id.
func (s *Shelf) Clashes(ctx context.Context, limit int) ([]Clash, error) {
	var all []Clash
	for _, q := range again {
		same, err := list(ctx, s, func(scan func(...any) error) (r Row, err error) {
			return r, scan(&r.Kind, &r.ID, &r.Account)
		}, q.same, limit)
		if err != nil {
			return nil, err
		}
		for _, r := range same {
			rows, err := list(ctx, s, clash, q.lines, r.Kind, r.ID, r.Account, limit)
			if err != nil {
				return nil, err
			}
			for _, row := range rows[1:] {
				all = append(all, Clash{row, rows[0].Line})
			}
		}
	}
	return all, nil
}

func clash(scan func(...any) error) (r Row, err error) {
	return r, scan(&r.N, &r.Line, &r.Kind, &r.Account, &r.ID, &r.Own)
}

// The statements that put into quarantine what lacks what it belongs to. Each goes on
// from what those before it did; ?1 tells whether the directory was the cause.
var settle = []string{
	// users made of contacts, whose address is somebody's who has a login already
	`UPDATE record SET late = ?1, reason = 'its address is that of user ' ||
		(SELECT u.id FROM record AS u INDEXED BY record_email WHERE u.email = record.email AND u.email <> '' AND u.kind = 1 AND u.made = 0 LIMIT 1) || ', who can be given a membership instead'
	WHERE kind = 1 AND made = 1 AND reason = '' AND email <> ''
		AND EXISTS (SELECT 1 FROM record AS u INDEXED BY record_email WHERE u.email = record.email AND u.email <> '' AND u.kind = 1 AND u.made = 0)`,
	// memberships without their user
	`UPDATE record SET late = ?1, reason = iif(EXISTS (SELECT 1 FROM record AS u WHERE u.kind = 1 AND u.id = record.id),
		'user ' || id || ' is in quarantine', 'the file has no user ' || id)
	WHERE kind = 3 AND reason = '' AND NOT EXISTS (SELECT 1 FROM record AS u WHERE u.kind = 1 AND u.id = record.id AND u.reason = '')`,
	// accounts without exactly one owner (req 4); of two, being in quarantine makes neither less one
	`UPDATE record SET late = ?1, reason = CASE
		(SELECT count(*) FROM record AS m INDEXED BY record_owner WHERE m.account = record.id AND m.kind = 3 AND m.owner = 1)
		WHEN 0 THEN 'it has no owner' WHEN 1 THEN 'its owner is in quarantine' ELSE 'it has ' ||
		(SELECT count(*) || ' owners, in lines ' || group_concat(m.line, ', ') FROM record AS m INDEXED BY record_owner
			WHERE m.account = record.id AND m.kind = 3 AND m.owner = 1) END
	WHERE kind = 2 AND reason = '' AND (SELECT count(*) <> 1 OR max(m.reason) <> '' FROM record AS m INDEXED BY record_owner
		WHERE m.account = record.id AND m.kind = 3 AND m.owner = 1)`,
	// what belongs to an account that is not taken in
	`UPDATE record SET late = ?1, reason = iif(EXISTS (SELECT 1 FROM record AS a WHERE a.kind = 2 AND a.id = record.account),
		'account ' || account || ' is in quarantine', 'the file has no account ' || account)
	WHERE kind IN (3, 4, 5) AND reason = ''
		AND NOT EXISTS (SELECT 1 FROM record AS a WHERE a.kind = 2 AND a.id = record.account AND a.reason = '')`,
}

// Settle puts into quarantine what cannot come in without what is missing or in
// quarantine already: memberships without their user, accounts without exactly one
// owner, and what belongs to them. late tells that the directory was the cause.
func (s *Shelf) Settle(ctx context.Context, late bool) error {
	for _, statement := range settle {
		if err := s.exec(ctx, statement, late); err != nil {
			return err
		}
	}
	return nil
}

// Quarantine puts a record there, because of what the directory holds, and what belongs
// to it if it is an account. After a user, Settle is to follow.
func (s *Shelf) Quarantine(ctx context.Context, n int64, reason string) error {
	if err := s.exec(ctx, `UPDATE record SET late = 1, reason = ? WHERE n = ? AND reason = ''`, reason, n); err != nil {
		return err
	}
	return s.exec(ctx, `UPDATE record SET late = 1, reason = 'account ' || account || ' is in quarantine'
		WHERE reason = '' AND kind IN (3, 4, 5) AND account = (SELECT id FROM record WHERE n = ? AND kind = 2)`, n)
}

// Release takes out of quarantine what the directory was the cause of.
func (s *Shelf) Release(ctx context.Context) error {
	return s.exec(ctx, `UPDATE record SET late = 0, reason = '' WHERE reason <> '' AND late = 1`)
}

// lines calls fn with the lines that query gives.
func (s *Shelf) lines(ctx context.Context, query string, fn func(line int)) error {
	return s.each(ctx, func(scan func(...any) error) error {
		var line int
		err := scan(&line)
		if err == nil {
			fn(line)
		}
		return err
	}, query)
}

// SharedAddresses calls fn with the lines of users whose address, folded, an earlier user
// has.
func (s *Shelf) SharedAddresses(ctx context.Context, fn func(line int)) error {
	return s.lines(ctx, `SELECT u.line FROM (SELECT email, min(n) AS first FROM record INDEXED BY record_email
			WHERE email <> '' AND kind = 1 GROUP BY email HAVING count(*) > 1) AS s
		CROSS JOIN record AS u INDEXED BY record_email ON u.email = s.email AND u.email <> '' AND u.kind = 1 AND u.n <> s.first ORDER BY u.n`, fn)
}

// SentTwice calls fn with the lines of contacts that have the address of a member of their
// account.
func (s *Shelf) SentTwice(ctx context.Context, fn func(line int)) error {
	return s.lines(ctx, `SELECT c.line FROM record AS c WHERE c.kind = 4 AND c.email <> '' AND EXISTS (
		SELECT 1 FROM record AS u INDEXED BY record_email
		CROSS JOIN record AS m INDEXED BY record_id ON m.kind = 3 AND m.id = u.id AND m.account = c.account
		WHERE u.kind = 1 AND u.email = c.email AND u.email <> '' AND u.made = 0) ORDER BY c.n`, fn)
}

// Counts tells how many records there are of each kind, in quarantine or not.
func (s *Shelf) Counts(ctx context.Context) (map[Kind]int, error) {
	return s.counts(ctx, `SELECT kind, count(*) FROM record GROUP BY kind`)
}

// Held tells how many records of each kind are in quarantine.
func (s *Shelf) Held(ctx context.Context) (map[Kind]int, error) {
	return s.counts(ctx, `SELECT kind, count(*) FROM record WHERE reason <> '' GROUP BY kind`)
}

func (s *Shelf) counts(ctx context.Context, query string) (map[Kind]int, error) {
	all, err := list(ctx, s, func(scan func(...any) error) (c [2]int, err error) { return c, scan(&c[0], &c[1]) }, query)
	counts := map[Kind]int{}
	for _, c := range all {
		counts[Kind(c[0])] = c[1]
	}
	return counts, err
}

// String names a record as messages do, as in membership of user 9 in account 42.
func (r Row) String() string {
	names := map[Kind]string{User: "user", Account: "account", Membership: "membership", Contact: "contact", Invite: "invite", History: "history"}
	var b strings.Builder
	b.WriteString(names[r.Kind])
	switch {
	case r.Kind == Membership:
		b.WriteString(" of user " + r.ID + " in account " + r.Account)
	case r.ID == "":
		b.WriteString(" in line " + strconv.Itoa(r.Line))
	default:
		b.WriteString(" " + r.ID)
	}
	return b.String()
}
