// Package bundletest makes keys and bundles for the tests of those who open bundles.
//
// Its invariant: what it signs, Open takes with the key file that came with the signature's.
package bundletest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/policies"
)

// A Key signs, and File has its public half.
type Key struct {
	signing bundle.SigningKey
	File    string
}

// NewKey makes a key.
func NewKey(t testing.TB) Key {
	t.Helper()
	folder := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	public, err2 := x509.MarshalPKIXPublicKey(private.Public())
	k := Key{File: filepath.Join(folder, "public.pem")}
	secretFile := filepath.Join(folder, "secret.pem")
	err = errors.Join(err, err2,
		os.WriteFile(secretFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.WriteFile(k.File, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if k.signing, err = bundle.ReadSigningKey(bundle.DefaultKeyID, secretFile); err != nil {
		t.Fatal(err)
	}
	return k
}

// Shipped is a bundle of the shipped policy, of whose presets a text is taken out first, and
// the policy in it.
func (k Key) Shipped(t testing.TB, without string) (data []byte, p *policy.Policy) {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(policies.FS, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const presets = "presets/presets.csv"
	files[presets].Data = []byte(strings.Replace(string(files[presets].Data), without, "", 1))
	source := policy.Read(files)
	if p, err = source.Load(); err != nil {
		t.Fatal(err)
	}
	if data, err = bundle.Write(source, p.Digest, k.signing); err != nil {
		t.Fatal(err)
	}
	return data, p
}
