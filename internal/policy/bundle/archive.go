package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"strings"

	"doorward/internal/policy"
)

// The bounds of a bundle (S22, S41), besides that of a policy's single file.
const (
	// MaxSize of a bundle, in bytes. The shipped folder makes one of 80 kB.
	MaxSize = 2 << 20
	// maxUnpacked is of the archive inside, and of all files together, in bytes: a policy
	// folder of any size and what an archive has besides.
	maxUnpacked = 32 << 20
	maxEntries  = 2000 // files and folders
	maxName     = 512  // of a file, with its folders, in bytes
)

var errTooMuch = errors.New("it holds more than 32 MiB")

// unpack reads the files of a bundle, by name.
func unpack(data []byte) (map[string][]byte, error) {
	if len(data) > MaxSize {
		return nil, refusef("it is larger than %d MiB", MaxSize>>20)
	}
	packed := bytes.NewReader(data)
	unzipped, err := gzip.NewReader(packed)
	if err != nil {
		return nil, refusef("it is no gzip file: %w", err)
	}
	unzipped.Multistream(false)
	archive := &bounded{from: unzipped, left: maxUnpacked}
	u := unpacking{archive: tar.NewReader(archive), files: map[string][]byte{}}
	if err := u.all(); err != nil {
		return nil, err
	}
	if err := onlyPadding(archive); err != nil {
		return nil, err
	}
	if packed.Len() > 0 {
		return nil, refusef("something follows after it")
	}
	return u.files, nil
}

// onlyPadding reads what follows after an archive, and so checks gzip's sum, too.
func onlyPadding(r io.Reader) error {
	var rest [4096]byte
	for {
		n, err := r.Read(rest[:])
		switch {
		case len(bytes.Trim(rest[:n], "\x00")) > 0:
			return refusef("something follows after its archive")
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return refusef("unpack: %w", err)
		}
	}
}

// An unpacking is the reading of one archive.
type unpacking struct {
	archive *tar.Reader
	files   map[string][]byte
	entries int
	size    int // of all files, in bytes
}

func (u *unpacking) all() error {
	for {
		header, err := u.archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return refusef("unpack: %w", err)
		}
		if err := u.entry(header); err != nil {
			return err
		}
	}
}

// entry reads one file. Folders are passed by: they are no part of what is signed.
func (u *unpacking) entry(header *tar.Header) error {
	folder := header.Typeflag == tar.TypeDir
	name := header.Name
	if folder {
		name = strings.TrimSuffix(name, "/")
	}
	_, twice := u.files[name]
	u.entries++
	switch {
	case u.entries > maxEntries:
		return refusef("it holds more than %d files and folders", maxEntries)
	case len(name) > maxName:
		return refusef("a name in it is longer than %d bytes", maxName)
	case !fs.ValidPath(name) || name == ".":
		return refusef("a file cannot be called %q", header.Name)
	case twice:
		return refusef("%q is in it twice", name)
	case folder:
		return nil
	case header.Typeflag != tar.TypeReg:
		return refusef("%q is no ordinary file", name)
	}
	// What a sparse file says of its size costs nobody anything, so it is read up to
	// the bound, whatever it says.
	data, err := io.ReadAll(io.LimitReader(u.archive, policy.MaxFileSize+1))
	u.size += len(data)
	switch {
	case err != nil:
		return refusef("unpack %q: %w", name, err)
	case len(data) > policy.MaxFileSize:
		return refusef("%q is larger than %d MiB", name, policy.MaxFileSize>>20)
	case u.size > maxUnpacked:
		return refusef("unpack: %w", errTooMuch)
	}
	u.files[name] = data
	return nil
}

// bounded reads so much and fails then, where an io.LimitReader would say it is the end.
type bounded struct {
	from io.Reader
	left int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooMuch
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
