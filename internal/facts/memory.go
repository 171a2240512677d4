package facts

import (
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// A Memory holds facts by what they are about: an account, a user, a membership, a
// contact. It is used by many goroutines.
//
// It does not know how fresh anything is. Presence is validity (design R8): whoever
// keeps a Memory puts in only what was true at the position that it has applied,
// drops what a change names when it applies the change, and lets nothing be put in
// meanwhile.
type Memory struct {
	accounts    *cells[portal.AccountFacts]
	users       *cells[portal.UserFacts]
	memberships *table[membership] // by pairKey
	contacts    *table[contact]    // by pairKey
	places      interner[portal.MembershipFacts]
	listed      interner[portal.ContactFacts]
}

// A membership is one user's place in one account, with the way to what is known
// of both: one look-up finds all facts of a question.
type membership struct {
	account *cell[portal.AccountFacts]
	user    *cell[portal.UserFacts]
	facts   *portal.MembershipFacts // shared
	extra   int                     // bytes of facts that are not shared after all
}

// A contact is what is known of a contact's id in one account, with the way to what
// is known of the account.
type contact struct {
	account *cell[portal.AccountFacts]
	facts   *portal.ContactFacts // shared; nil: the account has no such contact
	extra   int
}

// A Bound says how much a Memory may hold: of each kind so many entries or, when
// Bytes is given, so many bytes in all, roughly as the process pays for them.
type Bound struct {
	Entries int
	Bytes   int
}

// What an entry costs besides the bytes of its key: its place in a map, pointers, and
// what allocation rounds up. Measured by TestAMemoryCostsWhatItSays.
const (
	cellBytes  = 64
	placeBytes = 96
)

// NewMemory makes an empty memory.
func NewMemory(b Bound) *Memory {
	if b.Bytes <= 0 {
		return &Memory{
			accounts:    newCells[portal.AccountFacts](b.Entries, nil),
			users:       newCells[portal.UserFacts](b.Entries, nil),
			memberships: newTable[membership](b.Entries, nil),
			contacts:    newTable[contact](b.Entries, nil),
		}
	}
	part := b.Bytes / 16
	m := &Memory{
		accounts:    newCells(3*part, func(*cell[portal.AccountFacts]) int { return cellBytes }),
		users:       newCells(3*part, func(*cell[portal.UserFacts]) int { return cellBytes }),
		memberships: newTable(7*part, func(m membership) int { return placeBytes + m.extra }),
		contacts:    newTable(part, func(c contact) int { return placeBytes + c.extra }),
	}
	m.places.room, m.listed.room = part, part
	return m
}

// Lookup finds the facts of key, if all of them are remembered.
func (m *Memory) Lookup(key portal.FactKey) (f portal.Facts, ok bool) {
	var room [keyRoom]byte
	switch {
	case key.Subject.Type == portal.TypeContact:
		listed, ok := m.contacts.get(pairKey(room[:0], key.Account, key.Subject.ID))
		if !ok || !listed.account.read(&f.Account) {
			return portal.Facts{}, false
		}
		f.Contact = listed.facts
		return f, true
	case key.Subject.Type != portal.TypeUser:
		return f, false
	case key.Account == "":
		known, _ := m.users.get(append(room[:0], key.Subject.ID...))
		return f, known.read(&f.User)
	}
	place, ok := m.memberships.get(pairKey(room[:0], key.Account, key.Subject.ID))
	if !ok || !place.account.read(&f.Account) || !place.user.read(&f.User) {
		return portal.Facts{}, false
	}
	f.Membership = *place.facts
	return f, true
}

// Remember puts in the facts of key.
func (m *Memory) Remember(key portal.FactKey, f *portal.Facts) {
	switch key.Subject.Type {
	case portal.TypeUser:
		m.rememberUser(key, f)
	case portal.TypeContact:
		m.rememberContact(key, f)
	}
}

func (m *Memory) rememberUser(key portal.FactKey, f *portal.Facts) {
	person := m.users.fill([]byte(key.Subject.ID), f.User)
	if key.Account == "" {
		return
	}
	place, extra := m.places.intern(placeKey(&f.Membership), f.Membership)
	m.memberships.put(pairKey(nil, key.Account, key.Subject.ID), membership{
		account: m.accounts.fill([]byte(key.Account), f.Account), user: person, facts: place, extra: extra,
	})
}

// rememberContact puts in a contact, or that there is none: the change that makes
// one names it with its account.
func (m *Memory) rememberContact(key portal.FactKey, f *portal.Facts) {
	if key.Account == "" {
		return
	}
	entry := contact{account: m.accounts.fill([]byte(key.Account), f.Account)}
	if f.Contact != nil {
		entry.facts, entry.extra = m.listed.intern(contactKey(f.Contact), *f.Contact)
	}
	m.contacts.put(pairKey(nil, key.Account, key.Subject.ID), entry)
}

// Drop forgets what a change names.
func (m *Memory) Drop(change directory.Change) {
	switch change.Kind {
	case directory.ChangedAccount:
		m.accounts.drop([]byte(change.Account))
	case directory.ChangedUser:
		m.users.drop([]byte(change.User))
	case directory.ChangedMembership:
		m.memberships.drop(pairKey(nil, change.Account, string(change.User)))
	case directory.ChangedContact:
		m.contacts.drop(pairKey(nil, change.Account, string(change.Contact)))
	case directory.ChangedInvitation, directory.ChangedToken, directory.ChangedPolicy, directory.ChangedNothing:
	}
}

// Forget forgets everything.
func (m *Memory) Forget() {
	m.accounts.clear()
	m.users.clear()
	m.memberships.clear()
	m.contacts.clear()
	m.places.clear()
	m.listed.clear()
}
