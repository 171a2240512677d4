package importer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A sitting takes in the records of one Upsert.
type sitting struct {
	tx directory.Tx
	by By
	// owners are the accounts whose owner may be another now, and the first record that
	// is about it.
	owners map[portal.AccountID]int
	n      int // the record at hand
	found  []Finding
}

// take makes an entry true, and notes a conflict.
func (s *sitting) take(ctx context.Context, e entry) (Outcome, error) {
	s.n = e.n
	outcome, err := e.apply(ctx, s)
	if c, ok := errors.AsType[*conflict](err); ok {
		s.conflict(e.n, c.reason)
		return "", nil
	}
	return outcome, err
}

func (s *sitting) conflict(n int, reason string) {
	if len(s.found) < maxFaults {
		s.found = append(s.found, Finding{Record: n, Text: reason})
	}
}

// finish checks what no record can tell alone: each account has exactly one owner
// (req 4). An error lets nothing be committed.
func (s *sitting) finish(ctx context.Context) error {
	if len(s.found) == 0 {
		for _, id := range slices.Sorted(maps.Keys(s.owners)) {
			if err := s.oneOwner(ctx, id); err != nil {
				return err
			}
		}
	}
	if len(s.found) > 0 {
		return &ConflictError{s.found}
	}
	return nil
}

func (s *sitting) oneOwner(ctx context.Context, id portal.AccountID) error {
	owners, err := ownersOf(ctx, s.tx, id)
	if err != nil {
		return err
	}
	switch len(owners) {
	case 1:
	case 0:
		s.conflict(s.owners[id], fmt.Sprintf(`account %s would have no owner: name one, as in "owner":"7"; where ownership moves, say so of both in one batch`, id))
	default:
		s.conflict(s.owners[id], fmt.Sprintf("account %s would have %d owners, %s: say in the same batch what the others are", id, len(owners), strings.Join(owners, " and ")))
	}
	return nil
}

// ownersOf returns the users who own an account.
func ownersOf(ctx context.Context, r directory.Reader, id portal.AccountID) ([]string, error) {
	members, err := r.Members(ctx, id)
	if err != nil {
		return nil, err
	}
	var owners []string
	for _, m := range members {
		if m.Owner {
			owners = append(owners, string(m.User))
		}
	}
	return owners, nil
}

// sameSource refuses to touch what another source has brought: it is somebody else with
// the same id.
func sameSource(what string, old portal.Origin, source string) error {
	if old.Source == "" || old.Source == source {
		return nil
	}
	return conflictf(`%s came from the source %q: only records with "source":%q change it`, what, old.Source, old.Source)
}

// outcome tells what becomes of a record.
func outcome(known, same bool) Outcome {
	switch {
	case !known:
		return New
	case same:
		return Unchanged
	}
	return Changed
}

// A userChange is what a user is to be.
type userChange struct{ userPlan }

func (c userChange) key() Key { return Key{Kind: KindUser, ID: string(c.ID)} }

func (c userChange) apply(ctx context.Context, s *sitting) (Outcome, error) {
	old, err := s.tx.User(ctx, c.ID)
	known, err := found(err)
	if err != nil {
		return "", err
	}
	u := c.over(old, known)
	if changesStaff(old, u) {
		return "", conflictf("%s is staff, who are not changed here: take the staff rights away first (doorward staff remove)", c.key())
	}
	if err := sameSource(c.key().String(), old.Origin, u.Origin.Source); err != nil {
		return "", err
	}
	o := outcome(known, sameUser(old, u))
	s.log(c.key(), o, u.Origin, aboutUser(old, u))
	return o, put(ctx, s.tx, u, o != Unchanged, directory.Tx.PutUser)
}

// changesStaff tells whether old is staff and u is not the very same person, in the same
// state, with the same proofs (A13.19).
func changesStaff(old, u portal.User) bool {
	u.Origin, u.LastLogin, u.CreatedAt = old.Origin, old.LastLogin, old.CreatedAt
	return old.Staff != "" && !sameUser(old, u)
}

// An accountChange is what an account is to be, without those in it.
type accountChange struct{ accountPlan }

func (c accountChange) key() Key { return Key{Kind: KindAccount, Account: c.account.ID} }

func (c accountChange) apply(ctx context.Context, s *sitting) (Outcome, error) {
	old, err := s.tx.Account(ctx, c.account.ID)
	known, err := found(err)
	if err != nil {
		return "", err
	}
	a := c.over(old, known)
	if err := sameSource(c.key().String(), old.Origin, a.Origin.Source); err != nil {
		return "", err
	}
	if !known {
		s.owners[a.ID] = s.n
	}
	o := outcome(known, sameAccount(old, a))
	s.log(c.key(), o, a.Origin, aboutAccount(old, a))
	return o, put(ctx, s.tx, a, o != Unchanged, directory.Tx.PutAccount)
}

// preferences are what an account's owner chose to be sent, where no record is about the
// owner.
type preferences struct{ accountPlan }

func (c preferences) key() Key { return accountChange(c).key() }

func (c preferences) apply(ctx context.Context, s *sitting) (Outcome, error) {
	owners, err := ownersOf(ctx, s.tx, c.account.ID)
	if err != nil || len(owners) != 1 {
		return Unchanged, err // without an owner the whole is refused
	}
	old, err := s.tx.Membership(ctx, c.account.ID, portal.UserID(owners[0]))
	if err != nil {
		return "", err
	}
	m := old
	m.Mail = c.accountPlan.preferences
	o := outcome(true, sameMembership(old, m))
	s.log(membershipKey(m), o, m.Origin, aboutMembership(old, m))
	return o, put(ctx, s.tx, m, o != Unchanged, directory.Tx.PutMembership)
}

// A memberChange is what a membership is to be.
type memberChange struct {
	memberPlan
	// implied tells that an account's record names its owner, of whom no record is: who
	// owns the account already stays as they are, but for choices of mail.
	implied bool
}

func (c memberChange) over(old portal.Membership, known bool) portal.Membership {
	m := c.memberPlan.over(old, known)
	if c.implied && old.Owner {
		old.Mail = m.Mail
		return old
	}
	return m
}

func (c memberChange) key() Key { return membershipKey(c.Membership) }

func membershipKey(m portal.Membership) Key {
	return Key{Kind: KindMembership, Account: m.Account, ID: string(m.User)}
}

func (c memberChange) apply(ctx context.Context, s *sitting) (Outcome, error) {
	if err := s.exists(ctx, c.Account, c.User); err != nil {
		return "", err
	}
	old, err := s.tx.Membership(ctx, c.Account, c.User)
	known, err := found(err)
	if err != nil {
		return "", err
	}
	m := c.over(old, known)
	if err := sameSource("the "+c.key().String(), old.Origin, m.Origin.Source); err != nil {
		return "", err
	}
	if _, noted := s.owners[m.Account]; !noted && m.Owner != old.Owner {
		s.owners[m.Account] = s.n
	}
	o := outcome(known, sameMembership(old, m))
	s.log(c.key(), o, m.Origin, aboutMembership(old, m))
	return o, put(ctx, s.tx, m, o != Unchanged, directory.Tx.PutMembership)
}

// exists refuses what would be in an account, or of a user, that there is not.
func (s *sitting) exists(ctx context.Context, account portal.AccountID, user portal.UserID) error {
	_, err := s.tx.Account(ctx, account)
	if known, err := found(err); !known && err == nil {
		return conflictf("there is no account %s: put it first, or into the same batch", account)
	} else if err != nil || user == "" {
		return err
	}
	_, err = s.tx.User(ctx, user)
	if known, err := found(err); known || err != nil {
		return err
	}
	return conflictf("there is no user %s: put them first, or into the same batch", user)
}

// A contactChange is what a contact is to be.
type contactChange struct{ contactPlan }

func (c contactChange) key() Key {
	return Key{Kind: KindContact, Account: c.Account, ID: string(c.ID)}
}

func (c contactChange) apply(ctx context.Context, s *sitting) (Outcome, error) {
	if err := s.exists(ctx, c.Account, ""); err != nil {
		return "", err
	}
	old, err := s.tx.Contact(ctx, c.ID)
	known, err := found(err)
	if err != nil {
		return "", err
	}
	if known && old.Account != c.Account { // whose it is, is not for this client to know
		return "", conflictf("contact %s belongs to another account, for ever", c.ID)
	}
	n := c.over(old, known)
	if err := sameSource(c.key().String(), old.Origin, n.Origin.Source); err != nil {
		return "", err
	}
	o := outcome(known, sameContact(old, n))
	s.log(c.key(), o, n.Origin, aboutContact(old, n))
	return o, put(ctx, s.tx, n, o != Unchanged, directory.Tx.PutContact)
}
