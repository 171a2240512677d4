package bundle_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"doorward/internal/fault"
	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/policies"
)

// A pair is a key in both its halves, in PEM.
type pair struct{ private, public []byte }

func newPair(key any, public any) pair {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return pair{inPEM("PRIVATE KEY", private), inPEM("PUBLIC KEY", der)}
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// anRSA and another are two RSA keys, made once: making one takes long.
var anRSA, another = sync.OnceValue(makeRSA), sync.OnceValue(makeRSA)

func makeRSA() pair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return newPair(key, &key.PublicKey)
}

func ecdsaPair(curve elliptic.Curve) pair {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return newPair(key, &key.PublicKey)
}

func (p pair) signing(t testing.TB) bundle.SigningKey {
	t.Helper()
	key, err := bundle.ParseSigningKey(p.private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p pair) key(t testing.TB) bundle.Key {
	t.Helper()
	key, err := bundle.ParseKey(p.public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// trusted are keys of which one is trusted, by the id that a key has without another.
func (p pair) trusted(t testing.TB) bundle.Keys {
	return bundle.Keys{bundle.DefaultKeyID: p.key(t)}
}

// small is a folder with a file that decides and a table.
func small() fstest.MapFS {
	return fstest.MapFS{
		"catalogue.yaml": {Data: []byte("categories: {}\n")}, "rules/a.rego": {Data: []byte("package doorward\n")},
		"tests/deep/a.yaml": {Data: []byte("rows: []\n")}, "README.md": {Data: []byte("no policy")},
	}
}

func write(t testing.TB, fsys fs.FS, key bundle.SigningKey) []byte {
	t.Helper()
	data, err := bundle.Write(policy.Read(fsys), "d1", key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What was written of a folder is read like the folder: all that decides, rules' tests
// and tables, and nothing besides.
func TestABundleIsReadLikeItsFolder(t *testing.T) {
	source := policy.Read(policies.FS)
	want, err := source.Load()
	if err != nil {
		t.Fatal(err)
	}
	data, err := bundle.Write(source, want.Digest, anRSA().signing(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data, anRSA().trusted(t))
	if err != nil || b.KeyID != "default" {
		t.Fatalf("key %q, %v", b.KeyID, err)
	}
	read := policy.Read(b.Files)
	got, err := read.Load()
	if err != nil || got.Digest != want.Digest || read.Print() != source.Print() {
		t.Errorf("another policy, or other tables: %v", err)
	}
	if again, err := bundle.Write(source, want.Digest, anRSA().signing(t)); err != nil || !bytes.Equal(again, data) {
		t.Errorf("written again it is another: %v", err)
	}
}

func TestWhatIsOpenedIsAFolder(t *testing.T) {
	b, err := bundle.Open(write(t, small(), anRSA().signing(t)), anRSA().trusted(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(b.Files, "catalogue.yaml", "rules/a.rego", "tests/deep/a.yaml"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"README.md", ".manifest", ".signatures.json"} {
		if _, err := fs.Stat(b.Files, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each kind of key signs and verifies by its one algorithm.
func TestKindsOfKeys(t *testing.T) {
	for name, p := range map[string]pair{
		"RSA": anRSA(), "P-256": ecdsaPair(elliptic.P256()), "P-384": ecdsaPair(elliptic.P384()), "P-521": ecdsaPair(elliptic.P521()),
	} {
		data := write(t, small(), p.signing(t))
		if _, err := bundle.Open(data, p.trusted(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		stranger := bundle.Keys{bundle.DefaultKeyID: ecdsaPair(elliptic.P256()).key(t)}
		if _, err := bundle.Open(data, stranger); !errors.Is(err, bundle.ErrRefused) {
			t.Errorf("%s by another key: %v", name, err)
		}
	}
}

// A file whose signature would not cover each of its bytes is not put into a bundle.
func TestNamesThatABundleCannotHave(t *testing.T) {
	for _, name := range []string{"tests/data.json", "profiles/data.yaml", "tests/deep/data.yml"} {
		files := small()
		files[name] = &fstest.MapFile{Data: []byte("{}")}
		_, err := bundle.Write(policy.Read(files), "d1", anRSA().signing(t))
		faults, ok := errors.AsType[fault.List](err)
		if !ok || len(faults) != 1 || faults[0].File != name || !strings.Contains(err.Error(), "Rename it.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := bundle.Write(policy.Read(small()), "d1", bundle.SigningKey{}); err == nil {
		t.Error("written without a key")
	}
}

// A folder that loads and makes too large a bundle is refused when it is written, not
// when somebody waits for it.
func TestATooLargeBundleIsNotWritten(t *testing.T) {
	files := small()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		noise := make([]byte, 1<<20)
		_, _ = rand.Read(noise)
		files["tests/"+name] = &fstest.MapFile{Data: noise}
	}
	_, err := bundle.Write(policy.Read(files), "d1", anRSA().signing(t))
	if !errors.Is(err, bundle.ErrRefused) || !strings.Contains(err.Error(), "larger than 2 MiB") {
		t.Errorf("got %v", err)
	}
}
