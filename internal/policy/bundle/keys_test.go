package bundle_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorward/internal/policy/bundle"
)

// A key has the forms that openssl writes.
func TestFormsOfKeys(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	parameters := inPEM("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7})
	for name, p := range map[string]pair{
		"PKCS #1": {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey))},
		"SEC 1":   {slices.Concat([]byte("a note\n"), parameters, inPEM("EC PRIVATE KEY", der)), newPair(curve, &curve.PublicKey).public},
	} {
		if _, err := bundle.Open(write(t, small(), p.signing(t)), p.trusted(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is no key of the kinds that OPA knows, or too weak, is refused with a reason (S22).
func TestKeysThatAreRefused(t *testing.T) {
	edwards, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, ed := ecdsaPair(elliptic.P224()), newPair(private, edwards)
	short := newPair(weak, &weak.PublicKey)
	for name, c := range map[string]struct{ public, private []byte }{
		"it is no key in PEM form":              {[]byte("secret"), []byte("secret")},
		"it holds more than one key":            {slices.Concat(anRSA().public, another().public), slices.Concat(anRSA().private, another().private)},
		"it is a private key. Keep it":          {anRSA().private, nil},
		"it is no private key but a PUBLIC KEY": {nil, anRSA().public},
		"it is no public key but a CERTIFICATE": {inPEM("CERTIFICATE", nil), nil},
		"it is encrypted. Decrypt it first":     {nil, inPEM("ENCRYPTED PRIVATE KEY", nil)},
		"it is neither an RSA key nor":          {p224.public, p224.private},
		"neither an RSA key nor one of":         {ed.public, ed.private},
		"it is a key of 1024 bits":              {short.public, short.private},
		"asn1":                                  {inPEM("PUBLIC KEY", []byte("x")), inPEM("PRIVATE KEY", []byte("x"))},
	} {
		if c.public != nil {
			if key, err := bundle.ParseKey(c.public); err == nil || !strings.Contains(err.Error(), name) || key != (bundle.Key{}) {
				t.Errorf("public: got %v, want %s", err, name)
			}
		}
		if c.private != nil {
			if key, err := bundle.ParseSigningKey(c.private); err == nil || !strings.Contains(err.Error(), name) || key != (bundle.SigningKey{}) {
				t.Errorf("private: got %v, want %s", err, name)
			}
		}
	}
}

func TestKeysInFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, public := file("k.pem", anRSA().private), file("p.pem", anRSA().public)
	signing, err := bundle.ReadSigningKey("2026-10", private)
	if err != nil {
		t.Fatal(err)
	}
	data := write(t, small(), signing)
	keys, err := bundle.ReadKeys("2026-10="+public, file("q.pem", another().public))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := bundle.Open(data, keys); err != nil || b.KeyID != "2026-10" {
		t.Errorf("%v, %v", b, err)
	}
	for want, names := range map[string][]string{
		"there are two of that id":          {public, public},
		"a key cannot be called \"a b\"":    {"a b=" + public},
		"a key cannot be called \"\"":       {"=" + public},
		"no such file":                      {dir + "/absent"},
		"verification key " + private + ":": {private},
	} {
		if _, err := bundle.ReadKeys(names...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := bundle.ReadSigningKey("default", public); err == nil || !strings.Contains(err.Error(), "signing key "+public+": it is no private key") {
		t.Errorf("got %v", err)
	}
}
