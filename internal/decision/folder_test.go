package decision_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"doorward/internal/policy"
	"doorward/policies"
)

// copyInto copies the shipped policy folder.
func copyInto(t *testing.T, folder fstest.MapFS) {
	t.Helper()
	err := fs.WalkDir(policies.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.FS, name)
		folder[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, folder fs.FS) *policy.Policy {
	t.Helper()
	p, err := policy.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
