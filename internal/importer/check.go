package importer

import (
	"context"
	"errors"

	"doorward/internal/importer/shelf"
)

// check checks how the records fit together. What says a thing twice is a fault of
// whoever wrote the file; what lacks something goes into quarantine.
func (in *reader) check(ctx context.Context) error {
	if err := in.shelf.Index(ctx); err != nil {
		return err
	}
	if in.lost {
		return nil // there are faults, and everything would look like an orphan
	}
	clashes, err := in.shelf.Clashes(ctx, maxFaults)
	if err != nil {
		return err
	}
	for _, c := range clashes {
		in.clash(c)
	}
	if len(in.faults) > 0 {
		return nil
	}
	if err := in.shelf.Settle(ctx, false); err != nil {
		return err
	}
	return in.warnAboutAddresses(ctx)
}

func (in *reader) clash(c shelf.Clash) {
	const unique = "Ids are unique within the file."
	switch {
	case c.Own != "":
		in.faultf(c.Line, unique, "/id: membership %s is already in line %d", c.Own, c.First)
	case c.Kind == shelf.Membership:
		in.faultf(c.Line, "Put what both grant into one.", "user %s is already a member of account %s in line %d", c.ID, c.Account, c.First)
	default:
		in.faultf(c.Line, unique, "/id: %s is already in line %d", c.Row, c.First)
	}
}

// warnAboutAddresses reports users who share an address but for the case of its letters,
// and contacts who would be sent everything twice.
func (in *reader) warnAboutAddresses(ctx context.Context) error {
	warn := func(message string) func(int) {
		return func(line int) { in.notes.warn(line, message) }
	}
	shared := in.shelf.SharedAddresses(ctx, warn("a user with the same email address as another"))
	twice := in.shelf.SentTwice(ctx, warn("a contact with the email address of a member of its account"))
	return errors.Join(shared, twice)
}
