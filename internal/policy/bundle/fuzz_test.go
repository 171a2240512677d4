package bundle_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"testing"

	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
)

// FuzzOpen: whatever opens is what was signed, and nothing else opens (S22). What is tried
// is the bundle, and the archive inside one.
func FuzzOpen(f *testing.F) {
	// The same in every process that fuzzes.
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	p := newPair(key, &key.PublicKey)
	data := write(f, small(), p.signing(f))
	var archive []byte
	repacked(f, data, func(inside []byte) []byte { archive = bytes.Clone(inside); return inside })
	f.Add(data)
	f.Add(archive)
	f.Add(archive[:len(archive)-1024])
	f.Add(sound().bytes(f))
	f.Add([]byte{})
	keys, want := p.trusted(f), policy.Read(small()).Print()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, zipped(data)} {
			b, err := bundle.Open(data, keys)
			switch {
			case err != nil && !errors.Is(err, bundle.ErrRefused):
				t.Errorf("no refusal: %v", err)
			case err == nil && policy.Read(b.Files).Print() != want:
				t.Error("what was opened is not what was signed")
			}
		}
	})
}
