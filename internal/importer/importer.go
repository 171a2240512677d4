// Package importer brings users, accounts, memberships, contacts, invitations and
// history from another portal into the directory, from a file of doorward-import/1
// records: JSON Lines, one object a line, in any order (requirements part E).
//
// Read checks the whole file and changes nothing; only a file without a fault becomes a
// Plan. Records that are sound but cannot come in, an account without an owner for one,
// are put in quarantine with what depends on them, and reported. Apply then writes whole
// accounts, each with its people, so that an interrupted import leaves whole accounts
// and running it again completes it. What the file says wins over what the directory
// holds; what the file does not mention stays, unless the import is to prune. The login
// of the provider's own people stays in any case.
//
// An Upsert is some records without a file. They mean what they mean in one, and all of
// them come in, in one commit, or none.
//
// The package does not know where the file comes from, asks nobody and prints nothing.
// Records wait on disk: how much memory an import takes depends on the largest account,
// not on the file. Its invariants: importing a file twice changes nothing the second
// time; an import grants no more than the file says, touches nothing of another source,
// and what it cannot carry over it reports, never drops in silence.
package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"doorward/internal/directory"
	"doorward/internal/importer/shelf"
	"doorward/internal/policy/catalogue"
)

// Format is what the meta line of a file names as its format.
const Format = "doorward-import/1"

// Presets are those of the policy.
type Presets interface {
	Known(preset string) bool
	Names() []string
	// Holds returns what is held of presets and objects together.
	Holds(presets, objects []string) catalogue.Set
}

// Words are what a file may speak of: the policy's.
type Words struct {
	Catalogue *catalogue.Catalogue
	Presets   Presets
	// InviteTTL is how long invitations live of which the file does not say it (C1).
	InviteTTL time.Duration
}

// Options of reading. The zero value is usable.
type Options struct {
	// Form is how the file holds its records. nil: Lines.
	Form Form
	// Folder is where records wait, on disk. "": where temporary files are.
	Folder string
}

// A Plan is a file without a fault: what an import is to make true. One goroutine uses
// it at a time, and closes it.
type Plan struct {
	// Actor is who imports, as the audit trail shows it. Read sets it to "cli".
	Actor string
	// Digest is the SHA-256 of the file, in hex.
	Digest string
	// Source names the system the file was exported from.
	Source string

	file   string // as messages name it
	reader *reader
	shelf  *shelf.Shelf
	notes  notes
	total  int // records
}

// maxFaults bounds the faults reported at once. A file of the wrong kind has one
// in every line.
const maxFaults = 100

// defaultInviteTTL is how long an invitation lives when nobody says it (C1).
const defaultInviteTTL = 7 * 24 * time.Hour

// Read checks the file r, called name in messages. Its error is a fault.List
// when the file can be read but is not sound; it holds at most maxFaults faults.
func Read(ctx context.Context, name string, r io.Reader, w Words, o Options) (plan *Plan, err error) {
	s, err := shelf.Open(ctx, o.Folder)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	in := newReader(name, w)
	in.shelf = s
	digest := sha256.New()
	form := o.Form
	if form == nil {
		form = Lines
	}
	r = io.TeeReader(r, digest)
	if err := in.records(ctx, form(name, r, in.notes.warn)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if err := in.check(ctx); err != nil {
		return nil, err
	}
	if err := in.faults.Err(); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	again := *in // reads records a second time, and what there is to note was noted
	again.shelf, again.notes = nil, newNotes()
	plan = &Plan{
		Actor: "cli", Digest: hex.EncodeToString(digest.Sum(nil)), Source: in.meta.source,
		file: name, reader: &again, shelf: s, notes: in.notes,
	}
	counts, err := s.Counts(ctx)
	for _, n := range counts {
		plan.total += n
	}
	return plan, err
}

func newReader(name string, w Words) *reader {
	ttl := w.InviteTTL
	if ttl <= 0 {
		ttl = defaultInviteTTL
	}
	return &reader{
		file: name, grants: newGrants(w.Catalogue, w.Presets), notes: newNotes(),
		meta: meta{zone: time.UTC, inviteTTL: ttl},
	}
}

// Close frees what the plan takes.
func (p *Plan) Close() error {
	if err := p.shelf.Close(); err != nil {
		return fmt.Errorf("close the import's records: %w", err)
	}
	return nil
}

// Carry says how a plan is carried out. The zero value is usable.
type Carry struct {
	// Prune takes out of use what came from the file's source and is not in the file.
	Prune bool
	// PruneLimit is how much of the users, accounts, memberships and contacts that came
	// from the source pruning may take out of use, in percent; a file that was cut short
	// would take all.
	PruneLimit int
	// Progress is called with the records done and all there are. It may be nil.
	Progress func(done, total int)
}

// Compare reports what Apply would do to what the store holds, and changes nothing. What
// Apply refuses it refuses, too.
func (p *Plan) Compare(ctx context.Context, store directory.Reader, c Carry) (Report, error) {
	return p.run(ctx, &run{Plan: p, Carry: c, read: store})
}

// Apply makes the plan true in the store. A plan that would change the login of staff is
// a fault.List, one that would prune more than it may is ErrPrunes, and nothing is
// written. After another error the report tells what was committed before it; running
// Apply again completes the import.
func (p *Plan) Apply(ctx context.Context, store directory.Store, c Carry) (Report, error) {
	return p.run(ctx, &run{Plan: p, Carry: c, read: store, store: store})
}
