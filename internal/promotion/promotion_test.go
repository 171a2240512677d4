package promotion_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorward/internal/decision"
	"doorward/internal/directory"
	"doorward/internal/directory/sqlite"
	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/internal/policy/bundle/bundletest"
	"doorward/internal/portal"
	"doorward/internal/promotion"
)

const billing = "p, billing, invoices, allow\n"

func open(t *testing.T) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "d.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func keysOf(t *testing.T, files ...string) bundle.Keys {
	t.Helper()
	keys, err := bundle.ReadKeys(files...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// noFacts are those of an empty directory; nobody asks for them here.
type noFacts struct{ decision.Facts }

// A process follows what is promoted and nothing else, and comes back to its own policy,
// as that has become, in a history without promotions (R13).
func TestAFollower(t *testing.T) {
	key := bundletest.NewKey(t)
	shipped, own := key.Shipped(t, "")
	tight, other := key.Shipped(t, billing)
	foreign, _ := bundletest.NewKey(t).Shipped(t, billing)
	at, fetched := map[portal.Revision][]byte{5: tight, 6: shipped, 7: tight, 8: foreign, 9: []byte("garbage")}, []portal.Revision{}
	f := promotion.NewFollower(keysOf(t, key.File), func(_ context.Context, r portal.Revision) (directory.Promotion, error) {
		fetched = append(fetched, r)
		if at[r] == nil {
			return directory.Promotion{}, directory.ErrNotFound
		}
		return directory.Promotion{Revision: r, Bundle: at[r]}, nil
	})
	d := decision.New(own, noFacts{}, decision.Options{})
	f.Begin(d)
	for _, c := range []struct {
		what  string
		use   portal.Promoted
		fails error
		now   string // the digest in force
	}{
		{"nothing", portal.Promoted{}, nil, own.Digest},
		{"a promotion", portal.Promoted{At: 5, Digest: other.Digest}, nil, other.Digest},
		{"the same", portal.Promoted{At: 5, Digest: other.Digest}, nil, other.Digest},
		{"of another history", portal.Promoted{At: 5, Digest: own.Digest}, promotion.ErrAnother, other.Digest},
		{"another", portal.Promoted{At: 6, Digest: own.Digest}, nil, own.Digest},
		{"the first again", portal.Promoted{At: 7, Digest: other.Digest}, nil, other.Digest},
		{"signed by a stranger (S22)", portal.Promoted{At: 8, Digest: own.Digest}, bundle.ErrRefused, other.Digest},
		{"no bundle", portal.Promoted{At: 9, Digest: own.Digest}, bundle.ErrRefused, other.Digest},
		{"not there", portal.Promoted{At: 10, Digest: own.Digest}, directory.ErrNotFound, other.Digest},
		{"the same policy, promoted later", portal.Promoted{At: 11, Digest: other.Digest}, nil, other.Digest},
	} {
		if err := f.Use(t.Context(), c.use); !errors.Is(err, c.fails) || f.Digest() != c.now {
			t.Errorf("%s: %v, and %s is in force", c.what, err, f.Digest())
		}
	}
	if want := []portal.Revision{5, 5, 6, 7, 8, 9, 10}; !slices.Equal(fetched, want) {
		t.Errorf("fetched %v, want %v", fetched, want)
	}
	_, edited := key.Shipped(t, "p, support, tickets, allow\n")
	if f.Own(edited); f.Digest() != other.Digest {
		t.Error("an edit of the folder took the place of what was promoted")
	}
	if err := f.Use(t.Context(), portal.Promoted{}); err != nil || f.Digest() != edited.Digest {
		t.Errorf("nothing is promoted any more: %v, %s", err, f.Digest())
	}
	if f.Own(own); f.Digest() != own.Digest {
		t.Error("the folder does not count though nothing is promoted")
	}
}

// Without a key there is nobody to believe.
func TestWithoutKeysNothingIsPromoted(t *testing.T) {
	data, p := bundletest.NewKey(t).Shipped(t, "")
	f := promotion.NewFollower(nil, func(context.Context, portal.Revision) (directory.Promotion, error) {
		return directory.Promotion{Bundle: data}, nil
	})
	f.Begin(decision.New(p, noFacts{}, decision.Options{}))
	if err := f.Use(t.Context(), portal.Promoted{At: 1, Digest: p.Digest}); !errors.Is(err, bundle.ErrRefused) {
		t.Error(err)
	}
	if _, _, err := (promotion.Promoter{Store: open(t)}).Promote(t.Context(), "t1", data); !errors.Is(err, bundle.ErrRefused) {
		t.Error(err)
	}
}

// A promotion is one commit with its line in the trail; what is refused commits nothing.
func TestPromoting(t *testing.T) {
	key, store := bundletest.NewKey(t), open(t)
	shipped, p := key.Shipped(t, "")
	tight, other := key.Shipped(t, billing)
	failing := fault.List(nil)
	promoter := promotion.Promoter{Store: store, Keys: keysOf(t, key.File), Tables: func(context.Context, policy.Source) (fault.List, error) { return failing, nil }}
	promote := func(data []byte, digest string, moves bool) {
		t.Helper()
		before, err := store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, at, err := promoter.Promote(t.Context(), "t1", data)
		if err != nil || got.Digest != digest || (at != before) != moves || moves && got.Revision != at.Revision {
			t.Errorf("%+v at %v, %v", got.Revision, at, err)
		}
		if last, err := promoter.Promoted(t.Context()); err != nil || last.Digest != digest || last.Revision != got.Revision {
			t.Errorf("last %d %s, %v", last.Revision, last.Digest, err)
		}
	}
	promote(shipped, p.Digest, true)
	promote(shipped, p.Digest, false)
	promote(tight, other.Digest, true)
	before, _ := store.Head(t.Context())
	failing = fault.List{{File: "tests/own.yaml", Message: "is answered deny"}}
	if _, _, err := promoter.Promote(t.Context(), "t1", shipped); !strings.Contains(err.Error(), "is answered deny") {
		t.Error(err)
	}
	if _, _, err := promoter.Promote(t.Context(), "t1", tight[:len(tight)-1]); !errors.Is(err, bundle.ErrRefused) {
		t.Error(err)
	}
	if after, err := store.Head(t.Context()); err != nil || after != before {
		t.Errorf("what was refused moved the head to %v, %v", after, err)
	}
	var lines []string
	for l, err := range store.AuditLines(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Action == "policy.promote" {
			lines = append(lines, l.Actor+" "+l.Object)
		}
	}
	if want := []string{"client:t1 policy:" + p.Digest, "client:t1 policy:" + other.Digest}; !slices.Equal(lines, want) {
		t.Errorf("the trail has %q", lines)
	}
}
