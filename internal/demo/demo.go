// Package demo is a small hosting company's portal to try Doorward on: a dozen
// people and their accounts, as an import file, and questions to ask about them.
//
// It knows nothing of HTTP but how a question is written for curl. Its
// invariant: the demo comes in through the importer like any portal, and its staff
// as an operator makes them, so it can hold nothing that a real portal could not.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"doorward/internal/directory"
	"doorward/internal/importer"
	"doorward/internal/policy/catalogue"
	"doorward/internal/portal"
	"doorward/internal/staff"
)

//go:embed demo.jsonl
var file string

// Load brings the demo portal into the store. Loading it again changes nothing
// but what was changed in between.
func Load(ctx context.Context, store directory.Store, cat *catalogue.Catalogue, presets importer.Presets) (importer.Report, error) {
	words := importer.Words{Catalogue: cat, Presets: presets}
	plan, err := importer.Read(ctx, "demo.jsonl", strings.NewReader(file), words, importer.Options{})
	if err != nil {
		return importer.Report{}, fmt.Errorf("read the demo portal: %w", err)
	}
	plan.Actor = actor
	report, err := plan.Apply(ctx, store, importer.Carry{})
	if err = errors.Join(err, plan.Close()); err != nil {
		return report, err
	}
	admin := staff.Admin{Store: store, Actor: actor}
	if _, _, err := admin.Add(ctx, cat, "tess", []string{"staff.read", "staff.login_as"}); err != nil {
		return report, fmt.Errorf("make the demo's staff: %w", err)
	}
	report.Position, err = store.Head(ctx)
	return report, err
}

// actor is who loads the demo, as the trail names them.
const actor = "demo"

// Loaded tells whether everybody in the demo is in the store.
func Loaded(ctx context.Context, store directory.Reader) (bool, error) {
	for _, p := range People() {
		err := find(ctx, store, p.Subject)
		if errors.Is(err, directory.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look for %s: %w", p.Subject, err)
		}
	}
	return true, nil
}

// find looks for a user or a contact.
func find(ctx context.Context, store directory.Reader, subject string) error {
	who, err := portal.ParseRef(subject)
	if err != nil {
		return err
	}
	if who.Type == portal.TypeContact {
		_, err = store.Contact(ctx, portal.ContactID(who.ID))
	} else {
		_, err = store.User(ctx, portal.UserID(who.ID))
	}
	return err
}

// A Person is somebody in the demo: a user or a contact.
type Person struct {
	Subject string // as questions name them: user:anna
	Who     string // what there is to know, in one line
}

// People returns who is in the demo, in an order to be read in.
func People() []Person {
	return []Person{
		{"user:anna", "owns account:acme"},
		{"user:adam", "administrator of acme: all but ordering and cancelling"},
		{"user:coco", "partner in acme: all but inviting people and handing acme over"},
		{"user:carl", "accountant: billing of acme and clinic and its mail, no support"},
		{"contact:books", "mailbox of acme's bookkeeping: is sent invoices, never acts"},
		{"user:sam", "support only, in acme"},
		{"user:dora", "agency: developer in acme, clinic and seven more accounts"},
		{"user:eddy", "contractor in acme whose time is over"},
		{"user:dan", "administrator of acme whose login is disabled"},
		{"user:bea", "owns account:bakery, a shop with nobody else in it"},
		{"user:hanna", "owns account:hotel, which is suspended"},
		{"user:mia", "owns account:clinic, which requires a second factor"},
		{"user:otto", "owns brewery, choir, garage, museum, school, vineyard and workshop"},
		{"user:tess", "support staff of the hosting company: reads everywhere, acts for owners"},
	}
}
