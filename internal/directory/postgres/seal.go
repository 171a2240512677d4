package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// seal checks what fn left, and writes the head, the change log and the trail. It returns
// the position that the transaction, once committed, leads to, and whether there is
// anything to commit. The head is written first: whoever got past the turn and was slower
// fails there, with a conflict.
func (s *Store) seal(ctx context.Context, t *tx) (p portal.Position, changed bool, err error) {
	last, seq, err := t.session.head(ctx)
	if err != nil && !errors.Is(err, directory.ErrNotFound) { // not found: this is the first commit
		return p, false, fmt.Errorf("read head: %w", err)
	}
	if len(t.changes)+len(t.entries) == 0 {
		return last, false, nil
	}
	if len(t.entries) == 0 {
		return p, false, directory.ErrUnaudited
	}
	if err := t.session.oneOwnerEach(ctx, t.owners); err != nil {
		return p, false, err
	}
	lines, err := sealed(last, seq, s.now(), t.entries)
	if err != nil {
		return p, false, err
	}
	end := lines[len(lines)-1]
	p = portal.Position{Revision: end.Revision, Tag: end.Hash}
	trail, err := putLines(lines)
	if err != nil {
		return p, false, err
	}
	err = t.session.exec(ctx, putHead(p, end.Seq), putChanges(p.Revision, t.changes), trail)
	if err != nil {
		return p, false, fmt.Errorf("write head, change log and trail: %w", err)
	}
	return p, true, nil
}

// oneOwnerEach checks that each account has exactly one owner (req 4, S39).
func (c *session) oneOwnerEach(ctx context.Context, accounts map[portal.AccountID]bool) error {
	if len(accounts) == 0 {
		return nil
	}
	var account string
	var owners int
	err := c.get(ctx, `SELECT k.id, count(m.user_id) FROM unnest($1::text[]) AS k (id)
		LEFT JOIN doorward.memberships AS m ON m.account_id = k.id AND m.owner
		GROUP BY k.id HAVING count(m.user_id) <> 1 LIMIT 1`, []any{sorted(accounts)}, &account, &owners)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("count owners: %w", err)
	}
	return fmt.Errorf("%w: account:%s would have %d owners, and needs exactly one", directory.ErrInvalid, account, owners)
}

// sealed are the lines of the revision after last, where the trail has seq lines.
func sealed(last portal.Position, seq uint64, now time.Time, entries []audit.Entry) ([]audit.Line, error) {
	lines := make([]audit.Line, len(entries))
	tag := last.Tag
	for i, e := range entries {
		if err := directory.CheckEntry(e); err != nil {
			return nil, err
		}
		lines[i] = audit.Seal(tag, seq+uint64(i)+1, last.Revision+1, now, e)
		tag = lines[i].Hash
	}
	return lines, nil
}

// putLines writes lines of one revision.
func putLines(lines []audit.Line) (statement, error) {
	var seqs []uint64
	var actors, clients, actions, objects, details []string
	var hashes [][]byte
	for _, l := range lines {
		text, err := detailText(l.Detail)
		if err != nil {
			return statement{}, err
		}
		seqs, hashes = append(seqs, l.Seq), append(hashes, l.Hash[:])
		actors, clients = append(actors, l.Actor), append(clients, l.Client)
		actions, objects = append(actions, l.Action), append(objects, l.Object)
		details = append(details, text)
	}
	return statement{`INSERT INTO doorward.audit_lines (revision, time, seq, actor, client, action, object, detail, hash)
		SELECT $1, $2, * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[])`,
		[]any{lines[0].Revision, lines[0].Time.UnixMicro(), seqs, actors, clients, actions, objects, details, hashes}}, nil
}

// putChanges writes what a revision changed.
func putChanges(r portal.Revision, changes []directory.Change) statement {
	if len(changes) == 0 {
		changes = []directory.Change{{Kind: directory.ChangedNothing}}
	}
	var kinds, accounts, users, contacts []string
	for _, c := range changes {
		kinds, accounts = append(kinds, string(c.Kind)), append(accounts, string(c.Account))
		users, contacts = append(users, string(c.User)), append(contacts, string(c.Contact))
	}
	return statement{`INSERT INTO doorward.change_log (revision, n, kind, account_id, user_id, contact_id)
		SELECT $1, n - 1, kind, account_id, user_id, contact_id
		FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS c (kind, account_id, user_id, contact_id, n)`,
		[]any{r, kinds, accounts, users, contacts}}
}

// putHead writes how far the directory has got.
func putHead(p portal.Position, seq uint64) statement {
	return statement{`INSERT INTO doorward.head (one, revision, seq, tag) VALUES (true, $1, $2, $3)
		ON CONFLICT (one) DO UPDATE SET revision = excluded.revision, seq = excluded.seq, tag = excluded.tag`,
		[]any{p.Revision, seq, p.Tag[:]}}
}
