package policytool_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"doorward/policies"
)

// An edit puts one text in place of another in a file; in place of nothing it is
// appended, and the file may be new.
type edit struct{ file, old, new string }

// edited is a copy of the shipped folder with some edits.
func edited(t *testing.T, edits ...edit) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{}
	err := fs.WalkDir(policies.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.FS, name)
		folder[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		var text string
		if file := folder[e.file]; file != nil {
			text = string(file.Data)
		}
		if !strings.Contains(text, e.old) {
			t.Fatalf("%s has no %q", e.file, e.old)
		}
		if e.old == "" {
			text += e.new
		} else {
			text = strings.Replace(text, e.old, e.new, 1)
		}
		folder[e.file] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

// without drops the files whose names begin so.
func without(folder fstest.MapFS, prefix string) fstest.MapFS {
	for name := range folder {
		if strings.HasPrefix(name, prefix) {
			delete(folder, name)
		}
	}
	return folder
}

// lineOf is the number of the first line of a file that holds a text.
func lineOf(t *testing.T, folder fstest.MapFS, file, text string) int {
	t.Helper()
	for i, line := range strings.Split(string(folder[file].Data), "\n") {
		if strings.Contains(line, text) {
			return i + 1
		}
	}
	t.Fatalf("%s has no line with %q", file, text)
	return 0
}
