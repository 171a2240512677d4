package decision_test

import (
	"io/fs"
	"testing/fstest"

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
