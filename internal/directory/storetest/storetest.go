// Package storetest checks the promises of directory.Store, the same for every
// store.
//
// It knows no store's insides and allows no exception: a store keeps all of the
// contract or fails. Every promise is tested on a store of its own.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// Run checks one implementation. open returns a new store that nobody has
// written to; Run closes it.
func Run(t *testing.T, open func(t *testing.T) directory.Store) {
	for _, p := range slices.Concat(promises(), importPromises(), promotionPromises()) {
		t.Run(p.says, func(t *testing.T) {
			t.Parallel()
			p.test(t, closing(t, open(t)))
		})
	}
	RunTogether(t, func(t *testing.T) []directory.Store { return []directory.Store{open(t)} })
}

// RunTogether checks what a directory promises when several stores, each as of a process
// of its own, have it open. open returns them, of a directory that nobody has written
// to; RunTogether closes them.
func RunTogether(t *testing.T, open func(t *testing.T) []directory.Store) {
	for _, p := range togetherPromises() {
		t.Run(p.says, func(t *testing.T) {
			t.Parallel()
			stores := open(t)
			for _, s := range stores {
				closing(t, s)
			}
			p.test(t, stores)
		})
	}
}

// closing closes s after the test.
func closing(t *testing.T, s directory.Store) directory.Store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// A promise is one thing that the contract says, and its test.
type promise struct {
	says string
	test func(*testing.T, directory.Store)
}

func promises() []promise {
	return []promise{
		{"ids compare byte for byte (S14)", exactIDs},
		{"what is put is read back", roundTrip},
		{"times are kept to the microsecond", timePrecision},
		{"what is not there is ErrNotFound, also wrapped", notFound},
		{"what the directory does not allow is ErrInvalid and changes nothing", invalid},
		{"members are listed by user id", memberOrder},
		{"tokens are listed by id, revoked ones too", tokens},
		{"a person can be erased while the user stays (req 13)", erased},
		{"staff are listed by id, with their rights (A13.19)", staff},
		{"ids of a list come after one, in byte order", lists},
		{"contacts' ids compare byte for byte (S14)", exactContactIDs},
		{"contacts are listed by id, removed ones too", contactOrder},
		{"a contact is of one account for ever (req 17)", oneAccount},
		{"what is personal of a removed contact can be erased", erasedContact},

		{"a failed update leaves no trace", rollback},
		{"a panic leaves no trace and goes on", panicking},
		{"a context that has ended changes nothing", cancelled},
		{"an update reads its own writes", ownWrites},
		{"reads beside an update see what is committed", isolation},
		{"an update that is over changes nothing more", overIsOver},
		{"a change without an audit entry is refused", unaudited},
		{"putting what is there commits nothing", equalPut},
		{"an entry alone is a revision that changes nothing", entryAlone},

		{"an account has exactly one owner (req 4, S39)", oneOwner},
		{"ownership changes hands in any order", anyOrder},

		{"facts say what is known, and of the unknown nothing", factsOfKeys},
		{"facts of a contact are those of its account alone (req 17)", factsOfContacts},
		{"facts say what mail a member chose", mailChoices},
		{"facts of many keys are one snapshot", oneSnapshot},

		{"every kind of change is named once", changesNamed},
		{"changes come in whole revisions", wholeRevisions},
		{"the trail is a chain that ends at the head (req 113)", trail},
		{"a closed store is unavailable", closed},
	}
}

const (
	acme portal.AccountID = "acme"
	anna portal.UserID    = "anna"
	ben  portal.UserID    = "ben"
)

func account(id portal.AccountID) portal.Account {
	return portal.Account{ID: id, Name: "Acme Ltd", Status: portal.AccountActive}
}

func user(id portal.UserID) portal.User {
	return portal.User{ID: id, Status: portal.UserActive}
}

func member(a portal.AccountID, u portal.UserID) portal.Membership {
	return portal.Membership{Account: a, User: u, State: portal.MembershipActive, Grant: portal.Grant{Presets: []string{"billing"}}}
}

func owner(a portal.AccountID, u portal.UserID) portal.Membership {
	m := member(a, u)
	m.Owner, m.Grant = true, portal.Grant{Presets: []string{"owner"}}
	return m
}

func entry(action string) audit.Entry {
	return audit.Entry{Actor: "user:tester", Action: action, Object: "account:acme"}
}

// put puts things of any kind.
func put(ctx context.Context, tx directory.Tx, things ...any) error {
	for _, thing := range things {
		var err error
		switch thing := thing.(type) {
		case portal.Account:
			err = tx.PutAccount(ctx, thing)
		case portal.User:
			err = tx.PutUser(ctx, thing)
		case portal.Membership:
			err = tx.PutMembership(ctx, thing)
		case portal.Contact:
			err = tx.PutContact(ctx, thing)
		case portal.Invitation:
			err = tx.PutInvitation(ctx, thing)
		case portal.HistoryLine:
			err = tx.PutHistory(ctx, thing)
		case directory.Token:
			err = tx.PutToken(ctx, thing)
		case directory.Promotion:
			err = tx.PutPolicy(ctx, thing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// try puts things in one update with an audit entry.
func try(ctx context.Context, s directory.Store, things ...any) (portal.Position, error) {
	return s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(entry("test.put"))
		return put(ctx, tx, things...)
	})
}

func commit(t *testing.T, s directory.Store, things ...any) portal.Position {
	t.Helper()
	p, err := try(t.Context(), s, things...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// found puts acme, owned by anna, with ben as its member.
func found(t *testing.T, s directory.Store) portal.Position {
	t.Helper()
	return commit(t, s, account(acme), user(anna), user(ben), owner(acme, anna), member(acme, ben))
}

// A state is everything that can be read from a store.
type state struct {
	Head     portal.Position
	Accounts []portal.Account
	Users    []portal.User
	Members  []portal.Membership
	Contacts []portal.Contact
	Invited  []portal.Invitation
	History  []portal.HistoryLine
	Staff    []portal.User
	Tokens   []directory.Token
	Policy   directory.Promotion
	Changes  []directory.Change
	Lines    []audit.Line
}

// everything reads the state of s, of the ids that these tests use.
func everything(t *testing.T, s directory.Store) (all state) {
	t.Helper()
	ctx := t.Context()
	var errs [8]error
	all.Head, errs[0] = s.Head(ctx)
	all.Members, errs[1] = s.Members(ctx, acme)
	all.Tokens, errs[2] = s.Tokens(ctx)
	all.Changes, _, errs[3] = s.Changes(ctx, portal.Position{}, 1_000_000)
	all.Contacts, errs[4] = s.Contacts(ctx, acme)
	all.Staff, errs[5] = s.Staff(ctx)
	all.Invited, errs[6] = s.Invitations(ctx, acme)
	all.History, errs[7] = s.History(ctx, acme, portal.HistoryLine{}, 1_000_000)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Promoted(ctx); !errors.Is(err, directory.ErrNotFound) {
		all.Policy = must(t, p, err)
	}
	for _, id := range []portal.AccountID{acme, "other"} {
		if a, err := s.Account(ctx, id); !errors.Is(err, directory.ErrNotFound) {
			all.Accounts = append(all.Accounts, must(t, a, err))
		}
	}
	for _, id := range []portal.UserID{anna, ben, "other"} {
		if u, err := s.User(ctx, id); !errors.Is(err, directory.ErrNotFound) {
			all.Users = append(all.Users, must(t, u, err))
		}
	}
	for l, err := range s.AuditLines(ctx) {
		all.Lines = append(all.Lines, must(t, l, err))
	}
	return all
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// unchanged fails unless s is as it was.
func unchanged(t *testing.T, s directory.Store, was state) {
	t.Helper()
	if diff := cmp.Diff(was, everything(t, s)); diff != "" {
		t.Errorf("the store changed (-was +is):\n%s", diff)
	}
}

func head(t *testing.T, s directory.Store) portal.Position {
	t.Helper()
	p, err := s.Head(t.Context())
	return must(t, p, err)
}
