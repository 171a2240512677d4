package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorward/internal/directory"
	"doorward/internal/portal"
)

func promotionPromises() []promise {
	return []promise{
		{"the policy in force is the last that was promoted (R13)", promotions},
		{"what was promoted is read by its revision", promotedAt},
		{"the last promotions are kept", keptPromotions},
		{"a promotion in an update is that of its commit", ownPromotion},
		{"what is no policy is not promoted (S22)", noPromotion},
	}
}

// promotion is the nth of many.
func promotion(n int) directory.Promotion {
	return directory.Promotion{Digest: fmt.Sprintf("%064x", n), Bundle: []byte{0x1f, 0x8b, 0, byte(n)}}
}

// at is p as it was committed.
func at(p directory.Promotion, where portal.Position) directory.Promotion {
	p.Revision = where.Revision
	return p
}

func promotions(t *testing.T, s directory.Store) {
	if p, err := s.Promoted(t.Context()); !errors.Is(err, directory.ErrNotFound) || p.Bundle != nil {
		t.Errorf("none was promoted: %+v, %v", p, err)
	}
	// The last is promoted again: a policy of before is in force as any other.
	for _, n := range []int{1, 2, 1} {
		want := at(promotion(n), commit(t, s, promotion(n)))
		found(t, s)
		got, err := s.Promoted(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		was := head(t, s)
		again := promotion(n)
		again.Revision = 7 // which nobody looks at
		if p, err := s.Update(t.Context(), func(tx directory.Tx) error { return tx.PutPolicy(t.Context(), again) }); err != nil || p != was {
			t.Errorf("promoted again: %v, %v", p, err)
		}
	}
	// The same policy, signed by another, is another bundle.
	signed := promotion(1)
	signed.Bundle = []byte("another")
	if p := commit(t, s, signed); p != head(t, s) {
		t.Error("not promoted")
	}
	got, err := s.Promoted(t.Context())
	if diff := cmp.Diff(at(signed, head(t, s)), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func promotedAt(t *testing.T, s directory.Store) {
	first := commit(t, s, promotion(1))
	found(t, s)
	second := commit(t, s, promotion(2))
	for want, where := range map[int]portal.Position{1: first, 2: second} {
		got, err := s.PromotedAt(t.Context(), where.Revision)
		if diff := cmp.Diff(at(promotion(want), where), got); err != nil || diff != "" {
			t.Errorf("%d: %v\n%s", want, err, diff)
		}
	}
	for _, r := range []portal.Revision{0, first.Revision - 1, first.Revision + 1, second.Revision + 1, math.MaxInt64 + 1, math.MaxUint64} {
		if p, err := s.PromotedAt(t.Context(), r); !errors.Is(err, directory.ErrNotFound) || p.Bundle != nil || p.Revision != 0 {
			t.Errorf("at %d: %+v, %v", r, p, err)
		}
	}
}

func keptPromotions(t *testing.T, s directory.Store) {
	var all []portal.Position
	for n := range directory.KeptPromotions + 3 {
		all = append(all, commit(t, s, promotion(n)))
	}
	for n, where := range all {
		p, err := s.PromotedAt(t.Context(), where.Revision)
		if kept := n >= 3; kept != (err == nil) || !kept && !errors.Is(err, directory.ErrNotFound) || kept && p.Digest != promotion(n).Digest {
			t.Errorf("%d: %+v, %v", n, p, err)
		}
	}
}

func ownPromotion(t *testing.T, s directory.Store) {
	ctx := t.Context()
	was := head(t, s)
	p, err := s.Update(ctx, func(tx directory.Tx) error {
		tx.Log(entry("policy.promote"))
		for n := range 2 { // the second in the place of the first
			if err := tx.PutPolicy(ctx, promotion(n)); err != nil {
				return err
			}
			got, err := tx.Promoted(ctx)
			if err != nil {
				return err
			}
			again, err := tx.PromotedAt(ctx, got.Revision)
			if err != nil {
				return err
			}
			want := at(promotion(n), portal.Position{Revision: was.Revision + 1})
			if diff := cmp.Diff([]directory.Promotion{want, want}, []directory.Promotion{got, again}); diff != "" {
				t.Error(diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Promoted(ctx)
	if diff := cmp.Diff(at(promotion(1), p), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func noPromotion(t *testing.T, s directory.Store) {
	largest := promotion(1)
	largest.Bundle = bytes.Repeat([]byte("bundle"), directory.MaxBundle/6)
	commit(t, s, largest)
	was := everything(t, s)
	if len(was.Policy.Bundle) != len(largest.Bundle) {
		t.Errorf("%d bytes are kept of %d", len(was.Policy.Bundle), len(largest.Bundle))
	}
	bad := func(change func(*directory.Promotion)) directory.Promotion {
		p := promotion(2)
		change(&p)
		return p
	}
	for name, p := range map[string]directory.Promotion{
		"nothing":       {},
		"no bundle":     bad(func(p *directory.Promotion) { p.Bundle = nil }),
		"too large":     bad(func(p *directory.Promotion) { p.Bundle = make([]byte, directory.MaxBundle+1) }),
		"no digest":     bad(func(p *directory.Promotion) { p.Digest = "" }),
		"a short one":   bad(func(p *directory.Promotion) { p.Digest = p.Digest[2:] }),
		"large letters": bad(func(p *directory.Promotion) { p.Digest = "ABCDEF" + p.Digest[6:] }),
		"no hex":        bad(func(p *directory.Promotion) { p.Digest = "x\x00" + p.Digest[2:] }),
	} {
		if _, err := try(t.Context(), s, p); !errors.Is(err, directory.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unchanged(t, s, was)
}
