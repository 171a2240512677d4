package server

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"doorward/internal/audit"
	"doorward/internal/config"
	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/fault"
	"doorward/internal/gate"
	"doorward/internal/manage"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/portal"
)

// promotions puts policies in force that were promoted through the directory, in place of
// the one that this process came with (R13).
type promotions struct {
	decider *decision.Decider
	keys    bundle.Keys
	fetch   func(context.Context, portal.Revision) (directory.Promotion, error)

	mu       sync.Mutex
	own      *policy.Policy // of the folder, or the one built in
	promoted portal.Promoted
}

var _ gate.Policies = (*promotions)(nil)

// Digest implements gate.Policies.
func (p *promotions) Digest() string { return p.decider.Policy().Digest }

// follow takes what the folder has become. It is in force unless another was promoted.
func (p *promotions) follow(own *policy.Policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own = own; p.promoted == (portal.Promoted{}) {
		p.decider.Use(own)
	}
}

// Use implements gate.Policies. What cannot be verified is not put in force, and then
// nothing that came after it counts either: questions have no answer once the lease ends.
// That the invariants hold was found out before it was promoted.
func (p *promotions) Use(ctx context.Context, want portal.Promoted) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case want == p.promoted:
		return nil
	case want == (portal.Promoted{}): // of another history, in which nothing was promoted
		p.decider.Use(p.own)
	case want.Digest == p.promoted.Digest: // the same one again
		p.decider.UsePromoted(p.decider.Policy(), want)
	default:
		loaded, err := p.load(ctx, want)
		if err != nil {
			return err
		}
		p.decider.UsePromoted(loaded, want)
	}
	p.promoted = want
	return nil
}

// errAnother: a restore has used the revision again, and the directory that was asked has
// another history than the one that said what was promoted.
var errAnother = errors.New("the directory has another policy at that revision")

func (p *promotions) load(ctx context.Context, want portal.Promoted) (*policy.Policy, error) {
	promotion, err := p.fetch(ctx, want.At)
	if err != nil {
		return nil, fmt.Errorf("fetch it: %w", err)
	}
	loaded, err := openBundle(promotion.Bundle, p.keys, policy.Source.Load)
	if err == nil && loaded.Digest != want.Digest {
		err = errAnother
	}
	return loaded, err
}

// errNoKeys: promoted policies cannot be verified.
var errNoKeys = fmt.Errorf("%w: policy.verification_keys names no key to verify it with", bundle.ErrRefused)

// openBundle verifies a bundle and loads its policy.
func openBundle(data []byte, keys bundle.Keys, load func(policy.Source) (*policy.Policy, error)) (*policy.Policy, error) {
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	b, err := bundle.Open(data, keys)
	if err != nil {
		return nil, fmt.Errorf("open the bundle: %w", err)
	}
	return load(policy.Read(b.Files))
}

// A promoter lets clients promote policies through a directory.
type promoter struct {
	store Directory
	keys  bundle.Keys
	c     config.Config
}

var _ manage.Policies = promoter{}

// Promoted implements manage.Policies.
func (p promoter) Promoted(ctx context.Context) (directory.Promotion, error) {
	return p.store.Promoted(ctx)
}

// Promote implements manage.Policies. The policy is held to its invariants here, once for
// all gates, and to its tables where they keep a folder from being put in force.
func (p promoter) Promote(ctx context.Context, client string, data []byte) (directory.Promotion, portal.Position, error) {
	loaded, err := openBundle(data, p.keys, policy.Source.LoadChecked)
	if err != nil {
		return directory.Promotion{}, portal.Position{}, err
	}
	if err := p.holdTables(ctx, data); err != nil {
		return directory.Promotion{}, portal.Position{}, err
	}
	promotion := directory.Promotion{Digest: loaded.Digest, Bundle: data}
	at, err := p.store.Update(ctx, func(tx directory.Tx) error {
		if err := tx.PutPolicy(ctx, promotion); err != nil {
			return err
		}
		if tx.Changed() {
			tx.Log(audit.Entry{Actor: "client:" + client, Client: client, Action: "policy.promote", Object: "policy:" + loaded.Digest})
		}
		return nil
	})
	if err != nil {
		return directory.Promotion{}, portal.Position{}, err
	}
	promotion, err = p.store.Promoted(ctx)
	return promotion, at, err
}

// holdTables refuses a policy whose tables fail, where the settings say so.
func (p promoter) holdTables(ctx context.Context, data []byte) error {
	if !refuses(p.c) {
		return nil
	}
	b, err := bundle.Open(data, p.keys)
	if err != nil {
		return err
	}
	failing, err := failingTables(p.c)(ctx, policy.Read(b.Files))
	return errors.Join(err, asError(failing))
}

func asError(faults fault.List) error { return faults.Err() }
