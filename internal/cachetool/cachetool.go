// Package cachetool fills the cache that sidecars share, and shows what it holds for a
// person, for operators (R10).
//
// It knows neither Redis nor how entries are sealed. Its invariant: what it writes was
// read of the directory, with the position of the snapshot it was read in, as a sidecar
// would have.
package cachetool

import (
	"bytes"
	"context"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/gate"
	"doorward/internal/gate/shared"
	"doorward/internal/gate/wire"
	"doorward/internal/portal"
)

// A Tool works on the cache of one directory.
type Tool struct {
	Directory directory.Reader
	// Facts reads facts with era and position, as it does for sidecars.
	Facts func(ctx context.Context, keys []portal.FactKey) (gate.Found, error)
	Cache *shared.Cache // that has keys
}

const (
	partSize = 1000 // ids that are read at once
	atOnce   = 256  // facts that are read at once
)

// Warm writes the facts of all members and contacts of accounts, of every account when
// none is named, and says of how many.
func (t *Tool) Warm(ctx context.Context, accounts ...portal.AccountID) (n int, err error) {
	b := batch{tool: t}
	for _, account := range accounts {
		if err := b.account(ctx, string(account)); err != nil {
			return b.written, err
		}
	}
	if len(accounts) == 0 {
		if err := t.each(ctx, directory.List{Kind: directory.ListAccounts}, func(id string) error { return b.account(ctx, id) }); err != nil {
			return b.written, err
		}
	}
	err = b.flush(ctx)
	return b.written, err
}

// each calls do with every id of a list.
func (t *Tool) each(ctx context.Context, of directory.List, do func(id string) error) error {
	for after := ""; ; {
		ids, err := t.Directory.IDs(ctx, of, after, partSize)
		if err != nil {
			return fmt.Errorf("list %s: %w", of.Kind, err)
		}
		for _, id := range ids {
			if err := do(id); err != nil {
				return err
			}
		}
		if len(ids) < partSize {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// A batch is what is to be read and written next.
type batch struct {
	tool    *Tool
	keys    []portal.FactKey
	written int
}

// account adds everybody in an account.
func (b *batch) account(ctx context.Context, id string) error {
	account := portal.AccountID(id)
	for kind, subject := range map[directory.ListKind]string{directory.ListMembers: portal.TypeUser, directory.ListContacts: portal.TypeContact} {
		err := b.tool.each(ctx, directory.List{Kind: kind, Account: account}, func(id string) error {
			return b.add(ctx, portal.FactKey{Account: account, Subject: portal.Ref{Type: subject, ID: id}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) add(ctx context.Context, key portal.FactKey) error {
	b.keys = append(b.keys, key)
	if len(b.keys) < atOnce {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.keys) == 0 {
		return nil
	}
	found, err := b.tool.Facts(ctx, b.keys)
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	n, err := b.tool.Cache.Write(ctx, b.keys, found)
	if err != nil {
		return fmt.Errorf("write to Redis: %w", err)
	}
	b.written += n
	b.keys = b.keys[:0]
	return nil
}

// A Line is what the cache holds of somebody, beside what the directory says now.
type Line struct {
	Account portal.AccountID
	State   State
	Held    gate.Found   // if it is Current or Outdated
	Now     portal.Facts // of the directory
}

// A State is what an entry is worth.
type State string

// The states besides those that metrics call missing, malformed, unknown_key and forged.
const (
	Current  State = "current"  // what the directory says now
	Outdated State = "outdated" // something else: sidecars that know of the change do not take it
)

// found is what the cache calls an entry that can be opened.
const found = "found"

// Show says what the cache holds of somebody in each of some accounts; when none is named,
// in all that the user has a membership in.
func (t *Tool) Show(ctx context.Context, who portal.Ref, accounts ...portal.AccountID) ([]Line, error) {
	if len(accounts) == 0 {
		err := t.each(ctx, directory.List{Kind: directory.ListAccountsOf, User: portal.UserID(who.ID)}, func(id string) error {
			accounts = append(accounts, portal.AccountID(id))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var lines []Line
	for len(accounts) > 0 {
		part := accounts[:min(len(accounts), atOnce)]
		accounts = accounts[len(part):]
		more, err := t.lines(ctx, who, part)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

func (t *Tool) lines(ctx context.Context, who portal.Ref, accounts []portal.AccountID) ([]Line, error) {
	keys := make([]portal.FactKey, len(accounts))
	for i, account := range accounts {
		keys[i] = portal.FactKey{Account: account, Subject: who}
	}
	now, err := t.Facts(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	held, err := t.Cache.Look(ctx, now.Era, keys)
	if err != nil {
		return nil, fmt.Errorf("ask Redis: %w", err)
	}
	lines := make([]Line, len(keys))
	for i, h := range held {
		lines[i] = Line{accounts[i], State(h.Result), h.Found, now.Facts[i]}
		if h.Result != found {
			continue
		}
		lines[i].State = Outdated
		if same, err := equal(keys[i], h.Found.Facts[0], now.Facts[i]); err != nil {
			return nil, err
		} else if same {
			lines[i].State = Current
		}
	}
	return lines, nil
}

// equal tells whether facts of a key are the same as they are written.
func equal(key portal.FactKey, one, other portal.Facts) (bool, error) {
	a, err := wire.EncodeEntry(key, one, portal.Position{}, "")
	if err != nil {
		return false, err
	}
	b, err := wire.EncodeEntry(key, other, portal.Position{}, "")
	return bytes.Equal(a, b), err
}
