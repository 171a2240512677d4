package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/generate"
	"doorward/internal/importer"
	"doorward/internal/policy"
	"doorward/internal/portal"
)

// A filler puts members into an empty directory, and tells who they are.
type filler func(context.Context, *sqlite.Store, *policy.Policy) ([]member, error)

// importPortal fills the directory with a generated portal of n accounts.
func importPortal(ctx context.Context, store *sqlite.Store, p *policy.Policy, n int) ([]member, error) {
	var file bytes.Buffer
	_, err := generate.Write(ctx, &file, generate.Options{Accounts: n, Seed: 1, Catalogue: p.Catalogue, Presets: p.Presets.Names()})
	if err != nil {
		return nil, err
	}
	plan, err := importer.Read(ctx, "portal", &file, importer.Words{Catalogue: p.Catalogue, Presets: p.Presets}, importer.Options{})
	if err != nil {
		return nil, fmt.Errorf("read the portal: %w", err)
	}
	_, err = plan.Apply(ctx, store, importer.Carry{})
	if err = errors.Join(err, plan.Close()); err != nil {
		return nil, err
	}
	return membersOf(ctx, store)
}

// membersOf finds the members of a directory that was filled once in its change log.
func membersOf(ctx context.Context, store *sqlite.Store) ([]member, error) {
	const page = 10_000
	var members []member
	for at := (portal.Position{}); ; {
		changes, next, err := store.Changes(ctx, at, page)
		if err != nil || len(changes) == 0 {
			return members, err
		}
		for _, c := range changes {
			if c.Kind == directory.ChangedMembership {
				members = append(members, member{account: c.Account, user: c.User})
			}
		}
		at = next
	}
}
