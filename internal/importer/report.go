package importer

import (
	"cmp"
	"maps"
	"slices"

	"doorward/internal/portal"
)

// A Report tells what an import did or, when DryRun, would do.
type Report struct {
	DryRun      bool  `json:"dry_run"`
	Users       Count `json:"users"`
	Accounts    Count `json:"accounts"`
	Memberships Count `json:"memberships"`
	Contacts    Count `json:"contacts"`
	// Skipped counts lines by kind that this version does not import.
	Skipped map[string]int `json:"not_imported_by_this_version,omitempty"`
	// Ignored counts members, as kind/name, that mean nothing to this version.
	Ignored map[string]int `json:"ignored,omitempty"`
	// Warnings are what a person should look at, by first line.
	Warnings []Warning `json:"warnings,omitempty"`
	// Position is the directory's after the last commit.
	Position portal.Position `json:"-"`
}

// A Count tells what became of the records of one kind.
type Count struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

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
	return Count{c.New + d.New, c.Changed + d.Changed, c.Unchanged + d.Unchanged}
}

// A tally counts the records of one part of a plan.
type tally struct {
	users, accounts, memberships, contacts Count
}

func (r *Report) add(t tally) {
	r.Users = r.Users.plus(t.users)
	r.Accounts = r.Accounts.plus(t.accounts)
	r.Memberships = r.Memberships.plus(t.memberships)
	r.Contacts = r.Contacts.plus(t.contacts)
}

func (r *Report) records() int {
	return r.Users.Total() + r.Accounts.Total() + r.Memberships.Total() + r.Contacts.Total()
}

// notes are what reading found to report.
type notes struct {
	skipped  map[string]int
	ignored  map[string]int
	warnings map[string]*Warning
}

func newNotes() notes {
	return notes{skipped: map[string]int{}, ignored: map[string]int{}, warnings: map[string]*Warning{}}
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

// report starts the report of an import of p.
func (p *Plan) report() Report {
	r := Report{Skipped: maps.Clone(p.notes.skipped), Ignored: maps.Clone(p.notes.ignored)}
	for _, w := range p.notes.warnings {
		r.Warnings = append(r.Warnings, *w)
	}
	slices.SortFunc(r.Warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Lines[0], b.Lines[0]), cmp.Compare(a.Message, b.Message))
	})
	return r
}
