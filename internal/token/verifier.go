package token

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"doorward/internal/directory"
)

// Why a token is refused. They are for answers; which of the two reasons of
// ErrRefused it was, the asker does not learn.
var (
	// ErrRefused: nobody has this token, or it was revoked.
	ErrRefused = errors.New("token unknown or revoked")
	// ErrScope: the token is good, but not for this.
	ErrScope = errors.New("token lacks the scope")
)

// A Source is the directory as the Verifier needs it.
type Source interface {
	Tokens(ctx context.Context) ([]directory.Token, error)
	// Stamp returns a value that differs from every earlier one if anything was
	// committed in between, by whichever process.
	Stamp() directory.Stamp
}

// A Verifier tells whether tokens are good, from memory while the directory has
// not moved. It is used by many goroutines.
type Verifier struct {
	source Source
	known  atomic.Pointer[snapshot]
	begun  atomic.Uint64 // readings
	turn   chan struct{} // holds one value while nobody reads
	last   outcome       // of the last reading; whoever has the turn
}

// A snapshot holds every token there was when the stamp was taken, or later.
type snapshot struct {
	stamp directory.Stamp
	byID  map[string]directory.Token
}

// An outcome is what the nth reading came to.
type outcome struct {
	n     uint64
	known *snapshot
	err   error
}

// readTimeout bounds a reading. It is for all who wait for it, so it does not end with
// the request that made it.
const readTimeout = 2 * time.Second

// holds tells whether the snapshot is good while the store has that stamp. The
// zero stamp, of a closed store, vouches for nothing.
func (s *snapshot) holds(now directory.Stamp) bool {
	return s != nil && s.stamp == now && now != directory.Stamp{}
}

// NewVerifier returns a Verifier of the tokens in source.
func NewVerifier(source Source) *Verifier {
	v := &Verifier{source: source, turn: make(chan struct{}, 1)}
	v.turn <- struct{}{}
	return v
}

// Verify returns the token that text is, if it is in force and has the scope. Its
// errors are ErrMalformed, ErrRefused, ErrScope, or the directory's.
func (v *Verifier) Verify(ctx context.Context, text string, scope Scope) (directory.Token, error) {
	id, digest, err := parse(text)
	if err != nil {
		return directory.Token{}, err
	}
	known, err := v.current(ctx)
	if err != nil {
		return directory.Token{}, fmt.Errorf("read tokens: %w", err)
	}
	// An unknown id compares with the zero digest, which no secret has, so that it
	// costs what a wrong secret costs (S26).
	t, found := known.byID[id]
	same := subtle.ConstantTimeCompare(t.Digest[:], digest[:]) == 1
	if !found || !same || !inForce(t) {
		return directory.Token{}, ErrRefused
	}
	if !slices.Contains(t.Scopes, string(scope)) {
		return directory.Token{}, ErrScope
	}
	return t, nil
}

// current returns a snapshot that holds everything committed before the call. When it has
// to be read, all who came before the reading began share it, and its failure: where
// nothing vouches for what is known, nobody waits for more than two readings.
func (v *Verifier) current(ctx context.Context) (*snapshot, error) {
	if k := v.known.Load(); k.holds(v.source.Stamp()) {
		return k, nil
	}
	came := v.begun.Load()
	select {
	case <-v.turn:
		defer func() { v.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v.last.n > came {
		return v.last.known, v.last.err
	}
	// The stamp is taken before reading: what commits in between is read again by
	// the next request, never missed.
	stamp := v.source.Stamp()
	if k := v.known.Load(); k.holds(stamp) {
		return k, nil
	}
	v.last = outcome{n: v.begun.Add(1)}
	v.last.known, v.last.err = v.read(ctx, stamp)
	return v.last.known, v.last.err
}

func (v *Verifier) read(ctx context.Context, stamp directory.Stamp) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	tokens, err := v.source.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	fresh := &snapshot{stamp, make(map[string]directory.Token, len(tokens))}
	for _, t := range tokens {
		fresh.byID[t.ID] = t
	}
	v.known.Store(fresh)
	return fresh, nil
}
