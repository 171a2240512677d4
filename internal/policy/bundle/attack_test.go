package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/elliptic"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	opa "github.com/open-policy-agent/opa/v1/bundle"

	"doorward/internal/policy/bundle"
)

// refused wants a bundle to be refused, whole and for this reason.
func refused(t *testing.T, name string, data []byte, keys bundle.Keys, why string) {
	t.Helper()
	b, err := bundle.Open(data, keys)
	if !errors.Is(err, bundle.ErrRefused) || !strings.Contains(err.Error(), why) || b.Files != nil || b.KeyID != "" {
		t.Errorf("%s: got %v, %.300v\nwant %s", name, b, err, why)
	}
}

func TestWhatIsForgedByHandIsSoundByItself(t *testing.T) {
	if b, err := bundle.Open(sound().bytes(t), anRSA().trusted(t)); err != nil || b.KeyID != "default" {
		t.Errorf("%v, %v", b, err)
	}
}

// Files that somebody added, took, changed, or had read elsewhere (S22).
func TestFilesThatWereNotSigned(t *testing.T) {
	file := func(name, content string) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: content}
	}
	for name, c := range map[string]struct {
		change func(*forgery)
		why    string
	}{
		"a file besides":           {func(f *forgery) { f.entries = []tar.Header{file("rules/b.rego", "package b\n")} }, `"rules/b.rego" was not signed`},
		"a file twice":             {func(f *forgery) { f.entries = []tar.Header{file("rules/a.rego", "package b\n")} }, `"rules/a.rego" is in it twice`},
		"the same file twice":      {func(f *forgery) { f.entries = []tar.Header{file("rules/a.rego", f.files["rules/a.rego"])} }, `is in it twice`},
		"other signatures besides": {func(f *forgery) { f.entries = []tar.Header{file("rules/.signatures.json", "{}")} }, `"rules/.signatures.json" was not signed`},
		"a signed file is missing": {func(f *forgery) {
			f.list = func(l []opa.FileInfo) []opa.FileInfo { return append(l, hashOf("rules/b.rego", "package b\n")) }
		}, `"rules/b.rego" was signed and is missing`},
		"a file is another": {func(f *forgery) {
			f.list = func(l []opa.FileInfo) []opa.FileInfo { l[1].Hash = l[2].Hash; return l }
		}, `"catalogue.yaml" is not what was signed`},
		"the manifest is another": {func(f *forgery) {
			f.list = func(l []opa.FileInfo) []opa.FileInfo { l[0].Hash = l[2].Hash; return l }
		}, `".manifest" is not what was signed`},
		"the manifest is YAML": {func(f *forgery) { f.files[".manifest"] = "a: &a [1]\nb: *a\n" }, ".manifest: not valid JSON"},
		"a weak hash": {func(f *forgery) {
			f.list = func(l []opa.FileInfo) []opa.FileInfo { l[1].Algorithm = "MD5"; return l }
		}, `"catalogue.yaml" is signed by its hash of "MD5"`},
		"signed twice": {func(f *forgery) {
			f.list = func(l []opa.FileInfo) []opa.FileInfo { return append(l, l[1]) }
		}, "a file is signed twice"},
		"signed by its meaning":  {func(f *forgery) { f.files["tests/data.yaml"] = "a: b\n" }, `"tests/data.yaml" cannot be in a bundle`},
		"a manifest in a folder": {func(f *forgery) { f.files["rules/.manifest"] = "{}" }, `"rules/.manifest" cannot be in a bundle`},
		"a file in a file":       {func(f *forgery) { f.files["rules/a.rego/x"] = "" }, `"rules/a.rego" is a file, and "rules/a.rego/x" lies in it`},
		"above":                  {func(f *forgery) { f.files["../a.rego"] = "" }, `a file cannot be called "../a.rego"`},
		"above, hidden":          {func(f *forgery) { f.files["rules/../../a.rego"] = "" }, "a file cannot be called"},
		"from the root":          {func(f *forgery) { f.files["/rules/b.rego"] = "" }, `a file cannot be called "/rules/b.rego"`},
		"here":                   {func(f *forgery) { f.files["./b.rego"] = "" }, `a file cannot be called "./b.rego"`},
		"no name":                {func(f *forgery) { f.entries = []tar.Header{{Typeflag: tar.TypeDir, Name: "./"}} }, `a file cannot be called "./"`},
		"no UTF-8": {func(f *forgery) {
			f.entries = []tar.Header{{Typeflag: tar.TypeReg, Name: "\xff", Format: tar.FormatGNU}}
		}, `a file cannot be called "\xff"`},
		"a long name": {func(f *forgery) { f.files[strings.Repeat("a/", 400)+"a"] = "" }, "a name in it is longer than 512 bytes"},
		"a link": {func(f *forgery) {
			f.entries = []tar.Header{{Typeflag: tar.TypeSymlink, Name: "rules/b.rego", Linkname: "/etc/passwd"}}
		}, `"rules/b.rego" is no ordinary file`},
		"a link for what is signed": {func(f *forgery) {
			f.entries = []tar.Header{{Typeflag: tar.TypeLink, Name: "b", Linkname: "catalogue.yaml"}}
		}, `"b" is no ordinary file`},
		"a device":                    {func(f *forgery) { f.entries = []tar.Header{{Typeflag: tar.TypeBlock, Name: "b"}} }, `"b" is no ordinary file`},
		"a pipe":                      {func(f *forgery) { f.entries = []tar.Header{{Typeflag: tar.TypeFifo, Name: "b"}} }, `"b" is no ordinary file`},
		"something after the archive": {func(f *forgery) { f.pack = func(b []byte) []byte { return zipped(append(b, "rules"...)) } }, "something follows after its archive"},
		"something after it all":      {func(f *forgery) { f.pack = func(b []byte) []byte { return append(zipped(b), "rules"...) } }, "something follows after it"},
		"another archive after it":    {func(f *forgery) { f.pack = func(b []byte) []byte { return append(zipped(b), zipped(b)...) } }, "something follows after it"},
		"a wrong sum":                 {func(f *forgery) { f.pack = func(b []byte) []byte { b = zipped(b); b[len(b)-8]++; return b } }, "unpack: gzip: invalid checksum"},
		"cut":                         {func(f *forgery) { f.pack = func(b []byte) []byte { b = zipped(b); return b[:len(b)-20] } }, "unexpected EOF"},
		"not zipped":                  {func(f *forgery) { f.pack = func(b []byte) []byte { return b } }, "it is no gzip file"},
		"nothing":                     {func(f *forgery) { f.pack = func([]byte) []byte { return nil } }, "it is no gzip file"},
		"empty":                       {func(f *forgery) { f.pack = func([]byte) []byte { return zipped(nil) } }, "it is not signed"},
	} {
		f := sound()
		c.change(f)
		refused(t, name, f.bytes(t), anRSA().trusted(t), c.why)
	}
}

// Folders may be in an archive, as tar writes them: they are nothing to be signed.
func TestFoldersArePassedBy(t *testing.T) {
	f := sound()
	f.entries = []tar.Header{{Typeflag: tar.TypeDir, Name: "rules/"}, {Typeflag: tar.TypeDir, Name: "empty/"}}
	if _, err := bundle.Open(f.bytes(t), anRSA().trusted(t)); err != nil {
		t.Error(err)
	}
}

// Signatures by whom nobody trusts, in ways that nobody asked for (S22).
func TestSignaturesThatAreNotTrusted(t *testing.T) {
	by := func(algorithm string, key func() pair, id string) func(*forgery) {
		return func(f *forgery) {
			f.sign = func(t testing.TB, l []opa.FileInfo) string { return tokenBy(t, l, algorithm, key(), id, "") }
		}
	}
	asSecret := func(header string) func(*forgery) { // the public key as the secret of an HMAC
		return func(f *forgery) {
			f.sign = func(_ testing.TB, l []opa.FileInfo) string { return tokenOf(header, l, anRSA().public) }
		}
	}
	unsigned := func(header string) func(*forgery) {
		return func(f *forgery) {
			f.sign = func(_ testing.TB, l []opa.FileInfo) string { return tokenOf(header, l, nil) }
		}
	}
	edited := func(edit func(parts []string)) func(*forgery) {
		return func(f *forgery) {
			sign := f.sign
			f.sign = func(t testing.TB, l []opa.FileInfo) string {
				parts := strings.Split(sign(t, l), ".")
				edit(parts)
				return strings.Join(parts, ".")
			}
		}
	}
	config := func(text string) func(*forgery) { return func(f *forgery) { f.config = text } }
	p256 := ecdsaPair(elliptic.P256())
	for name, c := range map[string]struct {
		change func(*forgery)
		why    string
	}{
		"not signed":                  {config(""), "it is not signed: it has no .signatures.json"},
		"no signature":                {config(`{"signatures":[]}`), "must have one signature"},
		"two signatures":              {config(`{"signatures":["%s","%s"]}`), "must have one signature"},
		"no text":                     {config(`{"signatures":[1]}`), "must have one signature"},
		"two lists":                   {config(`{"signatures":["%s"],"signatures":["%s"]}`), "this name occurs twice"},
		"a plugin":                    {config(`{"signatures":["%s"],"plugin":"mine"}`), "by a plugin of OPA"},
		"no JSON":                     {config(`signatures: ["%s"]`), ".signatures.json: not valid JSON"},
		"no token":                    {config(`{"signatures":["a.b"]}`), "no token of three parts"},
		"another's key":               {by("RS256", another, "default"), `its signature is not that of the key "default"`},
		"a key of another id":         {by("RS256", another, "theirs"), `signed with the key "theirs", which is not trusted; trusted is default`},
		"a key of another kind":       {by("ES256", func() pair { return p256 }, "default"), `it is signed by "ES256", and the key "default" is for RS256`},
		"another algorithm":           {by("RS512", anRSA, "default"), `it is signed by "RS512", and the key "default" is for RS256`},
		"another padding":             {by("PS256", anRSA, "default"), `it is signed by "PS256"`},
		"none":                        {unsigned(`{"alg":"none"}`), `it is signed by "none"`},
		"None":                        {unsigned(`{"alg":"None","kid":"default"}`), `it is signed by "None"`},
		"no algorithm":                {unsigned(`{"kid":"default"}`), `it is signed by ""`},
		"no signature under a header": {unsigned(`{"alg":"RS256"}`), "its signature is not that of"},
		"the public key as a secret":  {asSecret(`{"alg":"HS256"}`), `it is signed by "HS256", and the key "default" is for RS256`},
		"the same, said otherwise":    {asSecret(`{"alg":"RS256"}`), "its signature is not that of"},
		"two algorithms":              {asSecret(`{"alg":"RS256","alg":"HS256"}`), "this name occurs twice"},
		"critical extensions":         {asSecret(`{"alg":"RS256","crit":["b64"],"b64":false}`), "(crit)"},
		"two keys":                    {asSecret(`{"alg":"RS256","kid":"other"}`), `names two keys, "other" and "default"`},
		"another text":                {edited(func(p []string) { p[1] = tokenPart(`{"files":[],"keyid":"default"}`) }), "its signature is not that of"},
		"another header":              {edited(func(p []string) { p[0] = tokenPart(`{"alg":"RS256","kid":"default","x":1}`) }), "its signature is not that of"},
		"another signature":           {edited(func(p []string) { p[2] = "AAAA" }), "its signature is not that of"},
		"padded":                      {edited(func(p []string) { p[1] += "=" }), "the text of its signature: illegal base64"},
		"no header":                   {edited(func(p []string) { p[0] = "" }), "the header of its signature: the text is empty"},
	} {
		f := sound()
		c.change(f)
		refused(t, name, f.bytes(t), anRSA().trusted(t), c.why)
	}
	refused(t, "no keys", sound().bytes(t), nil, "no key is trusted")
}

func tokenPart(text string) string {
	return strings.Split(tokenOf(text, nil, nil), ".")[0]
}

// OPA gives a key a scope, and we give none: what was signed for one is for somebody else.
func TestASignatureForAScope(t *testing.T) {
	claims := filepath.Join(t.TempDir(), "claims.json")
	if err := os.WriteFile(claims, []byte(`{"scope":"read"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := sound()
	f.sign = func(t testing.TB, l []opa.FileInfo) string { return tokenBy(t, l, "RS256", anRSA(), "default", claims) }
	refused(t, "a scope", f.bytes(t), anRSA().trusted(t), "scope mismatch")
}

// Keys take each other's place: while both are trusted, bundles by either open, and one
// that is no longer trusted opens nothing.
func TestRotation(t *testing.T) {
	signedBy := func(p func() pair, id, claims string) []byte {
		f := sound()
		f.sign = func(t testing.TB, l []opa.FileInfo) string { return tokenBy(t, l, "RS256", p(), id, claims) }
		return f.bytes(t)
	}
	both := bundle.Keys{"old": anRSA().key(t), "new": another().key(t)}
	for id, p := range map[string]func() pair{"old": anRSA, "new": another} {
		if b, err := bundle.Open(signedBy(p, id, ""), both); err != nil || b.KeyID != id {
			t.Errorf("%s: %v, %v", id, b, err)
		}
	}
	refused(t, "the one under the other's id", signedBy(anRSA, "new", ""), both, `not that of the key "new"`)
	refused(t, "one that is gone", signedBy(anRSA, "old", ""), bundle.Keys{"new": another().key(t)}, `signed with the key "old"`)
	refused(t, "no id", signedBy(anRSA, "", ""), both, "it does not say with which key it is signed: new, old")
	claims := filepath.Join(t.TempDir(), "claims.json")
	if err := os.WriteFile(claims, []byte(`{"keyid":"old"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := bundle.Open(signedBy(anRSA, "", claims), both); err != nil || b.KeyID != "old" {
		t.Errorf("the id as older signatures say it: %v, %v", b, err)
	}
	if _, err := bundle.Open(signedBy(anRSA, "", ""), bundle.Keys{"old": anRSA().key(t)}); err != nil {
		t.Errorf("no id, and one key: %v", err)
	}
}

// A bundle that would unpack to more than there is memory costs next to nothing (S22, S41).
func TestBombs(t *testing.T) {
	for name, c := range map[string]struct {
		archive func(*tar.Writer) error
		why     string
	}{
		"a large file": {func(w *tar.Writer) error { return zeros(w, "a", 3<<20) }, `"a" is larger than 1 MiB`},
		"many files": {func(w *tar.Writer) error {
			return each(2001, func(i int) error { return zeros(w, fmt.Sprint(i), 0) })
		}, "more than 2000 files and folders"},
		"many folders": {func(w *tar.Writer) error {
			return each(2001, func(i int) error {
				return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: fmt.Sprintf("%d/", i)})
			})
		}, "more than 2000 files and folders"},
		"much in all": {func(w *tar.Writer) error {
			return each(33, func(i int) error { return zeros(w, fmt.Sprint(i), 1<<20) })
		}, "it holds more than 32 MiB"},
		"10 GB": {func(w *tar.Writer) error { return zeros(w, "a", 10<<30) }, `"a" is larger than 1 MiB`},
	} {
		refused(t, name, bomb(t, c.archive), anRSA().trusted(t), c.why)
	}
	refused(t, "a large bundle", make([]byte, 4<<20+1), anRSA().trusted(t), "it is larger than 2 MiB")
	refused(t, "what follows", bomb(t, func(w *tar.Writer) error { return nil }, 3<<30), anRSA().trusted(t), "it holds more than 32 MiB")
	refused(t, "a sparse file", sparse(t, 1, "10737418240"), anRSA().trusted(t), `"0" is larger than 1 MiB`)
	refused(t, "many sparse files", sparse(t, 1000, "1048576"), anRSA().trusted(t), "it holds more than 32 MiB")
}

// What is past a bound is not kept while it is read.
func TestABombIsNotUnpacked(t *testing.T) {
	data := bomb(t, func(*tar.Writer) error { return nil }, 3<<30)
	keys := anRSA().trusted(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := bundle.Open(data, keys); err == nil {
		t.Error("opened")
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 {
		t.Errorf("%d bytes", taken)
	}
}

func each(n int, do func(int) error) error {
	for i := range n {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// zeros writes a file of so many zeros, or as much of it as a bomb may have.
func zeros(w *tar.Writer, name string, size int64) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size}); err != nil {
		return err
	}
	_, err := io.CopyN(w, zeroes{}, min(size, 3<<20))
	return err
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bomb is an archive, zipped, with so many zeros after it. What it says of its last file
// need not be true.
func bomb(t *testing.T, write func(*tar.Writer) error, after ...int64) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(zip)
	if err := write(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil && len(after) > 0 {
		t.Fatal(err)
	}
	for _, n := range after {
		if _, err := io.CopyN(zip, zeroes{}, min(n, 40<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// sparse is an archive of some hundred bytes a file, with n files that have so many bytes
// each, as `tar --sparse` writes them.
func sparse(t *testing.T, n int, size string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for i := range n {
		header := tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint(i), Size: 512, Format: tar.FormatPAX, PAXRecords: map[string]string{
			"OUR.sparse.major": "1", "OUR.sparse.minor": "0", "OUR.sparse.realsize": size, "OUR.sparse.name": fmt.Sprint(i),
		}}
		if err := w.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(append([]byte("0\n"), make([]byte, 510)...)); err != nil { // no data in it
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped(bytes.ReplaceAll(archive.Bytes(), []byte("OUR.sparse"), []byte("GNU.sparse"))) // which archive/tar does not write
}
