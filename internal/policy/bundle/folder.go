package bundle

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// A folder is files in memory, and the folders that they are in.
type folder struct {
	files   map[string][]byte
	folders map[string][]fs.DirEntry // by name, in order
}

var _ fs.FS = folder{}

// newFolder refuses files that lie in another file.
func newFolder(files map[string][]byte) (folder, error) {
	f := folder{files: files, folders: map[string][]fs.DirEntry{".": nil}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := f.add(name, entry{name: path.Base(name), size: int64(len(files[name]))}); err != nil {
			return folder{}, err
		}
	}
	for _, entries := range f.folders {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return f, nil
}

// add lists e in its folder, and the folder in the one it is in when it is new.
func (f folder) add(name string, e entry) error {
	in := path.Dir(name)
	if _, ok := f.files[in]; ok {
		return refusef("%q is a file, and %q lies in it", in, name)
	}
	if _, known := f.folders[in]; !known {
		if err := f.add(in, entry{name: path.Base(in), folder: true}); err != nil {
			return err
		}
	}
	f.folders[in] = append(f.folders[in], e)
	return nil
}

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if data, ok := f.files[name]; ok {
		return &openFile{Reader: bytes.NewReader(data), info: entry{name: path.Base(name), size: int64(len(data))}}, nil
	}
	if entries, ok := f.folders[name]; ok {
		return &openFolder{info: entry{name: path.Base(name), folder: true}, left: entries}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// An entry is what is known of a file or folder.
type entry struct {
	name   string
	size   int64
	folder bool
}

func (e entry) Name() string               { return e.name }
func (e entry) Size() int64                { return e.size }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) IsDir() bool                { return e.folder }
func (e entry) Sys() any                   { return nil }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }

// Mode implements fs.FileInfo.
func (e entry) Mode() fs.FileMode {
	if e.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	*bytes.Reader
	info entry
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openFolder struct {
	info entry
	left []fs.DirEntry // not yet told
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFolder) Close() error               { return nil }

// Read implements fs.File.
func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(f.left) {
		if n > 0 && len(f.left) == 0 {
			return nil, io.EOF
		}
		n = len(f.left)
	}
	some := slices.Clone(f.left[:n])
	f.left = f.left[n:]
	return some, nil
}
