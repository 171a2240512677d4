// Package whmcsexport writes what the members of accounts hold as WHMCS's permission
// lists, as its UpdateUserPermissions and CreateClientInvite take them (D), one member a
// line.
//
// It reads the directory a part at a time and changes nothing. It knows no HTTP and
// sends nothing to WHMCS. Its invariants: a permission of WHMCS is written only for who
// holds its first category on the whole account; what a list gives beyond what is held,
// and what is held that no list gives, is said of each member (nothing widens in
// silence); and who is no active member now is not listed.
package whmcsexport

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// An Exporter says whose memberships are written, by which policy, and when they count.
type Exporter struct {
	Directory directory.Reader
	Policy    *policy.Policy
	Now       time.Time
}

// A Row is what WHMCS can have of one membership.
type Row struct {
	Client portal.AccountID `json:"client_id"`
	User   portal.UserID    `json:"user_id"`
	// Permissions are WHMCS's, with commas between them. It may be empty.
	Permissions string `json:"permissions"`
	// Lost is what the membership gives, or limits, and the permissions do not.
	Lost []string `json:"lost"`
	// Gained are the categories and actions that the permissions give beyond it.
	Gained []string `json:"gained"`
}

// Write writes a row for every active member but the owners, in byte order of account
// and user, as JSON Lines. Its error is that of reading, of writing or of ctx.
func (e *Exporter) Write(ctx context.Context, to io.Writer) (Summary, error) {
	buffer := bufio.NewWriterSize(to, 64<<10)
	w := &writer{Exporter: e, lists: newLists(e.Policy), json: json.NewEncoder(buffer), summary: newSummary()}
	w.json.SetEscapeHTML(false)
	if err := w.accounts(ctx); err != nil {
		return w.summary, err
	}
	if err := buffer.Flush(); err != nil {
		return w.summary, fmt.Errorf("write permission lists: %w", err)
	}
	return w.summary, nil
}

// A writer writes one export.
type writer struct {
	*Exporter
	lists   *lists
	json    *json.Encoder
	summary Summary
}

func (w *writer) accounts(ctx context.Context) error {
	for accounts, err := range w.parts(ctx, directory.List{Kind: directory.ListAccounts}) {
		if err != nil {
			return err
		}
		for _, id := range accounts {
			if err := w.account(ctx, portal.AccountID(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) account(ctx context.Context, id portal.AccountID) error {
	before := w.summary.Members
	for users, err := range w.parts(ctx, directory.List{Kind: directory.ListMembers, Account: id}) {
		if err != nil {
			return err
		}
		keys := make([]portal.FactKey, len(users))
		for i, user := range users {
			keys[i] = portal.FactKey{Account: id, Subject: portal.Ref{Type: portal.TypeUser, ID: user}}
		}
		facts, position, err := w.Directory.Facts(ctx, keys)
		if err != nil {
			return fmt.Errorf("read the members of account %s: %w", id, err)
		}
		w.summary.read(position)
		for i, user := range users {
			if err := w.member(id, portal.UserID(user), facts[i]); err != nil {
				return err
			}
		}
	}
	if w.summary.Members > before {
		w.summary.Accounts++
	}
	return nil
}

// member writes the row of one membership, or counts why it has none.
func (w *writer) member(account portal.AccountID, user portal.UserID, facts portal.Facts) error {
	held := decision.HeldBy(w.Policy, facts.Membership, w.Now)
	switch {
	case facts.Membership.Owner:
		w.summary.LeftOut["owner"]++
		return nil
	case held.State != string(portal.MembershipActive):
		w.summary.LeftOut[held.State]++
		return nil
	case facts.User.Status != portal.UserActive:
		w.summary.LeftOut["disabled"]++
		return nil
	}
	l := w.lists.of(held, facts)
	w.summary.add(l)
	if err := w.json.Encode(l.row(account, user)); err != nil {
		return fmt.Errorf("write permission lists: %w", err)
	}
	return nil
}

// partSize is how many ids are read at once.
const partSize = 500

// parts yields the ids of a list, a part at a time.
func (w *writer) parts(ctx context.Context, of directory.List) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for after := ""; ; {
			ids, err := w.Directory.IDs(ctx, of, after, partSize)
			if err != nil {
				yield(nil, fmt.Errorf("read the %s: %w", of.Kind, err))
				return
			}
			if len(ids) > 0 && !yield(ids, nil) || len(ids) < partSize {
				return
			}
			after = ids[len(ids)-1]
		}
	}
}
