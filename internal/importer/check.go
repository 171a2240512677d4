package importer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// finish checks how the lines fit together and makes the plan. The plan is only
// good if there are no faults then.
func (in *reader) finish() *Plan {
	if in.meta.line == 0 {
		in.faultf(0, `Begin it with {"kind":"meta","format":"`+Format+`","source":"…"}.`, "there is no meta line")
		in.flush()
	}
	if !in.lost {
		in.checkMembers()
		in.checkContacts()
		in.checkOwners()
	}
	in.warnAboutEmails()
	in.warnAboutContacts()
	return in.plan()
}

// checkMembers refuses memberships of users and accounts that the file does not
// have.
func (in *reader) checkMembers() {
	for at, m := range in.memberships {
		if _, ok := in.accounts[at.account]; !ok {
			in.faultf(m.line, "Add its line, or leave this one out.", "/account: the file has no account %s", at.account)
		}
		if _, ok := in.users[at.user]; !ok {
			in.faultf(m.line, "Add its line, or leave this one out.", "/user: the file has no user %s", at.user)
		}
	}
}

// checkOwners refuses accounts that have not exactly one owner (req 4).
func (in *reader) checkOwners() {
	for _, id := range in.order.accounts {
		var owners []string
		for _, at := range in.order.seats[id] {
			if m := in.memberships[at]; m.value.Owner {
				owners = append(owners, strconv.Itoa(m.line))
			}
		}
		switch line := in.accounts[id].line; {
		case len(owners) == 0:
			in.faultf(line, `Mark one of its memberships "owner":true.`, "account %s has no owner", id)
		case len(owners) > 1:
			in.faultf(line, "Leave one.", "account %s has %d owners, in lines %s", id, len(owners), strings.Join(owners, ", "))
		}
	}
}

// warnAboutEmails reports users who share an address but for the case of its
// letters.
func (in *reader) warnAboutEmails() {
	seen := make(map[string]bool, len(in.order.users))
	for _, id := range in.order.users {
		u := in.users[id]
		email := folded(u.value.Person.Email)
		if seen[email] {
			in.notes.warn(u.line, "a user with the same email address as another")
		}
		seen[email] = true
	}
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// plan puts the records in the order of the file, each account with its members,
// the owner last: an ownership that moves is then given up before it is taken.
func (in *reader) plan() *Plan {
	p := &Plan{Source: in.meta.source, notes: in.notes}
	for _, id := range in.order.users {
		p.users = append(p.users, in.users[id].value)
	}
	for _, id := range in.order.accounts {
		part := in.accounts[id].value
		for _, at := range in.order.seats[id] {
			part.members = append(part.members, in.member(at))
		}
		slices.SortStableFunc(part.members, ownerLast)
		for _, contact := range in.order.contacts[id] {
			part.contacts = append(part.contacts, in.contacts[contact].value)
		}
		p.accounts = append(p.accounts, part)
	}
	return p
}

// member is what the file says of a membership. The account's choices of mail are its
// owner's, unless the owner's own line has some.
func (in *reader) member(at seat) memberPlan {
	m := in.memberships[at].value
	if mail, given := in.preferences[at.account]; given && m.Owner && !m.mailed {
		m.Mail, m.mailed = mail, true
	}
	return m
}

func ownerLast(a, b memberPlan) int {
	return cmp.Compare(rank(a), rank(b))
}

func rank(m memberPlan) int {
	if m.Owner {
		return 1
	}
	return 0
}
