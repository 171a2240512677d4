// Package importer brings users, accounts, memberships and contacts from another
// portal into the directory, from a file in the format doorward-import/1: JSON
// Lines, one object a line, in any order (req 9, req 10).
//
// Read checks the whole file and changes nothing; only a file without a fault
// becomes a Plan. Apply then writes one account with its people at a time, so that
// an interrupted import leaves whole accounts and running it again completes it.
// What the file says wins over what the directory holds; what the file does not
// mention stays. The login of the provider's own people stays in any case.
//
// The package does not know where the file comes from, asks nobody and prints
// nothing. Its invariants: importing a file twice changes nothing the second
// time; an import grants no more than the file says, and what it cannot carry
// over it reports, never drops in silence.
package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"doorward/internal/directory"
	"doorward/internal/policy/catalogue"
)

// Format is what the meta line of a file names as its format.
const Format = "doorward-import/1"

// Known tells which presets the policy has.
type Known interface {
	Known(preset string) bool
	Names() []string
}

// A Plan is a file without a fault: what an import is to make true.
type Plan struct {
	// Actor is who imports, as the audit trail shows it. Read sets it to "cli".
	Actor string
	// Digest is the SHA-256 of the file, in hex.
	Digest string
	// Source names the system the file was exported from.
	Source string

	file     string // as messages name it
	users    []userPlan
	accounts []accountPlan
	notes    notes
}

// Read checks the file r, called name in messages. Its error is a fault.List
// when the file can be read but is not sound; it holds at most maxFaults faults.
func Read(name string, r io.Reader, cat *catalogue.Catalogue, presets Known) (*Plan, error) {
	digest := sha256.New()
	in := newReader(name, cat, presets)
	if err := in.lines(io.TeeReader(r, digest)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	plan := in.finish()
	if err := in.faults.Err(); err != nil {
		return nil, err
	}
	plan.file = name
	plan.Actor = "cli"
	plan.Digest = hex.EncodeToString(digest.Sum(nil))
	return plan, nil
}

// maxFaults bounds the faults reported at once. A file of the wrong kind has one
// in every line.
const maxFaults = 100

// Compare reports what Apply would do to what the store holds, and changes
// nothing. What Apply refuses it refuses, too.
func (p *Plan) Compare(ctx context.Context, store directory.Reader) (Report, error) {
	report := p.report()
	report.DryRun = true
	position, err := store.Head(ctx)
	if err != nil {
		return report, fmt.Errorf("read the directory's position: %w", err)
	}
	report.Position = position
	if err := p.refuseStaff(ctx, store); err != nil {
		return report, err
	}
	for part := range p.parts() {
		tally, err := part.compare(ctx, store)
		if err != nil {
			return report, fmt.Errorf("compare %s: %w", part.name(), err)
		}
		report.add(tally)
	}
	return report, nil
}

// Apply makes the plan true in the store. It calls progress, if not nil, with the
// records done and all there are. A plan that would change the login of staff is a
// fault.List, and nothing is written. After another error the report tells what was
// committed before it; running Apply again completes the import.
func (p *Plan) Apply(ctx context.Context, store directory.Store, progress func(done, total int)) (Report, error) {
	report := p.report()
	if err := p.refuseStaff(ctx, store); err != nil {
		return report, err
	}
	total := p.records()
	for part := range p.parts() {
		tally, position, err := p.commit(ctx, store, part)
		if err != nil {
			return report, fmt.Errorf("import %s: %w", part.name(), err)
		}
		report.add(tally)
		report.Position = position
		if progress != nil {
			progress(report.records(), total)
		}
	}
	return report, nil
}
