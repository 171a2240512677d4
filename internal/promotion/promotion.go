// Package promotion promotes policies through the directory, and puts what was promoted in
// force (design R13).
//
// It knows signed bundles, the store and the decider; when a gate hears of a promotion and
// when it is in force everywhere is package gate's business, and HTTP package manage's. Its
// invariant: a policy is put in force only if a key that is trusted here has signed it, and
// only if it is the very one that was promoted.
package promotion

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/portal"
)

// A Follower puts policies in force that were promoted, in place of the one that its process
// came with. It is a gate.Policies.
type Follower struct {
	keys    bundle.Keys
	fetch   func(context.Context, portal.Revision) (directory.Promotion, error)
	decider *decision.Decider

	mu       sync.Mutex
	own      *policy.Policy // of the folder, or the one built in
	promoted portal.Promoted
}

// NewFollower makes a Follower. fetch reads what was promoted at a revision.
func NewFollower(keys bundle.Keys, fetch func(context.Context, portal.Revision) (directory.Promotion, error)) *Follower {
	return &Follower{keys: keys, fetch: fetch}
}

// Begin names the decider, which has the policy that the process came with. It is called
// once, before anything else.
func (f *Follower) Begin(d *decision.Decider) { f.decider, f.own = d, d.Policy() }

// Digest implements gate.Policies.
func (f *Follower) Digest() string { return f.decider.Policy().Digest }

// Own takes what the process's own policy has become. It is in force unless another was
// promoted.
func (f *Follower) Own(p *policy.Policy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.own = p; f.promoted == (portal.Promoted{}) {
		f.decider.Use(p)
	}
}

// Use implements gate.Policies. What cannot be verified is not put in force, and then
// nothing that came after it counts either: questions have no answer once the lease ends.
// That the invariants hold was found out before it was promoted.
func (f *Follower) Use(ctx context.Context, want portal.Promoted) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case want == f.promoted:
		return nil
	case want == (portal.Promoted{}): // of another history, in which nothing was promoted
		f.decider.Use(f.own)
	case want.Digest == f.promoted.Digest: // the same one again
		f.decider.UsePromoted(f.decider.Policy(), want)
	default:
		loaded, err := f.load(ctx, want)
		if err != nil {
			return err
		}
		f.decider.UsePromoted(loaded, want)
	}
	f.promoted = want
	return nil
}

// ErrAnother: a restore has used the revision again, and the directory that was asked has
// another history than the one that said what was promoted.
var ErrAnother = errors.New("the directory has another policy at that revision")

func (f *Follower) load(ctx context.Context, want portal.Promoted) (*policy.Policy, error) {
	p, err := f.fetch(ctx, want.At)
	if err != nil {
		return nil, fmt.Errorf("fetch it: %w", err)
	}
	source, err := open(p.Bundle, f.keys)
	if err != nil {
		return nil, err
	}
	loaded, err := source.Load()
	if err == nil && loaded.Digest != want.Digest {
		err = ErrAnother
	}
	return loaded, err
}

// errNoKeys: promoted policies cannot be verified.
var errNoKeys = fmt.Errorf("%w: policy.verification_keys names no key to verify it with", bundle.ErrRefused)

// open verifies a bundle and returns the policy folder in it.
func open(data []byte, keys bundle.Keys) (policy.Source, error) {
	if len(keys) == 0 {
		return policy.Source{}, errNoKeys
	}
	b, err := bundle.Open(data, keys)
	if err != nil {
		return policy.Source{}, fmt.Errorf("open the bundle: %w", err)
	}
	return policy.Read(b.Files), nil
}
