package policy_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/internal/policy"
	"doorward/policies"
)

// A folder past its bounds is refused, whatever the file is for (S22, S41).
func TestBoundsOfAFolder(t *testing.T) {
	full := func(size int) *fstest.MapFile { return &fstest.MapFile{Data: make([]byte, size)} }
	for name, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"a large rule":          {func(f fstest.MapFS) { f["rules/x.rego"] = full(1<<20 + 1) }, "rules/x.rego: is larger than 1 MiB"},
		"a large table":         {func(f fstest.MapFS) { f["tests/x.yaml"] = full(1<<20 + 1) }, "tests/x.yaml: is larger than 1 MiB"},
		"a large spare profile": {func(f fstest.MapFS) { f["profiles/x.yaml"] = full(1<<20 + 1) }, "profiles/x.yaml: is larger than 1 MiB"},
		"many files": {func(f fstest.MapFS) {
			for i := range 1000 {
				f[fmt.Sprintf("tests/%d.yaml", i)] = full(0)
			}
		}, ".: has more than 1000 files"},
		"much in all": {func(f fstest.MapFS) {
			for i := range 16 {
				f[fmt.Sprintf("tests/%d.yaml", i)] = full(1 << 20)
			}
		}, ".: is larger than 16 MiB"},
		"many large files": {func(f fstest.MapFS) {
			for i := range 1001 {
				f[fmt.Sprintf("tests/%d.yaml", i)] = full(1<<20 + 1)
			}
		}, ".: has more than 1000 files"},
	} {
		files := folder(t)
		c.change(files)
		_, err := policy.Load(files)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "is missing") {
			t.Errorf("%s: got %.200v, want %s", name, err, c.want)
		}
	}
	files := folder(t)
	files["tests/x.yaml"] = full(1 << 20)
	if _, err := policy.Load(files); err != nil {
		t.Errorf("at the bound: %v", err)
	}
}

// A sparse file of gigabytes costs nothing (S22).
func TestALargeFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, policies.FS); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "profiles", "simple.yaml"), 3<<30); err != nil {
		t.Fatal(err)
	}
	_, err := policy.Load(os.DirFS(dir))
	if err == nil || !strings.HasPrefix(err.Error(), "profiles/simple.yaml: is larger than 1 MiB") {
		t.Errorf("got %v", err)
	}
}

// growing is a folder one of whose files has no end, and says it is empty.
type growing struct {
	fstest.MapFS
	name string
	read *int
}

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.MapFS.Open(name)
	if err != nil || name != g.name {
		return f, err
	}
	return endless{f, g.read}, nil
}

type endless struct {
	fs.File
	read *int
}

func (e endless) Read(p []byte) (int, error) {
	if *e.read += len(p); *e.read > 8<<20 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

// A file that grows while it is read is not read on.
func TestAGrowingFileIsRefused(t *testing.T) {
	var read int
	_, err := policy.Load(growing{folder(t), "tests/mail.yaml", &read})
	if err == nil || !strings.HasPrefix(err.Error(), "tests/mail.yaml: is larger than 1 MiB") || read > 4<<20 {
		t.Errorf("got %v, %d bytes read", err, read)
	}
}
