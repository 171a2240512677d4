package importer

import (
	"strconv"

	"doorward/internal/audit"
	"doorward/internal/directory"
	"doorward/internal/portal"
)

// log says in the trail what a commit took in: ids, counts and the file's digest,
// nothing personal (req 113). Every account that was touched has a line of its own.
func (w *work) log(tx directory.Tx, s part) {
	for _, a := range w.each {
		if a.touched() {
			tx.Log(w.accountEntry(a))
		}
	}
	if len(s.users) > 0 {
		tx.Log(w.listEntry("import.users", string(s.users[0].ID), string(s.users[len(s.users)-1].ID), w.tally.users))
	}
	if len(s.history) > 0 {
		tx.Log(w.listEntry("import.history", s.history[0].ID, s.history[len(s.history)-1].ID, w.tally.history))
	}
}

func (w *work) accountEntry(a accountTally) audit.Entry {
	detail := map[string]string{"source": w.Source, "sha256": w.Digest}
	tell := func(prefix string, c Count) {
		detail[prefix+"new"], detail[prefix+"changed"] = strconv.Itoa(c.New), strconv.Itoa(c.Changed)
		if c.Pruned > 0 {
			detail[prefix+"pruned"] = strconv.Itoa(c.Pruned)
		}
	}
	tell("", a.memberships)
	if a.contacts != (Count{}) {
		tell("contacts_", a.contacts)
	}
	if a.invites != (Count{}) {
		tell("invites_", a.invites)
	}
	return audit.Entry{Actor: w.Actor, Action: "import.account", Object: portal.TypeAccount + ":" + string(a.id), Detail: detail}
}

func (w *work) listEntry(action, first, last string, c Count) audit.Entry {
	return audit.Entry{Actor: w.Actor, Action: action, Object: "import:" + w.Digest[:16], Detail: map[string]string{
		"source": w.Source, "sha256": w.Digest, "first": first, "last": last,
		"new": strconv.Itoa(c.New), "changed": strconv.Itoa(c.Changed),
	}}
}
