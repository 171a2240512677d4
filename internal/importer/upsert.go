package importer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"doorward/internal/directory"
	"doorward/internal/ijson"
	"doorward/internal/portal"
)

// An Upsert is some records that were read and are without a fault, to be made true
// together, all of them or none. It is how a portal that was imported is kept in step
// (E3): what a record says and leaves out means what it means in a file.
type Upsert struct {
	entries  []entry
	warnings []Finding
	said     int // records
}

// UpsertOptions of reading. Now must be given.
type UpsertOptions struct {
	// Source is the one that records belong to which do not say it. "": none.
	Source string
	// Now is when records of sign-ins happened which do not say it. What lies after it
	// has not happened.
	Now time.Time
	// Salt makes digests of addresses (IP) in the trail.
	Salt []byte
}

// A Kind is a kind of record that an Upsert may have.
type Kind string

// The kinds, in the order in which they are made true: each needs those before it.
const (
	KindUser       Kind = "user"
	KindAccount    Kind = "account"
	KindMembership Kind = "membership"
	KindContact    Kind = "contact"
	KindSignin     Kind = "signin"
)

var kinds = []string{string(KindUser), string(KindAccount), string(KindMembership), string(KindContact), string(KindSignin)}

// A Key names a record.
type Key struct {
	Kind    Kind
	Account portal.AccountID // "" of users and their sign-ins, which reach beyond accounts
	ID      string           // the user's or the contact's; "" of an account
}

// String names the record to people, as in membership of user 9 in account 42.
func (k Key) String() string {
	switch k.Kind {
	case KindAccount:
		return "account " + string(k.Account)
	case KindMembership:
		return "membership of user " + k.ID + " in account " + string(k.Account)
	default:
		return string(k.Kind) + " " + k.ID
	}
}

// A Finding is something a person should know about a record.
type Finding struct {
	Record  int    // its place among those sent, from 0
	Pointer string // JSON pointer into it; "": all of it
	Text    string
}

// A FaultyError lists what is wrong with records by themselves.
type FaultyError struct{ Findings []Finding }

// Error tells the first of them.
func (e *FaultyError) Error() string { return told("faulty records", e.Findings) }

// A ConflictError lists what keeps records from being taken in because of what the
// directory holds. An import would put them into quarantine.
type ConflictError struct{ Findings []Finding }

// Error tells the first of them.
func (e *ConflictError) Error() string { return told("records in conflict", e.Findings) }

func told(what string, all []Finding) string {
	return fmt.Sprintf("%s: %d, the first is record %d: %s", what, len(all), all[0].Record, all[0].Text)
}

// An Outcome tells what became of a record.
type Outcome string

// The outcomes. A sign-in changes something or was known.
const (
	New       Outcome = "new"
	Changed   Outcome = "changed"
	Unchanged Outcome = "unchanged"
)

// A Result tells what an Upsert came to.
type Result struct {
	Outcomes []Outcome // of each record, as they were sent
	Warnings []Finding
	// Position is the directory's with the records in it.
	Position portal.Position
}

// By is who makes changes, as the audit trail shows it.
type By struct{ Actor, Client string }

// An entry is one change on its way in.
type entry struct {
	n int // the record that says it
	change
}

// A change is what a record asks for. A record may ask for two: an account that names
// its owner asks for a membership besides.
type change interface {
	key() Key
	// apply makes it true. Its error is a *conflict, or the store's.
	apply(context.Context, *sitting) (Outcome, error)
}

// Keys are the names of what the records would change.
func (u *Upsert) Keys() []Key {
	keys := make([]Key, len(u.entries))
	for i, e := range u.entries {
		keys[i] = e.key()
	}
	return keys
}

// Apply makes the records true, in one commit. Conflicts are a *ConflictError, and
// nothing is changed then. Records that say what the directory holds change nothing and
// leave no line in the trail. then, which may be nil, reads what is going to be committed,
// before it is; it may be called more than once.
func (u *Upsert) Apply(ctx context.Context, store directory.Store, by By, then func(directory.Reader) error) (Result, error) {
	var r Result
	at, err := store.Update(ctx, func(tx directory.Tx) error {
		r = Result{Outcomes: make([]Outcome, u.said), Warnings: u.warnings}
		s := &sitting{tx: tx, by: by, owners: map[portal.AccountID]int{}}
		for _, e := range u.entries {
			outcome, err := s.take(ctx, e)
			if err != nil {
				return err
			}
			r.Outcomes[e.n] = both(r.Outcomes[e.n], outcome)
		}
		if err := s.finish(ctx); err != nil {
			return err
		}
		if then == nil {
			return nil
		}
		return then(tx)
	})
	r.Position = at
	if err != nil {
		return Result{}, fmt.Errorf("take in %d records: %w", u.said, err)
	}
	return r, nil
}

// both is the outcome of a record of which one change had the one, and the next the other.
func both(one, other Outcome) Outcome {
	switch {
	case one == "":
		return other
	case one == Unchanged && other != Unchanged:
		return Changed
	}
	return one
}

// ReadUpsert reads records. Its error is a *FaultyError that has all there is to mend, up
// to maxFaults.
func ReadUpsert(records []ijson.Value, w Words, o UpsertOptions) (*Upsert, error) {
	in := upsertReader{reader: newReader("", w), UpsertOptions: o, out: &Upsert{said: len(records)}}
	for n, v := range records {
		in.read(n, v)
	}
	in.prefer()
	in.refuseTwice()
	if len(in.faults) > 0 {
		return nil, &FaultyError{findings(in.faults)}
	}
	slices.SortStableFunc(in.out.entries, func(a, b entry) int { return turn(a) - turn(b) })
	return in.out, nil
}

// turn is when a change comes.
func turn(e entry) int {
	if _, last := e.change.(preferences); last {
		return len(kinds)
	}
	return slices.Index(kinds, string(e.key().Kind))
}
