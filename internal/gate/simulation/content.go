package simulation

import (
	"fmt"
	"strconv"
	"time"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

// How many accounts, users and contacts there are: few, so that they meet.
const (
	accounts = 2
	users    = 3
)

// content is what a directory says of accounts, users, members and contacts.
type content struct {
	account [accounts]bool // active
	user    [users]bool
	member  [accounts][users]place
	contact [accounts]bool
}

// A place is a membership: in force or not, and until when.
type place struct {
	active   bool
	from, to time.Duration // true time; 0: no bound
}

// A subject is whom a question is about, in an account: a user, or with user == users
// the account's contact.
type subject struct{ account, user int }

func (s subject) String() string {
	return fmt.Sprintf("%v in %s", s.key().Subject, accountID(s.account))
}

func (s subject) contact() bool { return s.user == users }

func (s subject) key() portal.FactKey {
	ref := portal.Ref{Type: portal.TypeUser, ID: userID(s.user)}
	if s.contact() {
		ref.Type = portal.TypeContact
	}
	return portal.FactKey{Account: portal.AccountID(accountID(s.account)), Subject: ref}
}

var ids = func() (names [2][8]string) {
	for i := range 8 {
		names[0][i], names[1][i] = "a"+strconv.Itoa(i), "u"+strconv.Itoa(i)
	}
	return names
}()

func accountID(a int) string { return ids[0][a] }
func userID(u int) string    { return ids[1][u] }

// everything has no bounds; most grants are it.
var everything = &portal.Grant{}

func at(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return epoch.Add(d)
}

// facts are what c says of a subject, as a directory would.
func (c *content) facts(key portal.FactKey) (f portal.Facts) {
	a, u := int(key.Account[1]-'0'), int(key.Subject.ID[1]-'0')
	f.Account.Status = pick(c.account[a], portal.AccountActive, portal.AccountSuspended)
	if key.Subject.Type == portal.TypeContact {
		f.Contact = &portal.ContactFacts{Status: pick(c.contact[a], portal.ContactActive, portal.ContactRemoved)}
		return f
	}
	f.User.Status = pick(c.user[u], portal.UserActive, portal.UserDisabled)
	m := c.member[a][u]
	f.Membership = portal.MembershipFacts{State: pick(m.active, portal.MembershipActive, portal.MembershipRemoved), Grant: everything}
	if m.from != 0 || m.to != 0 {
		f.Membership.Grant = &portal.Grant{NotBefore: at(m.from), NotAfter: at(m.to)}
	}
	return f
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

// same tells whether facts say the same of a subject.
func same(a, b portal.Facts) bool {
	if a.Account != b.Account || a.User != b.User || (a.Contact == nil) != (b.Contact == nil) || a.Contact != nil && a.Contact.Status != b.Contact.Status {
		return false
	}
	x, y := a.Membership, b.Membership
	if x.State != y.State || (x.Grant == nil) != (y.Grant == nil) {
		return false
	}
	return x.Grant == nil || x.Grant.NotBefore.Equal(y.Grant.NotBefore) && x.Grant.NotAfter.Equal(y.Grant.NotAfter)
}

// A change is what an administrator does: one thing is made as it should be.
type change struct {
	kind     directory.ChangeKind
	account  int
	user     int
	active   bool
	from, to time.Duration
}

// String says who gets or loses what.
func (ch change) String() string {
	what := pick(ch.active, "gives", "takes")
	switch ch.kind {
	case directory.ChangedUser:
		return fmt.Sprintf("%s user %s", what, userID(ch.user))
	case directory.ChangedAccount, directory.ChangedContact:
		return fmt.Sprintf("%s %s of %s", what, ch.kind, accountID(ch.account))
	case directory.ChangedMembership:
		return fmt.Sprintf("%s membership of %s in %s, from %v to %v", what, userID(ch.user), accountID(ch.account), ch.from, ch.to)
	}
	return string(ch.kind)
}

// adds tells whether the change provably only adds rights (R7).
func (ch change) adds() bool { return ch.active && ch.from == 0 && ch.to == 0 }

// apply makes the change and tells whether there was anything to do.
func (c *content) apply(ch change) bool {
	was := *c
	switch ch.kind {
	case directory.ChangedAccount:
		c.account[ch.account] = ch.active
	case directory.ChangedUser:
		c.user[ch.user] = ch.active
	case directory.ChangedMembership:
		c.member[ch.account][ch.user] = place{ch.active, ch.from, ch.to}
	case directory.ChangedContact:
		c.contact[ch.account] = ch.active
	}
	return *c != was
}

// named is the change as the change log names it.
func (ch change) named(r portal.Revision) directory.Change {
	n := directory.Change{Revision: r, Kind: ch.kind}
	switch ch.kind {
	case directory.ChangedAccount:
		n.Account = portal.AccountID(accountID(ch.account))
	case directory.ChangedUser:
		n.User = portal.UserID(userID(ch.user))
	case directory.ChangedMembership:
		n.Account, n.User = portal.AccountID(accountID(ch.account)), portal.UserID(userID(ch.user))
	case directory.ChangedContact:
		n.Account, n.Contact = portal.AccountID(accountID(ch.account)), portal.ContactID(userID(users))
	}
	return n
}
