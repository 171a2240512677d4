package bundle_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"doorward/internal/policy"
	"doorward/internal/policy/bundle"
	"doorward/policies"
)

// opaProgram is the real opa, built when it is not yet.
func opaProgram(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("make", "-s", "bin/tools/opa")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(root, "bin", "tools", "opa")
}

// run runs a program in a folder, and returns what it said and how it ended.
func run(dir, program string, args ...string) (string, error) {
	c := exec.Command(program, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

// What `opa sign` signed opens, whoever made the archive.
func TestWhatOPASignedOpens(t *testing.T) {
	opa, dir := opaProgram(t), t.TempDir()
	folder, key := filepath.Join(dir, "policy"), filepath.Join(dir, "key.pem")
	if err := os.CopyFS(folder, policies.FS); err != nil {
		t.Fatal(err)
	}
	p := anRSA()
	if err := os.WriteFile(key, p.private, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(folder, opa, "sign", "--bundle", ".", "--signing-key", key); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(folder, "sh", "-c", "tar -czf ../policy.tar.gz $(ls -A)"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "policy.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data, bundle.Keys{"2026": p.key(t)})
	if err != nil || b.KeyID != "2026" {
		t.Fatalf("key %q, %v", b.KeyID, err)
	}
	if policy.Read(b.Files).Print() != policy.Read(policies.FS).Print() {
		t.Error("it is another policy")
	}
}

// OPA verifies what we signed, files that it has no use for too, and refuses it when one
// of those is another.
func TestOPAVerifiesWhatWeSigned(t *testing.T) {
	opa, dir := opaProgram(t), t.TempDir()
	p := anRSA()
	file, key := filepath.Join(dir, "policy.tar.gz"), filepath.Join(dir, "public.pem")
	if err := os.WriteFile(key, p.public, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(data []byte, id string) (string, error) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return run(dir, opa, "build", "--bundle", file, "--verification-key", key, "--verification-key-id", id, "--output", "out.tar.gz")
	}
	data := write(t, policies.FS, p.signing(t))
	if out, err := verify(data, bundle.DefaultKeyID); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := verify(write(t, policies.FS, another().signing(t)), bundle.DefaultKeyID); err == nil || !strings.Contains(out, "failed to verify JWT signature") {
		t.Errorf("another's key: %v\n%s", err, out)
	}
	presets := []byte("p, billing, invoices, allow\n")
	changed := repacked(t, data, func(archive []byte) []byte {
		if !bytes.Contains(archive, presets) {
			t.Fatal("the presets lack that line")
		}
		return bytes.Replace(archive, presets, []byte("p, support, invoices, allow\n"), 1)
	})
	if out, err := verify(changed, bundle.DefaultKeyID); err == nil || !strings.Contains(out, "presets/presets.csv: digest mismatch") {
		t.Errorf("a changed file: %v\n%s", err, out)
	}
	refused(t, "a changed file", changed, p.trusted(t), `"presets/presets.csv" is not what was signed`)
}
