package importer

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"doorward/internal/importer/shelf"
	"doorward/internal/portal"
)

// A Report tells what an import did or, when DryRun, would do.
type Report struct {
	DryRun      bool  `json:"dry_run"`
	Users       Count `json:"users"`
	Accounts    Count `json:"accounts"`
	Memberships Count `json:"memberships"`
	Contacts    Count `json:"contacts"`
	Invites     Count `json:"invites"`
	History     Count `json:"history"`
	// Quarantine is what was kept out.
	Quarantine Quarantine `json:"quarantine"`
	// RightsChanged counts members of before whose rights are others now; Rights names
	// the first of them, as in user:8 in account:42.
	RightsChanged int      `json:"rights_changed"`
	Rights        []string `json:"rights,omitempty"`
	// Ignored counts members, as kind/name, that mean nothing to this version.
	Ignored map[string]int `json:"ignored,omitempty"`
	// Warnings are what a person should look at, by first line.
	Warnings []Warning `json:"warnings,omitempty"`
	// Position is the directory's after the last commit.
	Position portal.Position `json:"-"`

	done int  // records
	late bool // whether the directory put something in quarantine
}

// A Count tells what became of the records of one kind.
type Count struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Pruned    int `json:"pruned,omitempty"`
}

// A Quarantine counts the records that were kept out, by kind, and lists the first.
type Quarantine struct {
	Users       int    `json:"users"`
	Accounts    int    `json:"accounts"`
	Memberships int    `json:"memberships"`
	Contacts    int    `json:"contacts"`
	Invites     int    `json:"invites"`
	Records     []Held `json:"records,omitempty"`
}

// Total is how many records were kept out.
func (q Quarantine) Total() int {
	return q.Users + q.Accounts + q.Memberships + q.Contacts + q.Invites
}

func (q *Quarantine) count(kind shelf.Kind, n int) {
	switch kind {
	case shelf.User:
		q.Users = n
	case shelf.Account:
		q.Accounts = n
	case shelf.Membership:
		q.Memberships = n
	case shelf.Contact:
		q.Contacts = n
	case shelf.Invite:
		q.Invites = n
	case shelf.History: // is taken as it comes
	}
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// A Warning is one thing to look at, wherever it occurs.
type Warning struct {
	Message string `json:"message"`
	Count   int    `json:"count"`
	Lines   []int  `json:"lines"` // the first few
}

// maxWarningLines bounds the lines listed of one warning.
const maxWarningLines = 20

// Total is how many records there are.
func (c Count) Total() int { return c.New + c.Changed + c.Unchanged }

func (c Count) plus(d Count) Count {
	return Count{c.New + d.New, c.Changed + d.Changed, c.Unchanged + d.Unchanged, c.Pruned + d.Pruned}
}

// A tally counts the records of one part of a plan.
type tally struct {
	users, accounts, memberships, contacts, invites, history Count
}

func (t tally) plus(u tally) tally {
	return tally{
		t.users.plus(u.users), t.accounts.plus(u.accounts), t.memberships.plus(u.memberships),
		t.contacts.plus(u.contacts), t.invites.plus(u.invites), t.history.plus(u.history),
	}
}

// touched tells whether anything was written.
func (t tally) touched() bool {
	all := Count{}
	for _, c := range []Count{t.users, t.accounts, t.memberships, t.contacts, t.invites, t.history} {
		all = all.plus(c)
	}
	return all.New+all.Changed+all.Pruned > 0
}

func (r *Report) add(t tally) {
	r.Users = r.Users.plus(t.users)
	r.Accounts = r.Accounts.plus(t.accounts)
	r.Memberships = r.Memberships.plus(t.memberships)
	r.Contacts = r.Contacts.plus(t.contacts)
	r.Invites = r.Invites.plus(t.invites)
	r.History = r.History.plus(t.history)
}

// maxRights bounds the members whose rights change that a report names.
const maxRights = 100

func (r *Report) rights(members []string) {
	r.RightsChanged += len(members)
	r.Rights = append(r.Rights, members[:min(len(members), maxRights-len(r.Rights))]...)
}

// notes are what reading found to report.
type notes struct {
	ignored  map[string]int
	warnings map[string]*Warning
}

func newNotes() notes {
	return notes{ignored: map[string]int{}, warnings: map[string]*Warning{}}
}

// clone returns notes that can be added to without changing n.
func (n notes) clone() notes {
	c := notes{ignored: maps.Clone(n.ignored), warnings: make(map[string]*Warning, len(n.warnings))}
	for message, w := range n.warnings {
		c.warnings[message] = &Warning{w.Message, w.Count, slices.Clone(w.Lines)}
	}
	return c
}

// maxIgnored bounds the different names remembered; the rest is counted together.
const maxIgnored = 1000

func (n notes) ignore(name string) {
	if _, known := n.ignored[name]; !known && len(n.ignored) >= maxIgnored {
		name = "others"
	}
	n.ignored[name]++
}

// maxWarnings bounds the different warnings remembered.
const maxWarnings = 1000

func (n notes) warn(line int, message string) {
	w := n.warnings[message]
	if w == nil && len(n.warnings) >= maxWarnings {
		message = "further warnings of other kinds"
		w = n.warnings[message]
	}
	if w == nil {
		w = &Warning{Message: message}
		n.warnings[message] = w
	}
	w.Count++
	if len(w.Lines) < maxWarningLines {
		w.Lines = append(w.Lines, line)
	}
}

// list returns the warnings, by first line.
func (n notes) list() []Warning {
	var all []Warning
	for _, w := range n.warnings {
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Lines[0], b.Lines[0]), cmp.Compare(a.Message, b.Message))
	})
	return all
}
