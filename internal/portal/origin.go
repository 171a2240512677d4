package portal

import "time"

// An Origin tells where a record came from. The zero value: it was made here.
type Origin struct {
	// Source is the system that the record was imported from, as its exports name it.
	Source string
	// Pruned tells that the record was taken out of use because a later export of its
	// source did not have it any more. It comes back with the record.
	Pruned bool
}

// A HistoryLine is what another system's log said of something done there. It is kept
// as it came and proves nothing: it is no part of the audit trail.
type HistoryLine struct {
	Source  string // the system whose log it is
	ID      string // of the line, in that log
	At      time.Time
	Account AccountID // "": none
	User    UserID    // who did it; "": somebody else
	Staff   string    // which of the provider's people did it, as that system names them
	Actor   string    // who did it, as the log words it
	IP      string
	Text    string
}
