package token_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorward/internal/directory"
	"doorward/internal/token"
)

// far is a source that nothing vouches for, a while away.
type far struct {
	known []directory.Token
	err   error
	reads int // one at a time
}

func (f *far) Tokens(ctx context.Context) ([]directory.Token, error) {
	f.reads++
	known, err := f.known, f.err
	time.Sleep(250 * time.Millisecond)
	return known, errors.Join(err, ctx.Err())
}

func (*far) Stamp() directory.Stamp { return directory.Stamp{} }

// While nothing vouches for what is known, everybody is answered from a reading that began
// after they came, or by its failure, and nobody waits for more than two of them.
func TestManyAskWhileNothingVouches(t *testing.T) {
	secret := create(t, open(t, t.TempDir()+"/d.db"))
	for name, failure := range map[string]error{"far": nil, "out of reach": directory.ErrUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			f := &far{known: []directory.Token{secret.Token}, err: failure}
			v := token.NewVerifier(f)
			var all sync.WaitGroup
			for n := range 200 {
				all.Go(func() {
					time.Sleep(time.Duration(n) * time.Millisecond)
					came := time.Now()
					ctx, cancel := context.WithCancel(t.Context())
					if n == 0 { // who gives up does not take the others along
						time.AfterFunc(10*time.Millisecond, cancel)
					}
					defer cancel()
					if _, err := v.Verify(ctx, secret.Text, token.Decide); !errors.Is(err, failure) || time.Since(came) > 500*time.Millisecond {
						t.Errorf("%s: %v after %v", name, err, time.Since(came))
					}
				})
			}
			all.Wait()
			if f.reads != 2 {
				t.Errorf("%s: read %d times", name, f.reads)
			}
			f.known = nil // revoked
			if _, err := v.Verify(t.Context(), secret.Text, token.Decide); failure == nil && !errors.Is(err, token.ErrRefused) {
				t.Errorf("%s, revoked: %v", name, err)
			}
		})
	}
}
