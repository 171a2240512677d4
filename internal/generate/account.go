package generate

import (
	"fmt"
	"time"
)

// firstAccount is the number of the first account: portals seldom begin at one.
const firstAccount = 100_000

// A customer is an account as far as its people need to know it.
type customer struct {
	i       int
	id      string
	domain  string
	created time.Time
}

func ownerID(i int) string { return fmt.Sprintf("u-%d", firstAccount+i) }

// ownerOf is the number of the account whose owner owns account i: people have several
// (req 3), opened one after the other.
func (w *writer) ownerOf(i int) int {
	for i > 0 {
		d := w.dice(owner, uint64(i))
		if !d.in1000(110) {
			return i
		}
		i -= 1 + d.least(min(i, 60), 2)
	}
	return 0
}

// account writes account i with everybody in it.
func (w *writer) account(i int) {
	d := w.dice(account, uint64(i))
	c := customer{i: i, id: fmt.Sprint(firstAccount + i), created: w.ago(d, 4000)}
	title, domain := company(d, c.id)
	c.domain = domain
	w.accountLine(d, c, title)
	if w.ownerOf(i) == i {
		w.user(w.dice(person, personOf(i, 0)), ownerID(i), domain, "")
	} else {
		w.summary.SharedOwners++
	}
	w.ownerLine(d, c)
	members := w.team(d, c) + w.guests(d, c)
	w.summary.size(1 + members)
	w.contacts(d, c)
}

var accountStatuses = []weighted[string]{{905, "active"}, {35, "suspended"}, {60, "closed"}}

func (w *writer) accountLine(d dice, c customer, title string) {
	line := accountLine{Kind: "account", ID: c.id, Name: title, Status: draw(d, accountStatuses), CreatedAt: w.stamp(c.created)}
	if d.in1000(40) {
		line.MFARequired = true
		w.summary.MFARequired++
	}
	if d.in1000(100) {
		line.Preferences = w.mails(d)
	}
	w.summary.Accounts++
	w.summary.status(line.Status)
	w.write(line)
}

func (w *writer) ownerLine(d dice, c customer) {
	line := membershipLine{
		Kind: "membership", Account: c.id, User: ownerID(w.ownerOf(c.i)), Owner: true,
		LastLogin: w.stamp(w.since(d, c.created)), CreatedAt: w.stamp(c.created),
	}
	w.summary.Memberships++
	w.write(line)
}

// A span is from one number to another.
type span struct{ low, high int }

// teams are how many people of its own an account has besides the owner.
var teams = []weighted[span]{
	{7700, span{}}, {1250, span{1, 1}}, {600, span{2, 3}}, {300, span{4, 8}}, {110, span{9, 25}}, {35, span{26, 100}}, {5, span{101, 600}},
}

// Every giantEvery accounts, from giantFirst on, one has people by the thousand.
const (
	giantFirst = 500
	giantEvery = 20_000
)

// team writes the people of the account's own, and returns how many there are.
func (w *writer) team(d dice, c customer) int {
	size := draw(d, teams)
	if c.i%giantEvery == giantFirst {
		size = span{w.MembersMax / 4, w.MembersMax}
	}
	n := min(d.between(size.low, size.high), w.MembersMax)
	for k := range n {
		of := w.dice(person, personOf(c.i, k+1))
		id := fmt.Sprintf("u-%s-%d", c.id, k+1)
		w.user(of, id, c.domain, fmt.Sprint(k+1))
		w.member(of, c, id, w.anyPreset(of))
	}
	return n
}

// personOf numbers the people of all accounts.
func personOf(i, k int) uint64 { return uint64(i)<<24 | uint64(k) }

// guests makes members of people who are at home elsewhere: agencies, bookkeepers, the
// owner of another account. It returns how many.
func (w *writer) guests(d dice, c customer) int {
	n := 0
	if d.in1000(140) {
		w.member(d, c, w.hire(d, &w.agencies), w.preset(d, "developer"))
		n++
	}
	if d.in1000(90) {
		w.member(d, c, w.hire(d, &w.bookkeepers), w.preset(d, "billing"))
		n++
	}
	if d.in1000(20) && c.i > 0 {
		friend := w.ownerOf(c.i - 1 - d.below(min(c.i, 500)))
		if friend != w.ownerOf(c.i) {
			w.member(d, c, ownerID(friend), w.anyPreset(d))
			n++
		}
	}
	return n
}

var states = []weighted[string]{{910, ""}, {30, "pending"}, {60, "removed"}}

func (w *writer) member(d dice, c customer, user, preset string) {
	line := membershipLine{Kind: "membership", Account: c.id, User: user, State: draw(d, states)}
	line.grantMembers = w.grant(d, c, preset)
	joined := w.since(d, c.created)
	line.CreatedAt = w.stamp(joined)
	if line.State != "pending" && d.in1000(850) {
		line.LastLogin = w.stamp(w.since(d, joined))
	}
	if d.in1000(120) {
		line.Emails = w.mails(d)
		w.summary.MailChoices++
	}
	w.summary.membership(line)
	w.write(line)
}
