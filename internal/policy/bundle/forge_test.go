package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	opa "github.com/open-policy-agent/opa/v1/bundle"
)

// A forgery is a bundle made by hand, piece by piece, so that any of them can be wrong.
type forgery struct {
	files   map[string]string // that are signed, by name
	entries []tar.Header      // besides those, unsigned; their Linkname is also the content
	list    func([]opa.FileInfo) []opa.FileInfo
	sign    func(t testing.TB, files []opa.FileInfo) string // the token
	config  string                                          // .signatures.json, with %s for the token
	pack    func([]byte) []byte                             // of the tar archive
}

// sound is a forgery that is none.
func sound() *forgery {
	return &forgery{
		files: map[string]string{".manifest": `{"revision":"d1","roots":[""]}`, "catalogue.yaml": "a: b\n", "rules/a.rego": "package doorward\n"},
		sign: func(t testing.TB, files []opa.FileInfo) string {
			return tokenBy(t, files, "RS256", anRSA(), "default", "")
		},
		list: func(files []opa.FileInfo) []opa.FileInfo { return files }, config: `{"signatures":["%s"]}`, pack: zipped,
	}
}

// tokenBy is a token as OPA makes it.
func tokenBy(t testing.TB, files []opa.FileInfo, algorithm string, key pair, id, claims string) string {
	t.Helper()
	token, err := opa.GenerateSignedToken(files, opa.NewSigningConfig(string(key.private), algorithm, claims), id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tokenOf is a token of these parts, signed by a secret or, without one, not at all.
func tokenOf(header string, files []opa.FileInfo, secret []byte) string {
	claims, _ := json.Marshal(map[string]any{"files": files, "keyid": "default"})
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	if secret == nil {
		return text + "."
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func hashOf(name, content string) opa.FileInfo {
	var value any = []byte(content)
	if name == ".manifest" && json.Unmarshal([]byte(content), &value) != nil {
		value = []byte(content)
	}
	hasher, _ := opa.NewSignatureHasher(opa.SHA256)
	sum, _ := hasher.HashFile(value)
	return opa.NewFile(name, hex.EncodeToString(sum), "SHA-256")
}

func (f *forgery) bytes(t testing.TB) []byte {
	t.Helper()
	var list []opa.FileInfo
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		list = append(list, hashOf(name, f.files[name]))
	}
	written := maps.Clone(f.files)
	if f.config != "" {
		written[".signatures.json"] = strings.ReplaceAll(f.config, "%s", f.sign(t, f.list(list)))
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		put(t, w, tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: written[name]})
	}
	for _, e := range f.entries {
		put(t, w, e)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.pack(archive.Bytes())
}

// put writes an entry; of a file the Linkname is what is in it.
func put(t testing.TB, w *tar.Writer, e tar.Header) {
	t.Helper()
	content := ""
	if e.Typeflag == tar.TypeReg {
		content, e.Linkname, e.Size = e.Linkname, "", int64(len(e.Linkname))
	}
	e.Mode = 0o644
	if err := w.WriteHeader(&e); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
}

func zipped(archive []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(archive)
	if err != nil || w.Close() != nil {
		panic(fmt.Sprint("gzip: ", err))
	}
	return packed.Bytes()
}

// repacked is a bundle whose archive was edited.
func repacked(t testing.TB, data []byte, edit func([]byte) []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return zipped(edit(archive))
}
