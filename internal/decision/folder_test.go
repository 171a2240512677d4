package decision_test

import (
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"doorward/internal/policy"
	"doorward/policies"
)

// appended is the shipped policy folder with a text added at the end of one file.
type appended struct{ name, text string }

func (a appended) Open(name string) (fs.File, error) {
	if name != a.name {
		return policies.FS.Open(name)
	}
	data, err := fs.ReadFile(policies.FS, name)
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{name: {Data: append(data, a.text...)}}.Open(name)
}

// loadShipped loads the shipped policy once: it is immutable.
var loadShipped = sync.OnceValues(func() (*policy.Policy, error) { return policy.Load(policies.FS) })

func shipped(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := loadShipped()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
