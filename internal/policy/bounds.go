package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"doorward/internal/fault"
)

// The bounds of a policy folder (S22, S41). Whoever writes to it must not be able to
// make a server run out of memory: nothing past a bound is read. The shipped folder is
// a quarter of a megabyte in sixty files.
const (
	// MaxFileSize of one file, in bytes.
	MaxFileSize = 1 << 20
	maxSize     = 16 << 20 // of all files that are read, in bytes
	maxFiles    = 1000     // that are read
)

// readFile reads a file within the bounds.
func (s *Source) readFile(fsys fs.FS, name string, into map[string][]byte) error {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return fmt.Errorf("read policy folder: %w", err)
	case !info.Mode().IsRegular():
		s.refuse(name, "is no ordinary file, and is not read", "Put a file here.")
		return nil // a named pipe would be waited for without end
	case info.Size() > MaxFileSize:
		s.tooLarge(name)
		return nil
	case len(s.files)+len(s.tables)+len(s.faults) >= maxFiles:
		return s.end("has more than 1000 files")
	case s.size+info.Size() > maxSize:
		return s.end("is larger than 16 MiB")
	}
	data, err := ReadBounded(fsys, name)
	if err != nil {
		return fmt.Errorf("read policy folder: %w", err)
	}
	if len(data) > MaxFileSize { // it has grown meanwhile
		s.tooLarge(name)
		return nil
	}
	s.size += int64(len(data))
	into[name] = data
	return nil
}

func (s *Source) tooLarge(name string) {
	s.refuse(name, "is larger than 1 MiB, and is not read", "Split it, or take out what is no policy.")
}

func (s *Source) refuse(name, message, fix string) {
	s.faults.Add(fault.Fault{File: name, Message: message, Fix: fix})
}

// end refuses the whole folder and ends its reading: what is missing then is not known.
func (s *Source) end(message string) error {
	s.refuse(".", message+", and the rest is not read", "Keep what is no policy elsewhere.")
	return s.faults.Err()
}

// ReadBounded reads a file up to a byte more than MaxFileSize, which tells that there is more,
// however large it is or grows.
func ReadBounded(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	return data, errors.Join(err, f.Close())
}
